#!/usr/bin/env python3
"""Generated mappings and payloads, read by Penstock and by another reader: compare.py PROGRAM REFERENCE --seed N --count N [--record FILE]

PROGRAM answers lines of requests (`compare mappings`); REFERENCE is the other reader's file. A difference that is not among the known ones
is made as small as it goes and printed.
"""
import argparse, collections, json, os, subprocess, sys
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import generator, known, reference, smaller


class Penstock:
    def __init__(self, program):
        self.process = subprocess.Popen([program, 'mappings'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answers(self, mapping, messages):
        self.process.stdin.write(json.dumps({'mapping': mapping, 'messages': messages}) + '\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def rounded_columns(tree):
    """Columns whose numbers are divided on the way: equal to 25 digits."""
    out = set()
    for block in [tree] + tree.get('rows', []):
        for name, c in block.get('columns', {}).items():
            if isinstance(c, dict) and ('convert' in c or c.get('parse') == 'ddmm'):
                out.add(name)
    return out


def verdict(ours, theirs, tree):
    """None where both agree, or in a few words how they differ."""
    kind = theirs[0]
    if kind == 'exception':
        return f'exception there: {theirs[2]}' if 'letter' not in ours else None
    if kind == 'letter':
        if 'letter' not in ours:
            return f'a letter there ({theirs[2]}), rows here'
        if ours.get('column') != theirs[1] and theirs[1] is not None and ours.get('column') is not None:
            return f'letters for other columns: here {ours.get("column")}: {ours["letter"]}, there {theirs[2]}'
        return None
    if 'letter' in ours:
        return f'a letter here ({ours.get("column")}: {ours["letter"]}), rows there'
    divided = rounded_columns(tree)
    for table in sorted(set(ours['tables']) | set(theirs[1])):
        mine, other = ours['tables'].get(table, []), theirs[1].get(table, [])
        if len(mine) != len(other):
            return f'{table} has {len(mine)} rows here, {len(other)} there'
        for index, (a, b) in enumerate(zip(mine, other)):
            if set(a) != set(b):
                return f'{table}: other columns'
            for name, (value, type_) in b.items():
                if not reference.same(a[name], value, type_, name in divided):
                    shown = value.d if isinstance(value, reference.Single) else value
                    return f'{table}[{index}].{name}: {a[name]!r} here, {shown!r} there'
    return None


def wordless(answer):
    """The words of a letter are nobody's promise."""
    return {**answer, 'letter': ''} if 'letter' in answer else answer


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('program')
    arguments.add_argument('reference')
    arguments.add_argument('--seed', type=int, default=1)
    arguments.add_argument('--first', type=int, default=0, help='the number of the first mapping')
    arguments.add_argument('--count', type=int, default=1000)
    arguments.add_argument('--show', type=int, default=5, help='how many differences are shown')
    arguments.add_argument('--record', help='write the cases on which both agree')
    options = arguments.parse_args()
    penstock, other = Penstock(options.program), reference.Reference(options.reference)
    seen = collections.Counter()
    keys = collections.Counter()
    differences = collections.defaultdict(list)
    recorded = []

    def differ(tree, message):
        """How a message is read differently; None where it is not, or the mapping is none."""
        text = generator.file(tree)
        answer = penstock.answers(text, [message])
        if answer.get('mistakes'):
            return None, None, None
        ours = answer['messages'][0]
        try:
            theirs = other.answer(other.mapping(text), message)
        except Exception:
            return None, None, None
        return verdict(ours, theirs, tree), ours, theirs

    def known_without_policy(tree, message):
        """The error that a policy has made a NULL or a row left out."""
        def without(node):
            if isinstance(node, dict):
                return {k: without(v) for k, v in node.items() if k != 'on_error'}
            return [without(v) for v in node] if isinstance(node, list) else node
        tree = without(tree)
        reason, ours, theirs = differ(tree, message)
        return reason and known.name({'mapping': generator.file(tree), 'tree': tree}, message, ours, theirs, reason)

    for index in range(options.first, options.first + options.count):
        case = generator.Generator(options.seed, index).case()
        answer = penstock.answers(case['mapping'], case['messages'])
        if answer.get('mistakes'):
            if all('does not fit column' in mistake for mistake in answer['mistakes']):
                # A constant that its column's steps make unfit: only the row would tell the other reader.
                seen['unfit'] += 1
                continue
            seen['refused'] += 1
            # Constants that do not fit their column are tried when a mapping is loaded; the other reader meets them with every message.
            if all('does not fit column' in mistake for mistake in answer['mistakes']):
                seen['refused: a constant'] += 1
                continue
            differences['a mapping is refused: ' + answer['mistakes'][0].split(': ', 1)[1][:60]].append((index, case['mapping'], answer['mistakes']))
            continue
        mapping = other.mapping(case['mapping'])
        seen['mappings'] += 1
        keys.update(generator_keys(case['tree']))
        agreed = []
        for number, (message, ours) in enumerate(zip(case['messages'], answer['messages'])):
            theirs = other.answer(mapping, message)
            seen['messages'] += 1
            seen['letters'] += theirs[0] == 'letter'
            seen['rows'] += sum(map(len, theirs[1].values())) if theirs[0] == 'rows' else 0
            reason = verdict(ours, theirs, case['tree'])
            if reason is None:
                agreed.append((message, ours))
                continue
            name = known.name(case, message, ours, theirs, reason) or known_without_policy(case['tree'], message)
            if name is None:
                # Of several differences one may hide another: the smallest case says which it is.
                category = smaller.category(reason)
                tree, message = smaller.smallest(case['tree'], message, lambda t, m: differ(t, m)[0], category)
                reason, ours, theirs = differ(tree, message)
                name = known.name({'mapping': generator.file(tree), 'tree': tree}, message, ours, theirs, reason)
                name = name or known_without_policy(tree, message)
            if name:
                seen['known'] += 1
                seen['known: ' + name] += 1
                continue
            seen['differences'] += 1
            differences[smaller.category(reason)].append((index, tree, message))
        if agreed:
            recorded.append({'mapping': case['mapping'], 'messages': [m for m, _ in agreed], 'answer': {'messages': [wordless(a) for _, a in agreed]}})
    shown = 0
    for category, cases in sorted(differences.items(), key=lambda pair: -len(pair[1])):
        if shown == options.show:
            break
        shown += 1
        print(f'--- {len(cases)} × {category}')
        index, tree, message = cases[0]
        if isinstance(tree, str):
            print(f'mapping {index}: {message}\n{tree[:1500]}')
            continue
        reason, ours, theirs = differ(tree, message)
        payload = bytes.fromhex(message['payload'])
        print(f'mapping {index}: {reason}\n{generator.file(tree)}topic {message["topic"]}, payload {payload!r}')
        print(f'  here:  {str(ours)[:600]}\n  there: {str(theirs)[:600]}')
    print(
        f'mappings: {seen["mappings"]} mappings ({seen["refused"]} refused, {seen["unfit"]} with unfit constants), {seen["messages"]} messages, {seen["rows"]} rows,'
        f' {seen["letters"]} letters, {seen["known"]} known differences, {seen["differences"]} differences')
    for name, count in sorted(seen.items()):
        if name.startswith('known: '):
            print(f'  {name}: {count}')
    unused = sorted(set(ALL_KEYS) - set(keys))
    print(f'  keys used: {len(set(ALL_KEYS) & set(keys))} of {len(ALL_KEYS)}' + (f'; not used: {", ".join(unused)}' if unused else ''))
    if options.record:
        with open(options.record, 'w') as file:
            for case in recorded:
                file.write(json.dumps(case, ensure_ascii=False, separators=(',', ':')) + '\n')
    sys.exit(seen['differences'] + seen['refused'] > 0)


ALL_KEYS = (
    'topic exclude retained empty_payload unpack decode when each table columns rows ignore on_error keep_empty type not_null from join with'
    ' const trim null_if map map_else parse zone plus by times scale offset convert sign negative min max default is not match present csv'
    ' binary lines delimiter header decimal quote comment skip_lines pairs_from endian length fields groups at every count bits order size embed'
    ' tagged tag_bytes types list').split()


def generator_keys(tree):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield str(key)
            yield from generator_keys(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from generator_keys(value)


if __name__ == '__main__':
    main()

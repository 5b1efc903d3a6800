"""Makes a difference as small as it goes: fewer columns, fewer keys, a shorter payload."""
import base64, gzip, json, re, zlib


def category(reason):
    """A difference without its values, so that a smaller one is still the same."""
    reason = re.sub(r'0x[0-9a-f]+|\d+', 'N', reason)
    reason = re.sub(r"'[^']*'", "'…'", reason)
    reason = re.sub(r'"[^"]*"', "'…'", reason)
    return re.sub(r'tN\[N\]\.\w+', 'column', reason)[:90]


def smallest(tree, message, differ, wanted, tries=600):
    """What still differs in the same way; the message before the mapping, as it is the longer one."""
    def holds(t, m):
        nonlocal tries
        tries -= 1
        if tries < 0:
            return False
        reason = differ(t, m)
        return reason is not None and (category(reason) == wanted or kind(reason) == kind(wanted))

    changed = True
    while changed and tries > 0:
        changed = False
        for candidate in smaller_trees(tree):
            if holds(candidate, message):
                tree, changed = candidate, True
                break
    if 'unpack' in tree:
        candidate = {key: value for key, value in tree.items() if key != 'unpack'}
        for data in unpacked(tree['unpack'], bytes.fromhex(message['payload'])):
            if holds(candidate, {**message, 'payload': data.hex()}):
                tree, message = candidate, {**message, 'payload': data.hex()}
    changed = True
    while changed and tries > 0:
        changed = False
        for text in smaller_documents(bytes.fromhex(message['payload'])):
            candidate = {**message, 'payload': text.hex()}
            if holds(tree, candidate):
                message, changed = candidate, True
                break
    payload = bytes.fromhex(message['payload'])
    size = max(len(payload) // 2, 1)
    while size and tries > 0:
        place = 0
        while place < len(payload):
            shorter = payload[:place] + payload[place + size:]
            candidate = {**message, 'payload': shorter.hex()}
            if shorter and holds(tree, candidate):
                payload, message = shorter, candidate
            else:
                place += size
        size //= 2
    return tree, message


def kind(reason):
    """Rows against a letter, rows against rows: what may not change on the way."""
    return re.sub(r'\(.*?\)|:.*', '', reason)[:20]


def smaller_trees(tree):
    def without(node, key):
        copied = dict(node)
        del copied[key]
        return copied

    if 'rows' in tree:
        for index in range(len(tree['rows'])):
            if len(tree['rows']) > 1:
                yield {**tree, 'rows': tree['rows'][:index] + tree['rows'][index + 1:]}
            for block in smaller_blocks(tree['rows'][index]):
                yield {**tree, 'rows': tree['rows'][:index] + [block] + tree['rows'][index + 1:]}
    for key in ('exclude', 'retained', 'empty_payload', 'unpack', 'on_error', 'ignore', 'when', 'columns' if 'rows' in tree else None, 'keep_empty'):
        if key in tree:
            yield without(tree, key)
    yield from smaller_blocks(tree)


def smaller_blocks(block):
    columns = block.get('columns', {})
    for name in columns:
        if len(columns) > 1:
            yield {**block, 'columns': {k: v for k, v in columns.items() if k != name}}
    for key in ('when', 'keep_empty'):
        if key in block:
            yield {k: v for k, v in block.items() if k != key}
    for name, column in columns.items():
        if isinstance(column, dict):
            for key in column:
                if key not in ('type', 'from', 'join', 'const'):
                    yield {**block, 'columns': {**columns, name: {k: v for k, v in column.items() if k != key}}}
            if isinstance(column.get('from'), list) and len(column['from']) > 1:
                for index in range(len(column['from'])):
                    yield {**block, 'columns': {**columns, name: {**column, 'from': column['from'][:index] + column['from'][index + 1:]}}}


def unpacked(steps, data):
    """The payload that the steps lead to, where they do."""
    try:
        for step in [steps] if isinstance(steps, str) else steps:
            if step == 'hex':
                data = bytes.fromhex(data.decode().replace('0x', ''))
            else:
                data = {'base64': base64.b64decode, 'gzip': gzip.decompress, 'zlib': zlib.decompress}[step](data)
    except (ValueError, OSError, EOFError, zlib.error):
        return
    yield data


class Text(str):
    """A number as it was written."""


class Members(list):
    """Pairs, repeated names included."""


def smaller_documents(payload):
    """A JSON text without one of its items or members."""
    try:
        document = json.loads(payload, object_pairs_hook=Members, parse_int=Text, parse_float=Text)
    except ValueError:
        return
    for candidate in smaller_values(document):
        yield written(candidate).encode()


def smaller_values(value):
    if not isinstance(value, list):
        return
    for index in range(len(value)):
        yield type(value)(value[:index] + value[index + 1:])
    for index, item in enumerate(value):
        for inner in smaller_values(item[1] if isinstance(value, Members) else item):
            yield type(value)(value[:index] + [(item[0], inner) if isinstance(value, Members) else inner] + value[index + 1:])


def written(value):
    if isinstance(value, Members):
        return '{' + ','.join(f'{json.dumps(k, ensure_ascii=False)}:{written(v)}' for k, v in value) + '}'
    if isinstance(value, list):
        return '[' + ','.join(map(written, value)) + ']'
    return value if isinstance(value, Text) else json.dumps(value, ensure_ascii=False)

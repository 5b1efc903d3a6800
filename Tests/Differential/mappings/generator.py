"""Makes mappings and messages for them: the same from the same seed and index.

A mapping is a tree of dictionaries and lists of texts, as YAML reads it; `yaml` writes it as a file.
"""
import base64, gzip, json, random, re, struct, zlib
import values
from document import Place, Writer, damaged

NULL = type('Null', (str,), {})('null')      # written plain: no value; 'null' otherwise is a text


def yaml(tree):
    """Flow style, which is nearly JSON, with what needs no quotes left without them."""
    if isinstance(tree, dict):
        return '{' + ', '.join(f'{yaml(k)}: {yaml(v)}' for k, v in tree.items()) + '}'
    if isinstance(tree, list):
        return '[' + ', '.join(map(yaml, tree)) + ']'
    if tree is NULL:
        return 'null'
    if re.fullmatch(r'[A-Za-z0-9$_+-][A-Za-z0-9$_.+/ -]*(?<! )', tree) and tree not in ('null', '~') and not re.match(r'[-+]( |$)', tree):
        return tree
    return json.dumps(tree, ensure_ascii=False)


def file(tree):
    return ''.join(f'{yaml(k)}: {yaml(v)}\n' for k, v in tree.items())


NUMERIC = ['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric', 'numeric(6,2)', 'int4', 'float8']
TYPES = NUMERIC + ['boolean', 'text', 'text', 'varchar(5)', 'timestamptz', 'timestamptz', 'uuid', 'bytea', 'jsonb',
                   'integer[]', 'text[]', 'double precision[]', 'boolean[]', 'timestamptz[]', 'numeric[]', 'bool', 'json']
UNITS = [['degC', 'degF', 'K'], ['Wmin', 'Wh', 'kWh', 'J'], ['Pa', 'hPa', 'kPa', 'bar', 'psi'], ['m/s', 'km/h', 'kn', 'mph'], ['m', 'km', 'ft'],
         ['V', 'mV'], ['W', 'kW']]
NAMES = ['a', 'b', 'c', 'temp', 'hum', 'v', 'on', 'ts', 'größe', 'k-1', 'x y', '0', 'id', 'longer_than_sixteen_bytes']
KINDS = ['object', 'array', 'string', 'number', 'boolean', 'null', 'numeric']
TOPICS = [
    ('s/{id}/t', ['s/d1/t', 's/x y/t', 's/größe/t', 's//t', 's/d1/t/u', 's/d1']), ('{site}/+/{id}', ['hq/1/d7', 'lab/x/d7', '$SYS/1/2', 'hq//d', '/1/d']),
    ('a/#', ['a', 'a/b', 'a/b/c', 'b/a', 'a/']), ('t/{rest...}', ['t/a', 't/a/b', 't', 't/']), ('p-{n}-{m}/x', ['p-1-2/x', 'p-a-b-c/x', 'p--/x', 'p-1/x']),
    ('plain', ['plain', 'other', 'plain/x']), ('+/x/{id}', ['1/x/2', '$1/x/2', '/x/2']), ('{all...}', ['a/b', '$SYS/x', 'one']),
    ('v{n}/dev', ['v1/dev', 'v/dev', 'v12/dev', 'w1/dev']),
]


class Generator:
    def __init__(self, seed, index):
        self.r = random.Random(f'{seed}/{index}')
        self.document = Place()

    def pick(self, *choices):
        return self.r.choice(choices)

    def often(self, p):
        return self.r.random() < p

    # Mappings

    def case(self):
        """A mapping and its messages."""
        r = self.r
        self.decoder = self.pick('json', 'json', 'json', 'json', 'json', 'json', 'csv', 'csv', 'binary', 'binary', 'text', 'bytes', 'lines',
            'senml', 'sparkplug')
        self.loops = []           # (variable, place of its items or None)
        self.fields = {}          # of binary layouts: name of a loop or '$' -> fields
        self.cells = []           # of CSV: (path, text of a cell)
        tree = {}
        self.topics(tree)
        self.decode(tree)
        if self.often(0.15):
            tree['unpack'] = self.pick('hex', 'base64', 'gzip', 'zlib', ['hex', 'hex'], ['base64', 'hex'], ['base64', 'gzip'], ['gzip', 'zlib'])
        self.embedded = None
        if self.decoder == 'json' and self.often(0.15):
            self.embed(tree)
        if self.often(0.3):
            tree['retained'] = self.pick('skip', 'use')
        if self.often(0.25):
            tree['empty_payload'] = self.pick('skip', 'dead_letter')
        if self.often(0.3):
            tree['on_error'] = self.pick('dead_letter', 'set_null', 'skip_row')
        self.policy = tree.get('on_error', 'dead_letter')
        if self.often(0.3):
            self.rows(tree)
        else:
            self.block(tree, 't0')
            if self.decoder == 'json' and 'each' not in tree and self.often(0.3):
                tree['empty_payload'] = 'row'
        if self.decoder in ('json', 'lines', 'csv', 'binary') and self.often(0.2):
            tree['ignore'] = [self.payload_path() for _ in range(r.randrange(1, 3))]
        messages = [self.message(tree) for _ in range(8)]
        return {'mapping': file(tree), 'tree': tree, 'messages': messages}

    def embed(self, tree):
        """A JSON text inside a field of the payload."""
        self.embedded = inner = Place()
        step = self.pick(None, None, 'base64', 'hex')
        tree['embed'] = {'e': {'from': '$.blob', **({'unpack': step} if step else {}), 'decode': 'json'}}

        def text(r):
            data = Writer(r).object(inner).encode('utf-8')
            return values.quoted(r, {'base64': base64.b64encode(data).decode(), 'hex': data.hex(), None: data.decode('utf-8')}[step])
        self.document.member('blob').texts.append(text)

    def topics(self, tree):
        if self.decoder == 'sparkplug':
            tree['topic'] = 'spBv1.0/{group}/{type}/{node}/{device}'
            self.topic_names = self.good_topics = ['spBv1.0/g1/DDATA/n1/d1', 'spBv1.0/g 2/DDATA/n/ö']
            self.captures = ['device', 'group', 'node', 'type']
            return
        chosen = self.r.sample(TOPICS, self.pick(1, 1, 1, 2))
        self.topic_names = [name for _, names in chosen for name in names]
        self.good_topics = [names[0] for _, names in chosen]
        tree['topic'] = chosen[0][0] if len(chosen) == 1 else [pattern for pattern, _ in chosen]
        captures = [set(re.findall(r'\{(\w+)(?:\.\.\.)?\}', pattern)) for pattern, _ in chosen]
        self.captures = sorted(set.union(*captures))
        if self.often(0.15):
            tree['exclude'] = [self.pick('lab/#', '+/b', 's/d1/t', 'a/b/#', 'other')]

    def rows(self, tree):
        r = self.r
        if self.often(0.4) and self.decoder not in ('csv', 'senml', 'sparkplug'):
            tree['when'] = self.when(1)
        if self.often(0.5) and self.decoder == 'json':
            tree['each'] = self.each()
            self.file_loops = list(self.loops)
        else:
            self.file_loops = list(self.loops)
        shared = {}
        if self.often(0.7):
            before = self.loops
            if 'each' not in tree and self.decoder == 'json':
                self.loops = []
            shared = {name: self.column(name) for name in ['s1', 's2'][:self.pick(1, 2)]}
            # A shared column without a source would read another root in each block.
            shared = {name: c for name, c in shared.items() if self.has_source(c) or self.decoder not in ('text', 'bytes')}
            self.loops = before
        tree['rows'] = []
        for number in range(r.randrange(1, 4)):
            block = {}
            self.loops = list(self.file_loops)
            # The shared columns may read the loops of the file, so a block keeps those.
            self.block(block, f't{number}', may_loop='each' not in tree, shared=shared)
            tree['rows'].append(block)
        if shared:
            tree['columns'] = shared

    @staticmethod
    def has_source(c):
        return ' from ' in c if isinstance(c, str) else any(k in c for k in ('from', 'join', 'const'))

    def block(self, tree, table, may_loop=True, shared=()):
        r = self.r
        tree['table'] = self.pick(table, {'name': table}, {'name': table, 'key': [], 'on_conflict': 'append'}) if self.often(0.2) else table
        if isinstance(tree['table'], dict):
            tree['table'].pop('key', None)
        if may_loop:
            if self.decoder == 'json' and self.often(0.45):
                tree['each'] = self.each()
            elif self.decoder == 'lines':
                tree['each'] = {'l': '$.*'}
                self.loops = [('l', self.document)]
            elif self.decoder == 'binary' and (self.groups or self.listed) and self.often(0.6):
                tree['each'] = {'g': '$.rec.*'}
                self.loops = [('g', None)]
        if self.often(0.3):
            tree['when'] = self.when(r.randrange(1, 3))
        columns = {f'c{i}': self.column(f'c{i}') for i in range(r.randrange(1, 7))}
        if shared and self.often(0.2):
            columns['s1'] = self.column('s1')
        if self.decoder in ('json', 'lines', 'csv', 'binary') and self.often(0.25):
            columns['extra'] = 'jsonb from rest'
        if self.decoder in ('json', 'binary') and self.often(0.1):
            columns['whole'] = 'jsonb from $'
        tree['columns'] = columns
        if self.often(0.2) and not (table != 't0' and not may_loop):
            tree['keep_empty'] = self.pick('true', 'false')
        if 'rows' not in tree and table == 't0' and may_loop and not shared:
            pass

    def each(self):
        """Loops over the document, and what they run over."""
        name = self.pick('list', 'map', 'times')
        place = self.document.member(name)
        items = place.items(is_map=name == 'map')
        self.loops = [('i', items)]
        if name == 'times':
            items.texts.append(values.number)
            return self.pick({'i': f'$.{name}.*'}, {'i': f'$.{name}.*'})
        if self.often(0.3):
            inner = items.member('sub').items(is_map=self.often(0.4))
            self.loops.append(('j', inner))
            return {'i': f'$.{name}.*', 'j': 'i.sub.*'}
        if self.often(0.3):
            self.loops = [('item', items)]
            return f'$.{name}.*'
        return {'i': f'$.{name}.*'}

    # Sources

    def root(self):
        """A root of the payload, and its place in the document."""
        if self.loops and self.often(0.75):
            return self.pick(*self.loops)
        if self.embedded is not None and self.often(0.4):
            return 'e', self.embedded
        return '$', self.document

    def payload_path(self, text=None):
        """A path into the payload; `text` makes what may stand there."""
        r = self.r
        if self.decoder == 'csv':
            path = self.pick(*self.cell_names)
            if text:
                self.cells.append((path, text))
            return 'line.' + self.segment(path)
        if self.decoder == 'binary':
            root = 'g' if self.loops and self.often(0.75) else '$'
            return root + '.' + self.pick(*self.fields[root])
        if self.decoder == 'sparkplug':
            return self.pick('metric.name', 'metric.value', 'metric.value', 'metric.value', 'metric.timestamp', 'metric.datatype', 'metric.is_historical',
                             'metric.alias', '$.timestamp', '$.seq')
        if self.decoder == 'senml':
            return 'record.' + self.pick('n', 't', 'v', 'u', 'vs', 'vb', 's', 'v', 'n')
        if self.decoder in ('text', 'bytes'):
            if text:
                self.cells.append(('$', text))
            return self.pick('$', '$', 'payload') if self.decoder == 'bytes' else '$'
        root, place = self.root()
        if self.decoder == 'lines' and root == '$':
            root, place = self.loops[0] if self.loops else ('$', Place())
            if root == '$':
                return '$.0.a'
        path = root
        if place.texts and self.often(0.5):
            if text:
                place.texts.append(text)
            return path
        for _ in range(self.pick(1, 1, 1, 2, 3)):
            if place.item is not None and place is not self.document and not place.members:
                if place.is_map:
                    name = 's1'
                else:
                    name = self.pick('0', '1', '-1')
                path += '.' + name
                place = place.item
                continue
            indices = [v for v, p in self.loops if p is not None and p is not place]
            if indices and path == '$' and self.often(0.2):
                # An array, or a map, walked beside the loop.
                variable = self.pick(*indices)
                is_key = self.often(0.3)
                name = 'bykey' if is_key else 'beside'
                beside = place.member(name).items(is_map=is_key)
                path += f'.{name}.{{{variable}@{"key" if is_key else "index"}}}'
                place = beside
                break
            name = self.pick(*NAMES)
            path += '.' + self.segment(name)
            place = place.member(name)
        if self.often(0.05):
            place = place.items()
            path += self.pick('.0', '.-1', '.2')
        if text:
            place.texts.append(text)
        return path

    def segment(self, name):
        return f'"{name}"' if self.often(0.1) or '"' in name else name

    def other_path(self):
        """A source that is not the payload."""
        choices = ['topic', 'received', 'mqtt.qos', 'mqtt.retain', 'mqtt.content_type', 'mqtt.user.k']
        choices += [f'topic.{name}' for name in self.captures] * 3
        for variable, _ in self.loops if self.decoder != 'csv' else [('line', None)]:
            choices += [f'{variable}@index', f'{variable}@key'] if self.decoder not in ('csv', 'binary', 'lines', 'senml', 'sparkplug') else [f'{variable}@index']
        return self.pick(*choices)

    # Tests

    def when(self, count):
        out = {}
        for _ in range(count):
            test, text = self.test()
            source = self.other_path() if self.often(0.25) else self.payload_path(text)
            # A test on the innermost loop may name any root; in a filter of the file only the payload is there.
            out[source] = test
        return out

    def test(self):
        """A TEST, and what makes texts that may meet it."""
        r = self.r
        kind = r.randrange(9)
        text = r.choice(values.TEXTS)
        number = values.number(r)
        as_json = lambda r: self.quoted(r, text) if r.random() < 0.6 else self.junk(r)
        as_number = lambda r: r.choice([number, number, str(r.randrange(-50, 50)), values.number(r)])
        if kind == 0:
            return text, as_json
        if kind == 1:
            return number, as_number
        if kind == 2:
            return [text, number, self.pick(NULL, 'true', 'd1')], self.pick(as_json, as_number)
        if kind == 3:
            return {'is': self.pick(self.pick(*KINDS), r.sample(KINDS, 2))}, self.junk
        if kind == 4:
            inner, make = self.test()
            return {'not': inner}, make
        if kind == 5:
            return {'match': self.pick('*', 'a*', '?bc', '[a-c]*', '[!a]*', '*o*', 'O?EN', '1*', '*.5', 'd?', '*/*', 'true', '[0-9]*')}, as_json
        if kind == 6:
            return {'present': self.pick('true', 'false')}, self.junk
        if kind == 7:
            return {self.pick('min', 'max'): number}, as_number
        return {'min': str(r.randrange(-50, 0)), 'max': str(r.randrange(50)), 'not': self.pick('0', number)}, as_number

    @staticmethod
    def quoted(r, text):
        return values.quoted(r, text)

    @staticmethod
    def junk(r):
        return Writer(r).junk()

    # Columns

    def column(self, name):
        r = self.r
        type_ = r.choice(TYPES)
        if self.decoder in ('csv', 'binary', 'text', 'bytes', 'senml', 'sparkplug') and (type_.endswith('[]') or type_ in ('jsonb', 'json')) and self.often(0.8):
            type_ = r.choice(NUMERIC + ['text', 'boolean'])
        if self.decoder == 'bytes':
            type_ = self.pick('bytea', 'text', 'integer', 'bytea', 'real')
        c = {'type': type_}
        base = type_.removesuffix('[]')
        make = self.value_of(c, base)
        if type_.endswith('[]'):
            element = make
            make = lambda r: '[' + ','.join(element(r) for _ in range(r.randrange(4))) + ']'
        not_null = self.often(0.12)
        kind = r.randrange(12)
        is_payload = True
        if kind == 0 and not type_.endswith('[]'):
            c['from'] = self.other_path()
            is_payload = False
        elif kind == 1 and base in ('text', 'varchar(5)', 'jsonb') + tuple(NUMERIC) and not type_.endswith('[]'):
            c['join'] = [self.other_path() if self.often(0.3) else self.payload_path(make) for _ in range(r.randrange(1, 4))]
            is_payload = all(self.is_payload(p) for p in c['join'])
            if self.often(0.6):
                c['with'] = self.pick('', '-', ', ', ' : ')
        elif kind == 2:
            c['from'] = [self.payload_path(make) for _ in range(r.randrange(1, 4))]
            if self.often(0.4) and not type_.endswith('[]'):
                c['from'].append(self.other_path())
        elif kind == 3 and not type_.endswith('[]') and base not in ('jsonb', 'json'):
            # What a constant becomes is checked when the mapping is read, so that it has to fit.
            c['const'] = self.pick(*CONSTANTS.get(base, ['1']))
            c.pop('parse', None)
            c.pop('zone', None)
            is_payload = False
        elif kind == 4 and self.decoder == 'json' and (not self.loops or self.loops[-1][1] is not None):
            (self.loops[-1][1] if self.loops else self.document).member(name).texts.append(make)
        else:
            c['from'] = self.payload_path(make)
        if not type_.endswith('[]') and base not in ('jsonb', 'json') and 'const' not in c:
            self.steps(c, base)
        elif self.often(0.1):
            c['when'] = self.when(1)
        if self.often(0.1):
            c['on_error'] = self.pick('dead_letter', 'set_null', 'skip_row')
        if self.often(0.12) and 'default' not in c and type_ in DEFAULTS:
            c['default'] = self.pick(*DEFAULTS[type_])
        if not_null and c.get('on_error') == 'set_null' and 'default' not in c:
            not_null = False
        # What is not of the payload never makes a row worth keeping; the other reading lets an error of it do so.
        if not is_payload and self.policy == 'set_null' and 'on_error' not in c:
            c['on_error'] = self.pick('dead_letter', 'skip_row')
        if not is_payload and c.get('on_error') == 'set_null':
            c['on_error'] = 'dead_letter'
        if not_null:
            if self.often(0.5):
                c['not_null'] = 'true'
            else:
                c['type'] += ' not null'
        return self.short(c)

    def is_payload(self, path):
        return path.split('.')[0] in ['$', 'payload', 'line', 'g', 'l', 'i', 'j', 'item', 'e', 'record', 'metric'] and '@' not in path.split('.')[0]

    def short(self, c):
        if set(c) <= {'type', 'from'} and not isinstance(c.get('from'), list) and self.often(0.6):
            return c['type'] + (' from ' + c['from'] if 'from' in c else '')
        return c

    def value_of(self, c, base):
        """Chooses how a type is written, and what makes such values as JSON text."""
        r = self.r
        q = values.quoted
        if base in NUMERIC:
            parse = self.pick(None, None, None, None, None, 'decimal_comma', 'hex', 'ddmm')
            if parse:
                c['parse'] = parse
            if parse == 'decimal_comma':
                return lambda r: q(r, r.choice(['1,5', '-0,25', '1.234,5', '12', '1.5', '1,2,3', '-1.000.000,75', ' 7,5 ', values.number(r)]))
            if parse == 'hex':
                return lambda r: q(r, r.choice(['ff', '0x1F', '-7f', 'FFFF', '0', '80000000', 'xyz', ' 1a ', '7fffffffffffffff', f'{r.randrange(1 << 20):x}']))
            if parse == 'ddmm':
                return lambda r: r.choice(['4807.038', '01131.000', '-3351.5', '0', '59.99', '12311.12345', '100', 'x'])if r.random() < 0 else q(
                    r, r.choice(['4807.038', '01131.000', '-3351.5', '0', '59.99', '12311.12345', '100', 'x', f'{r.uniform(0, 18000):.4f}']))
            return lambda r: values.number(r) if r.random() < 0.8 else q(r, r.choice([values.number(r), ' 12 ', '+5', '.5', '5.', 'nan', '', '1e3']))
        if base == 'timestamptz':
            return self.time_of(c)
        if base in ('boolean', 'bool'):
            return lambda r: r.choice(['true', 'false', 'true', '1', '0', '"on"', '"OFF"', '"Yes"', '"n"', '"t"', '" f "', '"maybe"', '2', '1.0'])
        if base == 'uuid':
            return lambda r: q(r, r.choice([
                'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc999c0b4ef8bb6d6bb9bd380a11',
                '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1', '00000000-0000-0000-0000-000000000000', 'no']))
        if base == 'bytea':
            parse = self.pick(None, 'hex', 'base64')
            if parse:
                c['parse'] = parse
            if parse == 'hex':
                return lambda r: q(r, r.choice(['00ff10', 'DEADBEEF', '', 'abc', 'zz', '0a']))
            if parse == 'base64':
                return lambda r: q(r, r.choice(['AAEC', '/+8=', 'aGVsbG8=', '', 'QQ==']))
            return lambda r: q(r, r.choice(values.TEXTS))
        if base in ('jsonb', 'json'):
            if self.often(0.2):
                c['parse'] = 'json'
                return lambda r: q(r, r.choice(['{"a":1}', '[1,2.50,null]', '"x"', '1e3', '{', '', 'true', ' {"a":{"b":[]}} ', '{"a":1,"a":2}']))
            return self.junk
        return lambda r: q(r, r.choice(values.TEXTS)) if r.random() < 0.8 else r.choice([values.number(r), 'true', 'false'])

    def time_of(self, c):
        r = self.r
        q = values.quoted
        parse = self.pick(None, None, 'rfc3339', 'unix', 'unix_ms', 'unix_us', 'unix_ns', 'unix_auto', 'pattern', 'pattern')
        if parse is None or parse == 'rfc3339':
            if parse:
                c['parse'] = parse
            if self.often(0.5):
                c['zone'] = self.pick(*values.ZONES)
            return lambda r: q(r, r.choice(['not a time', '2024-01-01', '2024-1-1 0:00:00', '']) if r.random() < 0.04
                               else values.rfc3339(r, with_offset=r.random() < 0.5))
        if parse == 'pattern':
            shape = self.pick(*values.PATTERNS)
            c['parse'] = shape
            c['zone'] = self.pick(*values.ZONES)
            return lambda r: q(r, 'wrong' if r.random() < 0.04 else values.pattern(r, values.local_time(r), shape))
        c['parse'] = parse
        unit = lambda r: r.choice(['unix', 'unix_ms', 'unix_us', 'unix_ns']) if parse == 'unix_auto' else parse
        return lambda r: (lambda t: q(r, t) if r.random() < 0.1 else t)(values.unix(r, unit(r)))

    def steps(self, c, base):
        r = self.r
        text = lambda r: r.choice(values.TEXTS)
        if self.often(0.12):
            c['when'] = self.when(1)
        if self.often(0.1):
            c['is'] = self.pick(self.pick(*KINDS), r.sample(KINDS, 2))
        if self.often(0.12):
            c['trim'] = self.pick('true', 'false')
        if self.often(0.15):
            c['null_if'] = self.pick('-999', 'nan', ['0', '', '-999'], ['nan', 'OPEN'], '1.0', '', ['true', '21.5'])
        if self.often(0.12):
            if base in NUMERIC:
                c['map'] = self.pick({'0': '10', '1': '20', '-999': NULL}, {'OPEN': '1', 'CLOSED': '0'}, {'1': '2'})
            elif base in ('boolean', 'bool'):
                c['map'] = {'OPEN': 'true', 'CLOSED': 'false', '0': 'no', '1': NULL}
            elif base == 'text':
                c['map'] = {'0': 'off', '1': 'auto', 'abc': 'ABC', 'true': 'yes', '': 'empty', 'größe': NULL}
            if 'map' in c and self.often(0.7):
                c['map_else'] = self.pick('other', NULL, '7') if base == 'text' else self.pick('1', NULL)
        if base in NUMERIC and ('map' not in c or base in ('real', 'double precision', 'float8', 'numeric')):
            if self.often(0.2):
                c['scale'] = self.pick('0.1', '100', '-1', '0.001', '1e3', '2.5', '0')
            if self.often(0.15):
                c['offset'] = self.pick('-40', '0.5', '1000', '-0.001')
            if self.often(0.15):
                a, b = r.sample(self.pick(*UNITS), 2)
                c['convert'] = f'{a} to {b}'
            if self.often(0.08):
                c['sign'] = {'from': self.payload_path(lambda r: r.choice(['"N"', '"S"', '"W"', '"E"', '1', '-1'])), 'negative': ['S', 'W', '-1']}
            if self.often(0.12):
                c['min'] = self.pick('-100', '0', '0.5', '-1e3')
            if self.often(0.12):
                c['max'] = self.pick('100', '1e6', '99.5', '32767')
        if base == 'timestamptz':
            if self.often(0.2):
                c['plus'] = {'from': self.pick(self.other_index(), self.payload_path(values.number))}
                if self.often(0.6):
                    c['plus']['times'] = self.pick('20 ms', '1 s', '1 us', '0.5 s', '1 min', '2 h', '1ns', '250 ns')
                if self.often(0.2):
                    c['plus']['by'] = self.payload_path(lambda r: r.choice(['1', '2', '0.5', '-1', '"3"', 'null']))
            if self.often(0.15):
                c['min'] = self.pick('2020-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2000-06-01T12:00:00+02:00')
            if self.often(0.15):
                c['max'] = self.pick('+1 d', '+10 min', '2030-01-01T00:00:00Z')

    def other_index(self):
        variables = [v for v, _ in self.loops]
        return f'{self.pick(*variables)}@index' if variables else 'mqtt.qos'

    # Decoders

    def decode(self, tree):
        r = self.r
        if self.decoder == 'json':
            if self.often(0.3):
                tree['decode'] = self.pick('json', {'json': {'lines': 'false'}})
        elif self.decoder == 'lines':
            tree['decode'] = {'json': {'lines': 'true'}}
        elif self.decoder in ('text', 'bytes', 'senml', 'sparkplug'):
            tree['decode'] = self.decoder
            if self.decoder == 'sparkplug':
                self.loops = [('metric', None)]
            if self.decoder == 'senml':
                self.loops = [('record', None)]
        elif self.decoder == 'csv':
            self.csv = o = {}
            self.delimiter = self.pick(',', ';', 'tab', '|')
            if self.delimiter != ',' or self.often(0.3):
                o['delimiter'] = self.delimiter
            self.header = self.pick('none', 'none', 'first_line', 'list')
            self.cell_names = ['0', '1', '2', '3', '-'][:r.randrange(2, 6)]
            if self.header == 'list':
                o['header'] = r.sample(['time', 'temp', 'hum', 'x y', 'v'], 3)
                self.cell_names += o['header']
            elif self.header == 'first_line':
                o['header'] = 'first_line'
                self.names = r.sample(['time', 'temp', 'hum', 'x y', 'v', 'temp'], 4)
                self.cell_names += self.names
            if self.often(0.2):
                o['decimal'] = self.pick('.', ',')
            if self.often(0.2):
                o['quote'] = "'"
            if self.often(0.2):
                o['comment'] = '#'
            if self.often(0.2):
                o['skip_lines'] = self.pick('1', '2', '0')
            if self.often(0.2):
                o['pairs_from'] = self.pick('1', '2')
                self.cell_names += ['p1', 'p2']
            self.cell_names = [n for n in self.cell_names if n != '-']
            tree['decode'] = {'csv': o} if o else 'csv'
            self.loops = [('line', None)]
        else:
            self.binary(tree)

    def binary(self, tree):
        r = self.r
        self.listed = False
        sizes = {'u8': 1, 'i8': 1, 'u16': 2, 'i16': 2, 'u24': 3, 'i24': 3, 'u32': 4, 'i32': 4, 'f32': 4, 'u64': 8, 'i64': 8, 'f64': 8}

        def fields(prefix, room, count):
            out = {}
            for index in range(count):
                t = self.pick(*sizes, 'bcd', 'text', 'bytes')
                size = sizes.get(t) or r.randrange(1, 5)
                if size > room:
                    continue
                at = r.randrange(room - size + 1)
                f = {'type': t, 'at': str(at)}
                if t not in sizes:
                    f['size'] = str(size)
                if prefix == 'f' and self.often(0.1):
                    f['at'] = str(-r.randrange(size, size + 3))
                if t[0] in 'ui' and self.often(0.25):
                    low = r.randrange(size * 8)
                    high = r.randrange(low, size * 8)
                    f['bits'] = f'{low}..{high}' if self.often(0.7) else str(low)
                if self.often(0.25) and size in (2, 4) and t in sizes:
                    f['order'] = self.pick('ab', 'ba') if size == 2 else self.pick('abcd', 'dcba', 'badc', 'cdab')
                out[f'{prefix}{index}'] = f'{t} at {f["at"]}' if set(f) == {'type', 'at'} and self.often(0.7) else f
            return out or {f'{prefix}0': 'u8 at 0'}

        self.head = r.randrange(4, 13)
        o = {}
        if self.often(0.5):
            o['endian'] = self.pick('big', 'little')
        o['fields'] = fields('f', self.head, r.randrange(1, 6))
        o['fields']['n'] = 'u8 at 0'
        self.fields['$'] = o['fields']
        self.groups = self.often(0.6)
        self.every = r.randrange(2, 9)
        self.count = None
        if self.groups:
            self.count = self.pick('to_end', '$.n', str(r.randrange(4)), None)
            group = {'at': str(self.head), 'every': str(self.every)}
            if self.count:
                group['count'] = self.count
            group['fields'] = fields('r', self.every, r.randrange(1, 4))
            o['groups'] = {'rec': group}
            self.fields['g'] = group['fields']
        elif self.often(0.2):
            o['length'] = str(self.head)
        self.tags = {}
        if not self.groups and 'length' not in o and self.often(0.5):
            width = self.pick(1, 2)
            for index in range(r.randrange(1, 4)):
                size = r.randrange(1, 7)
                type_ = {'size': str(size), 'fields': fields(f't{index}', size, r.randrange(1, 3))}
                for f in type_['fields'].values():
                    if isinstance(f, dict) and f['at'].startswith('-'):
                        f['at'] = '0'
                if index == 0 and self.often(0.5):
                    type_['list'] = 'rec'
                    self.fields['g'] = type_['fields']
                    self.listed = True
                else:
                    self.fields['$'] = {**self.fields['$'], **type_['fields']}
                self.tags[f'{index + 1:0{width * 2}x}'] = (size, type_)
            o['tagged'] = {'at': str(self.head), 'tag_bytes': str(width), 'types': {tag: t for tag, (_, t) in self.tags.items()}}
        tree['decode'] = {'binary': o}

    # Messages

    def message(self, tree):
        r = self.r
        payload = b'' if self.often(0.04) else self.payload()
        if 'unpack' in tree and payload:
            for step in reversed([tree['unpack']] if isinstance(tree['unpack'], str) else tree['unpack']):
                if step in ('gzip', 'zlib'):
                    payload = payload.encode() if isinstance(payload, str) else payload
                    payload = gzip.compress(payload, mtime=0) if step == 'gzip' else zlib.compress(payload)
                elif step == 'hex':
                    payload = payload.encode() if isinstance(payload, str) else payload
                    payload = self.pick(payload.hex(), payload.hex(' '), payload.hex().upper(), '0x' + payload.hex())
                else:
                    payload = base64.b64encode(payload.encode() if isinstance(payload, str) else payload)
            payload = payload.encode() if isinstance(payload, str) else payload
            if self.often(0.03):
                payload = payload + self.pick(b'g', b'!', b'0')
        out = {
            'topic': self.pick(*self.topic_names) if self.often(0.1) else self.pick(*self.good_topics), 'payload': payload.hex(),
            'received': self.pick(1704067200000000, 1704067200123456, 1730000000500000, 951782400000000),
        }
        if self.often(0.3):
            out['qos'] = self.pick(0, 1, 2)
        if self.often(0.1):
            out['retain'] = True
        if self.often(0.2):
            out['content_type'] = self.pick('application/json', 'x')
        if self.often(0.2):
            out['user'] = {'k': self.pick('v', '42', 'größe')}
        return out

    def payload(self):
        r = self.r
        if self.decoder in ('json', 'lines'):
            writer = Writer(r, calm=self.often(0.4))
            if self.decoder == 'lines':
                lines = [writer.object(self.document).replace('\n', ' ') for _ in range(r.randrange(1, 4))]
                text = ''.join(line + self.pick('\n', '\n', '\r\n', '\n\n') for line in lines)
            else:
                text = writer.text(self.document) if self.often(0.05) else writer.object(self.document)
            if self.often(0.02):
                text = damaged(r, text)
            return text.encode('utf-8')
        if self.decoder == 'senml':
            return self.senml().encode('utf-8')
        if self.decoder == 'sparkplug':
            return self.sparkplug()
        if self.decoder == 'csv':
            return self.csv_text().encode('utf-8')
        if self.decoder in ('text', 'bytes'):
            text = self.cell(self.pick(*self.cells)[1]) if self.cells else 'x'
            data = text.encode('utf-8') or b'x'
            return data + bytes([r.randrange(256)]) if self.often(0.05) else data
        return self.record()

    def sparkplug(self):
        """Data with names and datatypes, which need no birth certificate."""
        r = self.r

        def varint(n):
            out = b''
            while n > 127:
                out += bytes([n & 127 | 128])
                n >>= 7
            return out + bytes([n])

        def number(field, n):
            return varint(field << 3) + varint(n)

        def bytes_(field, data):
            return varint(field << 3 | 2) + varint(len(data)) + data

        payload = number(1, r.choice([1700000000123, 0, 1704067200000])) if self.often(0.9) else b''
        for _ in range(r.randrange(4)):
            type_ = r.randrange(1, 15)
            metric = bytes_(1, r.choice(['temp', 'Node Control/Rebirth', 'größe', 'a.b', '1']).encode())
            if self.often(0.3):
                metric += number(2, r.randrange(300))
            if self.often(0.6):
                metric += number(3, r.choice([1700000000456, 1]))
            metric += number(4, type_)
            if self.often(0.2):
                metric += number(5, r.randrange(2))
            bits = {1: 8, 2: 16, 3: 32, 4: 64, 5: 8, 6: 16, 7: 32, 8: 64, 13: 64}.get(type_)
            if self.often(0.1):
                metric += number(7, 1)
            elif self.often(0.05):
                pass
            elif bits:
                low, high = (-(1 << bits - 1), 1 << bits - 1) if type_ < 5 else (0, 1 << (bits if type_ < 9 else 42))
                value = r.choice([0, 1, low, high - 1, r.randrange(low, high)])
                metric += number(11, value % (1 << 64)) if bits == 64 else number(10, value % (1 << 32))
            elif type_ == 9:
                metric += varint(12 << 3 | 5) + struct.pack('<f', r.choice([21.5, -0.25, 0.0, 1024.0]))
            elif type_ == 10:
                metric += varint(13 << 3 | 1) + struct.pack('<d', r.choice([21.5, 0.1, -1e-7, 1e16, 123456.789]))
            elif type_ == 11:
                metric += number(14, r.randrange(2))
            else:
                metric += bytes_(15, r.choice(['on', '', '21.5', 'größe', ' 7 ']).encode())
            payload += bytes_(2, metric)
        if self.often(0.9):
            payload += number(3, r.randrange(256))
        return payload[:-1] if self.often(0.02) else payload

    def senml(self):
        """RFC 8428: base values that hold for the records behind them."""
        r = self.r
        times = ['0', '1', '-5', '1.5', '1700000000', '1.7e9', '268435455', '268435456', '-120']
        numbers = ['21.5', '0', '-1', '100', '0.001', '120']
        choices = {
            'bn': ['"urn:dev:ow:10e2073a01080063:"', '"room/"'], 'bt': times, 'bu': ['"Cel"', '"%RH"'], 'bv': numbers, 'bs': numbers, 'bver': ['10'],
            'n': ['"temp"', '"hum"', '"a-1.b"'], 'u': ['"Cel"', '"lat"', '"V"'], 't': times, 'ut': ['10'], 's': numbers,
        }
        bodies = {'v': numbers, 'vs': ['"on"', '"x"', '""'], 'vb': ['true', 'false'], 'vd': ['"aGk"']}
        records = []
        for index in range(r.randrange(1, 5)):
            names = [n for n in ('bn', 'bt', 'bu', 'bver') if r.random() < (0.4 if index == 0 else 0.08)]
            names += [n for n in ('bv', 'bs') if r.random() < 0.03]
            names += [n for n in ('n', 'u', 't', 's') if r.random() < (0.95 if n == 'n' else 0.5)]
            body = r.choice(list(bodies)) if r.random() < 0.85 else None
            members = [f'"{n}":{r.choice(choices[n])}' for n in names] + ([f'"{body}":{r.choice(bodies[body])}'] if body else [])
            r.shuffle(members)
            records.append('{' + ','.join(members) + '}')
        return '[' + ','.join(records) + ']'

    def cell(self, make):
        """A value as text: without the quotes of JSON."""
        text = make(self.r)
        return json.loads(text) if text.startswith('"') else text

    def csv_text(self):
        r = self.r
        d = {'tab': '\t'}.get(self.delimiter, self.delimiter)
        quote = self.csv.get('quote', '"')

        def written(cell):
            # The other reading takes lines apart before cells.
            cell = ''.join(c for c in cell if c not in '\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029')
            if d in cell or cell.startswith(quote) or self.often(0.1):
                return quote + cell.replace(quote, quote * 2) + quote
            return self.pick('', '', '', ' ') + cell

        lines = []
        for _ in range(int(self.csv.get('skip_lines', 0))):
            lines.append('skipped' + d + '1')
        if self.header == 'first_line':
            lines.append(d.join(map(written, self.names)))
        columns = self.csv.get('header') if self.header == 'list' else getattr(self, 'names', [])
        for _ in range(r.randrange(5)):
            if self.often(0.1):
                lines.append(self.pick('', '  ', *(['# note'] if 'comment' in self.csv else [])))
                continue
            cells = []
            for index in range(r.randrange(1, 7)):
                names = {str(index)} | ({columns[index]} if index < len(columns) else set())
                makes = [make for path, make in self.cells if path in names] or [make for _, make in self.cells]
                cells.append(self.cell(self.pick(*makes)) if makes and not self.often(0.05) else self.pick('', 'x', '7'))
            if 'pairs_from' in self.csv:
                first = int(self.csv['pairs_from'])
                for place in range(first, len(cells), 2):
                    if self.often(0.8):
                        cells[place] = self.pick('p1', 'p2', 'p3')
            lines.append(d.join(map(written, cells)))
        return self.pick('\n', '\r\n').join(lines) + self.pick('', '\n')

    def record(self):
        r = self.r
        records = r.randrange(4)
        data = bytearray(r.randrange(256) if r.random() < 0.7 else self.pick(0, 0x31, 0x99, 0xff, 0x41) for _ in range(self.head + (records * self.every if self.groups else 0)))
        for root, fields in self.fields.items():
            for f in fields.values():
                t, at = (f.split(' at ') if isinstance(f, str) else (f['type'], f['at']))
                at = int(at)
                if t not in ('f32', 'f64') or at < 0 or self.often(0.1):
                    continue
                raw = struct.pack('<f' if t == 'f32' else '<d', self.pick(21.5, -0.1, 1e-5, 1e10, 0.0, 1e16, 123456.789))
                raw = raw if self.often(0.5) else raw[::-1]
                for index in range(records if root == 'g' else 1):
                    start = at + (self.head + index * self.every if root == 'g' else 0)
                    if start + len(raw) <= len(data):
                        data[start:start + len(raw)] = raw
        if self.tags and not self.groups:
            for _ in range(r.randrange(5)):
                tag = self.pick(*self.tags) if self.often(0.97) else 'ff' * (len(next(iter(self.tags))) // 2)
                data += bytes.fromhex(tag) + bytes(r.randrange(256) for _ in range(self.tags.get(tag, (2, None))[0]))
        if self.count == '$.n' and self.often(0.9):
            data[0] = records
        if self.often(0.05):
            data = data[:r.randrange(1, len(data))]
        elif self.often(0.05):
            data += bytes(r.randrange(1, 4))
        return bytes(data)


CONSTANTS = {
    'smallint': ['1', '-7'], 'integer': ['1', '2147483647'], 'int4': ['0'], 'bigint': ['1', '9223372036854775807'], 'real': ['21.5'], 'float8': ['1e3'],
    'double precision': ['0.1'], 'numeric': ['1.50', '12345678901234567890.5'], 'numeric(6,2)': ['21.5'], 'boolean': ['true', 'off'], 'bool': ['1'],
    'text': ['abc', '', 'null', '1'], 'varchar(5)': ['abc', 'größe'], 'timestamptz': ['2024-01-01T00:00:00Z'], 'bytea': ['abc'],
    'uuid': ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
}
DEFAULTS = {
    'smallint': ['0', '-1'], 'integer': ['0', '7'], 'bigint': ['9223372036854775807'], 'real': ['0.5'], 'double precision': ['1e3', '0.1'], 'numeric': ['1.50'],
    'text': ['none', '', 'null'], 'boolean': ['false', 'yes'], 'timestamptz': ['received', '2000-01-01T00:00:00Z'], 'numeric(6,2)': ['1.25'],
}

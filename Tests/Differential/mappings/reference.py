"""The other reading: a reference reader in Python, with what it leaves to its caller.

The reader is not part of this repository; it is loaded from a file. It is exact about the rules of a mapping, and leaves out what comes from
PostgreSQL's types and from the precision of its numbers. That is added here:

- decimals have 80 digits, and a result is whole when it is so to 60 of them: 68 degF are 20 degC;
- text that is no uuid, holds a NUL character, is too long for a varchar, or a number too large for a numeric(p,s) is an error, as PostgreSQL would say, and a numeric(p,s)
  is rounded as it does;
- resolved numbers of SenML are written plainly;
- a float of 32 bits is the number of its shortest text, 24.1, and not the double of the same value;
- hexadecimal digits may stand apart, base64 may be unpadded and of either alphabet, and neither holds anything else;
- elements of arrays are brought into their type as single values are, and may be null;
- a test of a block that names two loops, as `$.q.{i@index}`, is applied where both are known;
- `topic` alone is a text for every type and test, and a time as text has as many digits as it needs;
- what ends a conversion or a test in an exception of Python is an error of the value, or a test that does not hold.
"""
import base64, datetime, decimal, importlib.util, json, re, struct, sys, uuid

decimal.getcontext().prec = 80
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Base64:
    b64encode = staticmethod(base64.b64encode)

    @staticmethod
    def b64decode(data):
        data = data.encode() if isinstance(data, str) else data
        digits = re.sub(rb'[ \t\n\v\f\r]', b'', data)
        digits = re.sub(rb'=+$', b'', digits).translate(bytes.maketrans(b'-_', b'+/'))
        if not re.fullmatch(rb'[A-Za-z0-9+/]*', digits) or len(digits) % 4 == 1:
            raise ValueError('no base64')
        return base64.b64decode(digits + b'=' * (-len(digits) % 4))


class Hex:
    Error = ValueError

    @staticmethod
    def unhexlify(data):
        data = data.decode() if isinstance(data, bytes) else data
        digits, place = '', 0
        while place < len(data):
            if data[place] == '0' and len(digits) % 2 == 0 and data[place + 1:place + 2] in ('x', 'X'):
                place += 1
            elif data[place] in '0123456789abcdefABCDEF':
                digits += data[place]
            elif data[place] not in ' \t\n\v\f\r:-':
                raise ValueError('no hexadecimal digit')
            place += 1
        return bytes.fromhex(digits)


class Reference:
    def __init__(self, path):
        spec = importlib.util.spec_from_file_location('mapref', path)
        self.m = m = importlib.util.module_from_spec(spec)
        # The file is read only: nothing is written beside it.
        sys.dont_write_bytecode = True
        spec.loader.exec_module(m)
        m.base64, m.binascii = Base64, Hex
        typed, finish, test = m.typed, m.finish, m.test

        def typed_too(v, ty, c, dec_comma):
            try:
                if ty.endswith('[]'):
                    if not isinstance(v, list):
                        raise m.Err('not an array')
                    return [None if x is None else finished(typed_too(x, ty[:-2], c, dec_comma), ty[:-2]) for x in v]
                out = typed(v.full if isinstance(v, m.TopicObj) else v, ty, c, dec_comma)
                if '\0' in (str(out) if ty in ('text', 'jsonb', 'json') or ty.startswith('varchar') else '') or "\\x00" in repr(out) * (ty in ('jsonb', 'json')):
                    raise m.Err('holds a NUL character')
                if ty == 'uuid':
                    uuid.UUID(out.strip())
                if ty.startswith('varchar(') and len(out) > int(ty[8:-1]):
                    raise m.Err('too long')
                return out
            except m.Err:
                raise
            except Exception as x:
                raise m.Err(f'{type(x).__name__}: {x}')

        def finished(v, ty):
            return finish_too(v, ty) if isinstance(v, decimal.Decimal) else v

        def finish_too(d, ty):
            if not isinstance(d, decimal.Decimal):
                return d
            d = decimal.Context(prec=60).plus(d)
            if ty.startswith('numeric('):
                p, _, s = ty[8:-1].partition(',')
                rounded = d.quantize(decimal.Decimal(1).scaleb(-int(s or 0)), rounding=decimal.ROUND_HALF_UP)
                if abs(rounded) >= decimal.Decimal(10) ** (int(p) - int(s or 0)):
                    raise m.Err(f'{d} is out of range for {ty}')
                d = rounded
            try:
                out = finish(d, ty)
            except ArithmeticError as x:
                raise m.Err(f'{d} is out of range: {x}')
            if ty in m.FLT:
                limit = single(out) if ty == 'real' else out
                if limit in (float('inf'), float('-inf')):
                    raise m.Err(f'{d} is out of range for {ty}')
                # Rounded once.
                return Single(d) if ty == 'real' else out
            return out

        def test_too(v, t):
            try:
                return test(v.full if isinstance(v, m.TopicObj) else v, t)
            except (decimal.InvalidOperation, m.Err):
                return False

        text = m.text

        def text_too(v):
            try:
                return text(v)
            except UnicodeDecodeError as x:
                raise m.Err(f'the bytes are no text: {x}')

        column = m.column

        def column_too(*arguments):
            try:
                return column(*arguments)
            except (ArithmeticError, TypeError, ValueError) as x:
                raise m.Err(f'{type(x).__name__}: {x}')

        dsenml = m.dsenml

        def dsenml_too(b, o, received):
            out = dsenml(b, o, received)
            for record in out:
                record.p = [(k, m.Num(f'{decimal.Decimal(v).normalize():f}') if k in ('t', 'v', 's') and isinstance(v, m.Num) else v) for k, v in record.p]
            return out

        m.dsenml = dsenml_too
        bfield = m.bfield

        def bfield_too(b, spec, endian):
            out = bfield(b, spec, endian)
            is_single = spec.startswith('f32 ') if isinstance(spec, str) else spec['type'] == 'f32'
            return m.Num(shortest(float(out))) if is_single else out

        m.bfield = bfield_too

        def when_too(w, env, only=None):
            for path, t in (w or {}).items():
                loops = {m.root_of(path).partition('@')[0], *re.findall(r'\{(\w+)@', path)}
                if only is not None and (not loops & set(only) or not loops <= set(env)):
                    continue
                if not m.test(m.src(path, env)[0], t):
                    return False
            return True

        kind, iso = m.kind, m.iso
        plain = m.plain

        def plain_too(v):
            if isinstance(v, datetime.datetime):
                return m.iso(v)
            # No number of JSON.
            return None if isinstance(v, m.Num) and v in ('nan', 'inf', '-inf') else plain(v)

        m.plain = plain_too
        m.kind = lambda v: 'string' if isinstance(v, m.TopicObj) else kind(v)
        m.iso = lambda d: re.sub(r'\.?0*Z$', 'Z', iso(d))
        m.typed, m.finish, m.test, m.text, m.when, m.column = typed_too, finish_too, test_too, text_too, when_too, column_too

    def mapping(self, text):
        import yaml
        mp = self.m.node(yaml.compose(text, Loader=yaml.BaseLoader))
        self.m.strict(mp, self.m.TOP, 'mapping')
        return mp

    def answer(self, mapping, message):
        """('letter', column, reason) or ('rows', {table: [{column: (value, type)}]}) or ('exception', None, text)"""
        test = {
            'topic': message['topic'], 'payload_hex': message['payload'],
            'received': (EPOCH + datetime.timedelta(microseconds=message['received'])).strftime('%Y-%m-%dT%H:%M:%S.%fZ'),
            'mqtt': {'qos': str(message.get('qos', 0)), 'retain': 'true' if message.get('retain') else 'false'},
        }
        for key in ('content_type', 'user'):
            if key in message:
                test['mqtt'][key] = message[key]
        try:
            status, tables = self.m.run(mapping, test)
            return 'rows', tables
        except self.m.Err as x:
            column = re.match(r"column '([^']*)'", str(x))
            return 'letter', column and column[1], str(x)
        except RecursionError:
            raise
        except Exception as x:
            return 'exception', None, f'{type(x).__name__}: {x}'


class Single:
    """A number that becomes the nearest float of 32 bits."""

    def __init__(self, d):
        self.d = d

    def bits(self):
        return single_bits(self.d)


def shortest(x):
    """The fewest digits that read back as the same float of 32 bits."""
    if x != x or x in (float('inf'), float('-inf')):
        return repr(x)
    for digits in range(1, 10):
        text = f'{x:.{digits - 1}e}'
        if struct.pack('>f', single(float(text))) == struct.pack('>f', x):
            # As it is written from 2^24 on, where whole numbers are no longer all there.
            return text if abs(x) >= 1 << 24 else repr(float(text))
    return repr(x)


def single(x):
    try:
        return struct.unpack('>f', struct.pack('>f', x))[0]
    except OverflowError:
        return float('inf') if x > 0 else float('-inf')


def single_bits(d):
    """The nearest float, ties to even, from the decimal itself: by way of a double it would be rounded twice."""
    x = single(float(d))
    bits = struct.unpack('>I', struct.pack('>f', x))[0]
    exact = decimal.Context(prec=200)
    best = None
    for near in (bits - 1, bits, bits + 1):
        if not 0 <= near < 2 ** 32:
            continue
        y = struct.unpack('>f', struct.pack('>I', near))[0]
        if y != y or y in (float('inf'), float('-inf')):
            continue
        distance = abs(exact.subtract(decimal.Decimal(y), d))
        if best is None or distance < best[0] or (distance == best[0] and near % 2 == 0):
            best = (distance, near)
    return best[1]


def same(ours, value, type_, is_rounded):
    """Whether a field of ours is the value of the reference."""
    if value is None or ours is None:
        return value is None and ours is None
    if isinstance(value, tuple):
        if not isinstance(ours, str) or not ours.startswith('json:'):
            return False
        return json.loads(ours[5:]) == value[1] and kinds(json.loads(ours[5:])) == kinds(value[1])
    if isinstance(value, list):
        return isinstance(ours, list) and len(ours) == len(value) and all(same(a, b, type_[:-2], is_rounded) for a, b in zip(ours, value))
    if not isinstance(ours, str):
        return False
    kind, _, text = ours.partition(':')
    if isinstance(value, bool):
        return ours == ('boolean:true' if value else 'boolean:false')
    if isinstance(value, datetime.datetime):
        return ours == f'time:{(value - EPOCH) // datetime.timedelta(microseconds=1)}'
    if isinstance(value, bytes):
        return ours == 'bytes:' + value.hex()
    if isinstance(value, Single):
        # PostgreSQL and we keep the sign of a zero; a decimal 0 may have lost it on the way.
        return kind == 'real' and (int(text, 16) == value.bits() or (value.d == 0 and int(text, 16) in (0, 1 << 31)))
    if isinstance(value, float):
        return kind == 'double' and (struct.unpack('>Q', struct.pack('>d', value))[0] == int(text, 16) or (value == 0 and int(text, 16) in (0, 1 << 63)))
    if isinstance(value, int):
        return ours == f'integer:{value}'
    if isinstance(value, decimal.Decimal):
        if kind != 'numeric':
            return False
        digits = decimal.Context(prec=25) if is_rounded else decimal.Context(prec=300)
        return digits.plus(decimal.Decimal(text)) == digits.plus(value)
    if type_ == 'uuid':
        return kind == 'text' and uuid.UUID(text) == uuid.UUID(value.strip())
    return ours == 'text:' + str(value)


def kinds(value):
    """True and 1 are equal to Python."""
    if isinstance(value, dict):
        return {k: kinds(v) for k, v in value.items()}
    if isinstance(value, list):
        return [kinds(v) for v in value]
    return 'number' if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__

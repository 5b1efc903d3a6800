"""Values as devices write them: good ones for each type, and those at its edges."""
import json

ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/Sao_Paulo', 'UTC', 'Africa/Cairo', 'Europe/Dublin']
# Around the hours that a zone has twice or not at all.
LOCAL = [
    '2024-10-27 01:59:59', '2024-10-27 02:00:00', '2024-10-27 02:30:00', '2024-10-27 03:00:00', '2024-03-31 01:59:59', '2024-03-31 02:00:00',
    '2024-03-31 02:30:00', '2024-03-31 03:00:00', '2024-11-03 01:30:00', '2024-03-10 02:30:00', '2024-04-07 01:45:00', '2024-10-06 02:15:00',
    '2018-11-04 00:30:00', '2018-02-17 23:30:00', '2024-02-29 12:00:00', '1999-12-31 23:59:59', '1970-01-01 00:00:00', '2038-01-19 03:14:08',
    '2024-04-26 00:30:00', '2050-07-01 12:00:00', '2050-10-30 02:30:00', '1985-09-29 02:30:00', '2024-02-30 00:00:00', '2023-02-29 00:00:00',
    '2024-01-01 24:00:00', '2024-06-30 23:59:60', '2024-13-01 00:00:00', '2024-00-10 00:00:00', '0001-01-02 00:00:00', '9999-12-30 23:59:59',
]
TEXTS = [
    'abc', 'on', 'off', 'OPEN', 'CLOSED', 'x y', ' padded ', '', 'größe', '温度', '😀', '-', 'null', 'nan', 'true', 'FALSE', 'yes', 'n', '0', '1', '1.0', '-999',
    '21.5', ' 7 ', '+7', '.5', '5.', '1e3', '0755', '12:30', "it's", 'say "hi"', 'back\\slash', 'a/b', 'tab\there', 'line\nbreak', '1,5', '1.234,5', '#1',
]
NUMBERS = [
    '0', '1', '-1', '7', '42', '23.0', '23.5', '-0', '-0.0', '0.1', '-999', '1e3', '1E-3', '2300e-2', '32767', '32768', '-32768', '-32769', '2147483647',
    '2147483648', '-2147483648', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '9007199254740993', '16777217', '0.30000000000000004',
    '1.7976931348623157e308', '5e-324', '3.4028235e38', '1e-45', '123456789.123456789', '99999.5', '0.000001', '1234567890123456789012345678', '1e20', '12.345',
    '1.005', '100', '255', '1700000000', '1700000000123', '1.5', '2.5', '1e-7', '4.75', '-40', '37.77777',
]


def number(r):
    kind = r.randrange(6)
    if kind < 2:
        return r.choice(NUMBERS)
    if kind == 2:
        return str(r.randrange(-200, 200))
    if kind == 3:
        return f'{r.uniform(-100, 100):.{r.randrange(1, 6)}f}'
    if kind == 4:
        return str(r.randrange(-2 ** r.randrange(1, 70), 2 ** r.randrange(1, 70)))
    return f'{r.randrange(-9999, 9999)}e{r.randrange(-6, 7)}'


def local_time(r):
    if r.random() < 0.6:
        return r.choice(LOCAL)
    return (f'{r.randrange(1950, 2045):04}-{r.randrange(1, 13):02}-{r.randrange(1, 29):02} '
            f'{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}')


def fraction(r):
    return r.choice(['', '', '.5', '.25', '.123456', '.1234567', '.9999999', '.000001', '.000'])


def rfc3339(r, with_offset=True):
    text = local_time(r)
    if r.random() < 0.7:
        text = text.replace(' ', 'T')
    offset = r.choice(['Z', 'Z', '+01:00', '-0330', '+14:00', ' +02:00', '-00:00']) if with_offset else ''
    # An offset may lead out of what Python's datetime knows.
    if text[:4] in ('0001', '9999'):
        offset = 'Z' if with_offset else ''
    return text + fraction(r) + offset


def unix(r, unit):
    seconds = r.choice([0, 1, -1, 1700000000, 1700000000, 2147483648, r.randrange(0, 4 * 10 ** 9), 99999999999, -2208988800])
    per = {'unix': 1, 'unix_ms': 1000, 'unix_us': 10 ** 6, 'unix_ns': 10 ** 9}[unit]
    tail = r.choice(['', '', '', '.5', '.25', '.0000005', '.0000015', '.1234565', 'e0'])
    return str(seconds * per + (r.randrange(per) if per > 1 else 0)) + tail


def pattern(r, text, shape):
    """A time written as the shape says."""
    date, clock = text.split(' ')
    y, mo, d = date.split('-')
    h, mi, s = clock.split(':')
    fields = [('yyyy', y), ('yy', y[2:]), ('MM', mo), ('dd', d), ('HH', h), ('mm', mi), ('ss', s)]
    out, i = '', 0
    while i < len(shape):
        for name, value in fields:
            if shape.startswith(name, i):
                out += value
                i += len(name)
                break
        else:
            if shape[i] == 'S':
                while i < len(shape) and shape[i] == 'S':
                    i += 1
                out += r.choice(['5', '25', '123456', '1234567', '0'])
            else:
                out += shape[i]
                i += 1
    return out


PATTERNS = ['yyyy-MM-dd HH:mm:ss', 'dd.MM.yyyy HH:mm', 'yyMMddHHmmss', 'yyyyMMddTHHmmss', 'dd/MM/yy HH:mm:ss.SSS', 'yyyy-MM-dd', 'HH:mm:ss dd.MM.yyyy']


def quoted(r, text):
    """JSON text of a string, now and then with escapes that need not be."""
    out = '"'
    for c in text:
        if c in '"\\' or ord(c) < 0x20:
            out += json.dumps(c)[1:-1]
        elif r.random() < 0.04:
            out += ''.join(f'\\u{int.from_bytes(u, "big"):04{r.choice("xX")}}' for u in units(c))
        else:
            out += c
    return out + '"'


def units(c):
    data = c.encode('utf-16-be')
    return [data[i:i + 2] for i in range(0, len(data), 2)]

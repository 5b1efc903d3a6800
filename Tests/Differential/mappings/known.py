"""Differences in which the other reader is wrong, or says nothing: each with its reason, and counted."""
import base64, gzip, zlib


def letter(ours):
    return ours.get('letter') or ''


def their_letter(theirs):
    return theirs[2] if theirs[0] != 'rows' else ''


def payload(message):
    return bytes.fromhex(message['payload'])


def text(case):
    return case['mapping']


def unpacked(message):
    """What the payload is, or what it stands for."""
    out = [payload(message)]
    for _ in range(2):
        for data in list(out):
            for decode in (lambda d: bytes.fromhex(d.decode().replace('0x', '')), lambda d: base64.b64decode(d + b'==='), gzip.decompress, zlib.decompress):
                try:
                    out.append(decode(data))
                except (ValueError, OSError, EOFError, zlib.error):
                    pass
    return [data.strip() for data in out]


# name, reason, whether it is this difference: of the case, the message, our answer, theirs, and the words for how they differ
KNOWN = [
    ('a leap second', 'it is the first second of the next minute; the other reader refuses it',
     lambda case, message, ours, theirs, reason: any(b':60' in data for data in unpacked(message)) or 'second must be in' in their_letter(theirs)),
    ('white space', 'that of ASCII is taken off the ends of a text; Python knows more of it',
     lambda case, message, ours, theirs, reason: any(c in data for data in unpacked(message) for c in (b'\x1c', b'\x1d', b'\x1e', b'\x1f', b'\xc2\x85', b'\xc2\xa0'))
     and 'is not a' in letter(ours) + their_letter(theirs)),
    ('the local day', 'of a count of units it is that of the zone; the other reader takes the day in UTC',
     lambda case, message, ours, theirs, reason: 'zone:' in text(case) and 'date' in text(case) and 'unix' in text(case)),
    ('a payload of null', 'it is a document like others; the other reader takes it for an empty payload, and loops end',
     lambda case, message, ours, theirs, reason: b'null' in unpacked(message) and 'each' in text(case)),
    ('degrees and minutes', 'a coordinate has at most 20 digits behind the point and is exact to 30',
     lambda case, message, ours, theirs, reason: 'parse: ddmm' in text(case) and (
         'is no coordinate' in letter(ours) or 'is not a whole number' in letter(ours))),
    ('hexadecimal numbers', 'they have 64 bits, and a minus but no plus',
     lambda case, message, ours, theirs, reason: 'parse: hex' in text(case) and 'is not a number' in letter(ours)),
    ('digits of arithmetic', 'scale, offset, convert and limits are exact to 38 digits, and beyond them an error',
     lambda case, message, ours, theirs, reason: 'can keep exact' in letter(ours)),
    ('rest of pairs', 'only the pairs of a line have names; the other reader takes all cells by their places where a line has no pair',
     lambda case, message, ours, theirs, reason: 'pairs_from' in text(case) and 'rest' in text(case) and 'None here' in reason),
    ('a line of tabs', 'where the delimiter is a tab, such a line has cells, as a line of commas has; the other reader takes it for blank',
     lambda case, message, ours, theirs, reason: 'delimiter: tab' in text(case) and 'rows here' in reason),
    ('a record cut off', 'a group has whole records; the other reader asks only for the fields',
     lambda case, message, ours, theirs, reason: 'group rec of' in letter(ours) or 'the record of tag' in letter(ours)),
    ('a record of SenML without a name', 'RFC 8428 §4.5.1: it has to have one',
     lambda case, message, ours, theirs, reason: 'there is no name' in letter(ours)),
    ('bytes behind compressed data', 'they are an error; Python passes them over',
     lambda case, message, ours, theirs, reason: 'behind the end of the data' in letter(ours)),
    ('base values of SenML', 'bv and bs are added to numbers and sums; a record that has another value, or no name, gets none of them',
     lambda case, message, ours, theirs, reason: 'decode: senml' in text(case) and any(b'"bv"' in data or b'"bs"' in data for data in unpacked(message))),
    ('the key of an item', 'of an array it is its place, a number, and equal to one; the other reader takes it for text',
     lambda case, message, ours, theirs, reason: '@key' in text(case)),
    ('far years', 'PostgreSQL has times to the year 294276; Python ends at 9999',
     lambda case, message, ours, theirs, reason: 'timestamptz' in text(case) and 'out of range' in their_letter(theirs)),
    ('an empty object in the rest', 'it was empty before; the other reader takes it away where a path to an element of a list would lead through it',
     lambda case, message, ours, theirs, reason: 'rest' in text(case) and '{}' in str(ours) and "'json:" in reason),
    ('rest of null', 'what is missing and what is null both become NULL; the other reader writes the null of JSON',
     lambda case, message, ours, theirs, reason: "None here, ('json', None) there" in reason and 'rest' in text(case)),
]


def name(case, message, ours, theirs, reason):
    for name, _, holds in KNOWN:
        if holds(case, message, ours, theirs, reason):
            return name
    return None

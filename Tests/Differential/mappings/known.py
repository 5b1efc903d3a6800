"""Differences in which the other reader is wrong, or says nothing: each with its reason, and counted."""
import base64


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
    data = payload(message).strip()
    out = [data]
    for _ in range(2):
        for decode in (lambda d: bytes.fromhex(d.decode().replace('0x', '')), lambda d: base64.b64decode(d + b'===')):
            try:
                out.append(decode(out[-1]))
            except ValueError:
                pass
    return [data.strip() for data in out]


# name, reason, whether it is this difference: of the case, the message, our answer, theirs, and the words for how they differ
KNOWN = [
    ('base64', 'padding may be left out, as RFC 4648 §3.2 lets a format say; a byte beyond the alphabet is an error, where Python passes it over',
     lambda case, message, ours, theirs, reason: 'base64' in text(case) and (
         'padding' in their_letter(theirs) or 'number of data characters' in their_letter(theirs) or 'unexpected byte' in letter(ours)
         or 'does not decode' in letter(ours) or 'bytes:' in reason or "None here, b'" in reason)),
    ('hex with separators', 'digits of a column may stand apart as those of a payload may: spaces, - and : between them, 0x in front',
     lambda case, message, ours, theirs, reason: 'type: bytea, parse: hex' in text(case) and any(c in payload(message).decode('utf-8', 'replace') for c in '-: x')),
    ('a payload of null', 'it is a document like others; the other reader takes it for an empty payload, and loops end',
     lambda case, message, ours, theirs, reason: b'null' in unpacked(message) and 'each' in text(case)),
    ('degrees and minutes', 'a coordinate has at most 20 digits behind the point and is exact to 30; true has no minutes',
     lambda case, message, ours, theirs, reason: 'parse: ddmm' in text(case) and (
         'is no coordinate' in letter(ours) or 'is not a whole number' in letter(ours) or 'mqtt.retain' in text(case))),
    ('hexadecimal numbers', 'they have 64 bits, and a minus but no plus',
     lambda case, message, ours, theirs, reason: 'parse: hex' in text(case) and 'is not a number' in letter(ours)),
    ('digits of arithmetic', 'scale, offset, convert and limits are exact to 38 digits, and beyond them an error',
     lambda case, message, ours, theirs, reason: 'can keep exact' in letter(ours)),
    ('rest of pairs', 'only the pairs of a line have names; the other reader takes all cells by their places where a line has no pair',
     lambda case, message, ours, theirs, reason: 'pairs_from' in text(case) and 'rest' in text(case) and 'None here' in reason),
    ('a record cut off', 'a group has whole records; the other reader asks only for the fields',
     lambda case, message, ours, theirs, reason: 'group rec of' in letter(ours)),
    ('the key of an item', 'of an array it is its place, a number, and equal to one; the other reader takes it for text',
     lambda case, message, ours, theirs, reason: '@key' in text(case) and 'times' in text(case) or 'i@key' in text(case) and '$.list' in text(case)),
    ('rest of null', 'what is missing and what is null both become NULL; the other reader writes the null of JSON',
     lambda case, message, ours, theirs, reason: "None here, ('json', None) there" in reason and 'rest' in text(case)),
]


def name(case, message, ours, theirs, reason):
    for name, _, holds in KNOWN:
        if holds(case, message, ours, theirs, reason):
            return name
    return None

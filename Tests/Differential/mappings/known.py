"""Differences in which the other reader is wrong, or says nothing: each with its reason, and counted."""


def letter(ours):
    return ours.get('letter') or ''


def their_letter(theirs):
    return theirs[2] if theirs[0] != 'rows' else ''


def payload(message):
    return bytes.fromhex(message['payload'])


def text(case):
    return case['mapping']


# name, reason, whether it is this difference: of the case, the message, our answer, theirs, and the words for how they differ
KNOWN = [
    ('base64', 'padding may be left out, as RFC 4648 §3.2 lets a format say; a byte beyond the alphabet is an error, where Python passes it over',
     lambda case, message, ours, theirs, reason: 'base64' in text(case) and (
         'padding' in their_letter(theirs) or 'number of data characters' in their_letter(theirs) or 'unexpected byte' in letter(ours)
         or 'does not decode' in letter(ours) or 'bytes:' in reason)),
    ('hex with separators', 'digits of a column may stand apart as those of a payload may: spaces, - and : between them, 0x in front',
     lambda case, message, ours, theirs, reason: 'parse: hex' in text(case) and 'bytes:' in str(ours)
     and any(c in payload(message).decode('utf-8', 'replace') for c in '-: x')),
    ('a payload of null', 'it is a document like others; the other reader takes it for an empty payload, and loops end',
     lambda case, message, ours, theirs, reason: payload(message).strip() == b'null' and 'each' in text(case)),
    ('degrees and minutes', 'a coordinate has at most 30 digits behind the point and no exponent above 0; more is an error',
     lambda case, message, ours, theirs, reason: 'is no coordinate' in letter(ours)),
    ('digits of arithmetic', 'scale, offset, convert and limits are exact to 38 digits, and beyond them an error',
     lambda case, message, ours, theirs, reason: 'can keep exact' in letter(ours)),
    ('rest of null', 'what is missing and what is null both become NULL; the other reader writes the null of JSON',
     lambda case, message, ours, theirs, reason: "None here, ('json', None) there" in reason and 'rest' in text(case)),
]


def name(case, message, ours, theirs, reason):
    for name, _, holds in KNOWN:
        if holds(case, message, ours, theirs, reason):
            return name
    return None

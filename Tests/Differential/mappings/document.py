"""A document that grows with the paths that a mapping reads, and JSON texts of it with what goes wrong in the field."""
import values


class Place:
    """One place of the document: what may stand there, and what below it."""

    def __init__(self):
        self.texts = []      # each a function of the random source that gives JSON text
        self.members = {}
        self.item = None     # an array's element, or a map's value
        self.is_map = False

    def member(self, name):
        return self.members.setdefault(name, Place())

    def items(self, is_map=False):
        if self.item is None:
            self.item = Place()
            self.is_map = is_map
        return self.item


class Writer:
    def __init__(self, r, calm=False):
        self.r = r
        # How often something is not as the mapping expects it.
        self.rate = 0.01 if calm else r.choice([0.02, 0.06, 0.15])
        self.keys = []

    def chance(self, factor=1.0):
        return self.r.random() < self.rate * factor

    def space(self):
        return self.r.choice([' ', '\n', '\t', '  ']) if self.r.random() < 0.03 else ''

    def text(self, place):
        r = self.r
        if self.chance():
            return self.junk()
        if self.chance():
            return 'null'
        has_below = place.members or place.item
        if place.texts and (not has_below or r.random() < 0.2):
            return r.choice(place.texts)(r)
        if place.item:
            return self.container(place)
        if place.members:
            return self.object(place)
        return self.junk()

    def object(self, place):
        r = self.r
        pairs = []
        for name, below in place.members.items():
            if self.chance(1.5):
                continue
            pairs.append((name, self.text(below)))
            if self.chance(0.7):
                pairs.append((name, self.text(below)))
        for _ in range(r.choice([0, 0, 0, 1, 2])):
            pairs.append((r.choice(['fw', 'sig', 'extra', 'n', 'größe', 'z']), self.junk()))
        if r.random() < 0.3:
            r.shuffle(pairs)
        return self.pairs(pairs)

    def pairs(self, pairs):
        out = [f'{self.space()}{values.quoted(self.r, k)}{self.space()}:{self.space()}{v}{self.space()}' for k, v in pairs]
        return '{' + ','.join(out) + '}'

    def container(self, place):
        r = self.r
        count = r.choice([0, 1, 2, 2, 3, 5])
        if place.is_map or self.chance(0.5):
            keys = [r.choice(['s1', 's2', 'x:0', '0', '1', 'a b', '1700000000', 'größe', 'té"x']) for _ in range(count)]
            return self.pairs([(k, self.text(place.item)) for k in keys])
        return '[' + ','.join(self.space() + self.text(place.item) + self.space() for _ in range(count)) + ']'

    def junk(self):
        r = self.r
        return r.choice([
            lambda: values.number(r), lambda: values.quoted(r, r.choice(values.TEXTS)), lambda: r.choice(['true', 'false', 'null']),
            lambda: r.choice(['{}', '[]', '[1,2]', '{"x":1}', '[null]', '{"x":{"y":[]}}', '[{"a":1}]', '["a",2]'])])()


def damaged(r, text):
    """Not JSON any more, most of the time."""
    place = r.randrange(len(text) + 1)
    return r.choice([text[:place], text[:place] + r.choice('{}[],:"x0') + text[place:], text + '}', 'x' + text])

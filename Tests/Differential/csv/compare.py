#!/usr/bin/env python3
"""Generated CSV files, read by our reader and by Python's csv module: compare.py PROGRAM --seed N --count N [--record FILE]

PROGRAM answers lines of requests (`compare csv`). What Python's module leaves to its caller is done here, after the rules that stand at
the head of CSVReader.swift: cells are trimmed, blank lines and comments between the lines are passed over, a byte order mark too, and a
quoted cell that does not end is an error.
"""
import argparse, csv, json, random, subprocess, sys

SPACE = ' \t\n\v\f\r'
ENDS = '\r\n'


class Cells:
    """Gives csv.reader its lines, and knows where a line of cells may begin."""

    def __init__(self, text, request):
        self.lines = self.split(text)
        self.place = 0
        self.request = request
        self.is_between = False
        self.taken = ''
        for _ in range(request['skip']):
            self.pass_over()
            self.place += 1

    @staticmethod
    def split(text):
        lines, start, place = [], 0, 0
        while place < len(text):
            if text[place] in ENDS:
                place += 2 if text[place:place + 2] == '\r\n' else 1
                lines.append(text[start:place])
                start = place
            else:
                place += 1
        return lines + [text[start:]] if start < len(text) else lines

    def pass_over(self):
        """A line of delimiters is not blank, even where the delimiter is a tab."""
        while self.place < len(self.lines):
            line = self.lines[self.place].rstrip(ENDS)
            blank = all(c in SPACE and c != self.request['delimiter'] for c in line)
            if not blank and not (self.request['comment'] and line.startswith(self.request['comment'])):
                return
            self.place += 1

    def __iter__(self):
        return self

    def __next__(self):
        if self.is_between:
            self.pass_over()
            self.is_between = False
            self.taken = ''
        if self.place >= len(self.lines):
            raise StopIteration
        self.place += 1
        self.taken += self.lines[self.place - 1]
        return self.lines[self.place - 1]


def expected(request):
    """The cells of each line, or None where the text is no CSV."""
    try:
        text = bytes.fromhex(request['hex']).decode('utf-8')
    except UnicodeDecodeError:
        return None
    text = text[1:] if text.startswith('\ufeff') else text
    rows = read(text, request)
    if rows is None:
        return None
    return [[cell.strip(SPACE) for cell in row] for row in rows]


def read(text, request):
    def rows(text):
        cells = Cells(text, request)
        reader = csv.reader(cells, delimiter=request['delimiter'], quotechar=request['quote'], doublequote=True, strict=False)
        out, last = [], ''
        while True:
            cells.is_between = True
            try:
                row = next(reader)
            except StopIteration:
                return out, last
            out.append(row)
            last = cells.taken
    out, last = rows(text)
    # Not strict, the module closes an open quote at the end by itself.
    if out and is_open(last, request):
        return None
    return out


def is_open(line, request):
    """Whether the last line of cells ends inside quotes: then a line put behind it is no line of its own."""
    probe = '\x01end\x01'
    reader = csv.reader(iter([line, '\n', probe]), delimiter=request['delimiter'], quotechar=request['quote'], doublequote=True)
    *_, row = reader
    return row != [probe]


class Generator:
    def __init__(self, seed, index):
        self.r = random.Random(f'{seed}/{index}')

    def request(self):
        r = self.r
        self.delimiter = r.choice([',', ',', ',', ';', ';', '\t', '|', ' ', ':'])
        self.quote = r.choice(['"', '"', '"', '"', "'", '|' if self.delimiter != '|' else '"'])
        self.comment = r.choice(['', '', '', '', '#', '//'])
        self.end = r.choice(['\n', '\n', '\r\n', '\r', None])
        style = r.randrange(4)
        if style == 0:
            text = ''.join(self.wild() for _ in range(r.randrange(60)))
        else:
            text = ''.join(self.line(style) for _ in range(r.randrange(9)))
            if r.random() < 0.3:
                text = text.rstrip('\r\n')
            if r.random() < 0.05 and text:
                place = r.randrange(len(text))
                text = text[:place] + r.choice([self.quote, self.delimiter, '\n', '\r', 'x']) + text[place + r.randrange(2):]
        data = text.encode('utf-8')
        if r.random() < 0.05:
            data = b'\xef\xbb\xbf' + data
        if r.random() < 0.02 and data:
            place = r.randrange(len(data))
            data = data[:place] + bytes([r.randrange(256)]) + data[place + 1:]
        skip = r.choice([0, 0, 0, 0, 1, 2])
        return {'hex': data.hex(), 'delimiter': self.delimiter, 'quote': self.quote, 'comment': self.comment, 'skip': skip}

    def line_end(self):
        return self.end or self.r.choice(['\n', '\r\n', '\r'])

    def line(self, style):
        r = self.r
        if r.random() < 0.08:
            return r.choice(['', ' ', '\t ', '\v', self.comment + ' note', '  ' + self.comment]) + self.line_end()
        if style == 3:
            cells = [r.choice(['t', 'temp', 'dev-7']), str(r.randrange(10 ** 10)), f'{r.uniform(-50, 50):.2f}', r.choice(['', 'ok'])]
            return self.delimiter.join(cells[:r.randrange(1, 5)]) + self.line_end()
        return self.delimiter.join(self.cell() for _ in range(r.randrange(1, 7))) + self.line_end()

    def cell(self):
        r = self.r
        kind = r.randrange(9)
        if kind == 0:
            return ''
        text = ''.join(self.character() for _ in range(r.randrange(r.choice([3, 8, 30]))))
        if kind < 4:
            for c in (self.delimiter, '\r', '\n'):
                text = text.replace(c, '')
            # A quote that does not start a cell is a character like others.
            return 'x' + text if text.startswith(self.quote) else text
        if kind == 4:
            return r.choice([' ', '  ', '\t']) + r.choice(['a', '7', ''])
        quoted = self.quote + text.replace(self.quote, self.quote * 2) + self.quote
        if kind == 5:
            tail = r.choice([' ', 'x', '  y' + self.quote + 'z', '0'])
            return quoted + (tail if self.delimiter not in tail else '')
        return quoted

    def character(self):
        r = self.r
        return r.choice([
            r.choice('abcxyz0189'), r.choice('abcxyz0189'), r.choice([self.quote, self.delimiter, '\n', '\r', '\r\n', ' ', '"', "'", ',', ';']),
            r.choice(['é', '€', '😀', '\u00a0', '\u2028', '\x85', '\x1c', '\x00', '\x7f', '\ufeff', '\\', '#', '\v', '\f'])])

    def wild(self):
        r = self.r
        return r.choice([self.quote, self.quote, self.delimiter, self.delimiter, '\n', '\r', '\r\n', ' ', 'a', 'b', '1', '#', '/', 'é', '\t'])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('program')
    arguments.add_argument('--seed', type=int, default=1)
    arguments.add_argument('--count', type=int, default=10_000)
    arguments.add_argument('--record', help='write the cases with the cells on which both agree')
    options = arguments.parse_args()
    csv.field_size_limit(10 ** 9)
    program = subprocess.Popen([options.program, 'csv'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    differences = refused = lines = cells = 0
    recorded = []
    for index in range(options.count):
        request = Generator(options.seed, index).request()
        program.stdin.write(json.dumps(request) + '\n')
        program.stdin.flush()
        answer = json.loads(program.stdout.readline())
        want = expected(request)
        if answer == want:
            refused += want is None
            lines += len(want or [])
            cells += sum(map(len, want or []))
            recorded.append({'request': request, 'lines': want})
            continue
        differences += 1
        if differences <= 10:
            print(f'file {index}: {bytes.fromhex(request["hex"])!r} {({k: v for k, v in request.items() if k != "hex"})}')
            print(f'  penstock: {answer}\n  python:   {want}')
    program.stdin.close()
    program.wait()
    print(f'csv: {options.count} files ({refused} refused by both), {lines} lines, {cells} cells, {differences} differences')
    if options.record:
        with open(options.record, 'w') as file:
            for case in recorded:
                file.write(json.dumps(case, ensure_ascii=True, separators=(',', ':')) + '\n')
    sys.exit(differences > 0)


if __name__ == '__main__':
    main()

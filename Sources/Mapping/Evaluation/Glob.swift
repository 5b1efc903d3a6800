/// A pattern of `match`, as Python's fnmatchcase reads it: `*` any characters, `?` one, `[a-z]` one of these, `[!a]` any but these. A bracket that
/// does not close stands for itself.
struct Glob: Sendable {
    private enum Piece: Sendable {
        case star
        case any
        case one(UInt32)
        case set(isNegated: Bool, [ClosedRange<UInt32>])
    }

    private let pieces: [Piece]

    init(_ text: String) {
        let scalars = text.unicodeScalars.map(\.value)
        var pieces: [Piece] = []
        var place = 0
        while place < scalars.count {
            let scalar = scalars[place]
            place += 1
            switch scalar {
            case 0x2A: pieces.append(.star)
            case 0x3F: pieces.append(.any)
            case 0x5B:
                // A bracket in first place, or behind the mark of negation, is one of the set.
                var end = place
                if end < scalars.count, scalars[end] == 0x21 { end += 1 }
                if end < scalars.count, scalars[end] == 0x5D { end += 1 }
                while end < scalars.count, scalars[end] != 0x5D { end += 1 }
                guard end < scalars.count else {
                    pieces.append(.one(scalar))
                    continue
                }
                pieces.append(Self.set(scalars[place..<end]))
                place = end + 1
            default: pieces.append(.one(scalar))
            }
        }
        self.pieces = pieces
    }

    private static func set(_ inside: ArraySlice<UInt32>) -> Piece {
        var rest = inside
        let isNegated = rest.first == 0x21
        if isNegated { rest = rest.dropFirst() }
        var ranges: [ClosedRange<UInt32>] = []
        while let low = rest.first {
            if rest.count >= 3, rest[rest.startIndex + 1] == 0x2D {
                let high = rest[rest.startIndex + 2]
                // A range that runs backwards holds nothing.
                if low <= high { ranges.append(low...high) }
                rest = rest.dropFirst(3)
            } else {
                ranges.append(low...low)
                rest = rest.dropFirst()
            }
        }
        return .set(isNegated: isNegated, ranges)
    }

    /// Whether the pattern takes the whole text, which is valid UTF-8. In the worst case it costs pieces × characters.
    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        var piece = 0
        var place = 0
        // Where to go on when what follows the last star does not fit: one more character for the star.
        var retry: (piece: Int, place: Int)?
        while true {
            if piece < pieces.count {
                if case .star = pieces[piece] {
                    piece += 1
                    retry = (piece, place)
                    continue
                }
                if place < text.count {
                    let (scalar, count) = Self.scalar(of: text, at: place)
                    if takes(pieces[piece], scalar) {
                        piece += 1
                        place += count
                        continue
                    }
                }
            } else if place == text.count {
                return true
            }
            guard let last = retry, last.place < text.count else { return false }
            retry = (last.piece, last.place + Self.scalar(of: text, at: last.place).count)
            piece = last.piece
            place = retry?.place ?? text.count
        }
    }

    private func takes(_ piece: Piece, _ scalar: UInt32) -> Bool {
        switch piece {
        case .star, .any: true
        case .one(let own): own == scalar
        case .set(let isNegated, let ranges): ranges.contains { $0.contains(scalar) } != isNegated
        }
    }

    /// The character at a place within the text, and its bytes; a byte that starts none stands for itself.
    private static func scalar(of text: UnsafeRawBufferPointer, at place: Int) -> (scalar: UInt32, count: Int) {
        let first = text[place]
        let count = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard count > 1, place + count <= text.count else { return (UInt32(first), 1) }
        var scalar = UInt32(first) & (0x7F >> UInt32(count))
        for byte in text[(place + 1)..<(place + count)] { scalar = scalar << 6 | UInt32(byte & 0x3F) }
        return (scalar, count)
    }
}

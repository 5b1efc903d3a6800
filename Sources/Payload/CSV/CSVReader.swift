/// Lines and cells of CSV text, in place: a cell is a slice of the payload, unless quotes inside it had to be undone.
///
/// Cells are trimmed of white space. A quote counts only at the start of a cell; inside quotes it is doubled, and delimiters and line ends stand for
/// themselves. Blank lines and comments are passed over. Line ends are LF, CR LF and CR.
public struct CSVReader {
    private let bytes: UnsafeRawBufferPointer
    private let options: CSVOptions
    private var place = 0
    private var line = 1

    /// - Parameter bytes: the payload; a byte order mark in front is passed over.
    public init(_ bytes: UnsafeRawBufferPointer, options: CSVOptions) throws(CSVError) {
        guard UTF8Text.isValid(bytes) else { throw .notUTF8 }
        self.bytes = bytes
        self.options = options
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { place = 3 }
        for _ in 0..<options.skipLines { skipLine() }
    }

    /// Reads the cells of the next line.
    /// - Parameter scratch: holds cells whose quotes had to be undone.
    /// - Returns: false behind the last line.
    public mutating func nextLine(
        scratch: inout ScratchMemory, cell: (Int, Value) -> Void
    ) throws(CSVError) -> Bool {
        guard skipBlankLinesAndComments() else { return false }
        var index = 0
        while true {
            cell(index, try readCell(scratch: &scratch))
            index += 1
            guard place < bytes.count else { return true }
            if bytes[place] == options.delimiter {
                place += 1
                // A delimiter at the very end is followed by one more, empty cell.
                if place == bytes.count {
                    cell(index, Value(kind: .string, start: bytes.baseAddress, count: 0))
                    return true
                }
            } else {
                endLine()
                return true
            }
        }
    }

    // MARK: Lines

    private mutating func skipBlankLinesAndComments() -> Bool {
        while place < bytes.count {
            var end = place
            var isBlank = true
            while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D {
                if !Self.isSpace(bytes[end]) || bytes[end] == options.delimiter { isBlank = false }
                end += 1
            }
            let isComment = !options.comment.isEmpty && bytes[place..<end].starts(with: options.comment)
            guard isBlank || isComment else { return true }
            place = end
            endLine()
        }
        return false
    }

    private mutating func skipLine() {
        guard skipBlankLinesAndComments() else { return }
        while place < bytes.count, bytes[place] != 0x0A, bytes[place] != 0x0D { place += 1 }
        endLine()
    }

    private mutating func endLine() {
        guard place < bytes.count else { return }
        place += bytes[place] == 0x0D && place + 1 < bytes.count && bytes[place + 1] == 0x0A ? 2 : 1
        line += 1
    }

    // MARK: Cells

    /// Reads one cell and stops at the delimiter or line end behind it.
    private mutating func readCell(scratch: inout ScratchMemory) throws(CSVError) -> Value {
        if place < bytes.count, bytes[place] == options.quote { return try readQuotedCell(scratch: &scratch) }
        let start = place
        while place < bytes.count {
            let byte = bytes[place]
            if byte == options.delimiter || byte == 0x0A || byte == 0x0D { break }
            place &+= 1
        }
        return trimmed(bytes.baseAddress.map { $0 + start }, count: place - start)
    }

    private mutating func readQuotedCell(scratch: inout ScratchMemory) throws(CSVError) -> Value {
        let firstLine = line
        place += 1
        let start = place
        // Plain so far: the cell is a slice. It is copied only when a doubled quote, or text behind the closing quote, makes it differ.
        while place < bytes.count, bytes[place] != options.quote { advanceInQuotes() }
        guard place < bytes.count else { throw .unterminatedQuote(line: firstLine) }
        let end = place
        place += 1
        if place == bytes.count || bytes[place] == options.delimiter || bytes[place] == 0x0A || bytes[place] == 0x0D {
            return trimmed(bytes.baseAddress.map { $0 + start }, count: end - start)
        }
        let room = bytes.count - start
        let target = scratch.allocate(room)
        var count = 0
        func copy(_ byte: UInt8) {
            target.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count += 1
        }
        for index in start..<end { copy(bytes[index]) }
        var isInQuotes = false
        if bytes[place] == options.quote {
            copy(options.quote)
            place += 1
            isInQuotes = true
        }
        while place < bytes.count {
            let byte = bytes[place]
            if isInQuotes {
                if byte == options.quote {
                    if place + 1 < bytes.count, bytes[place + 1] == options.quote {
                        copy(byte)
                        place += 2
                    } else {
                        isInQuotes = false
                        place += 1
                    }
                } else {
                    copy(byte)
                    advanceInQuotes()
                }
            } else if byte == options.delimiter || byte == 0x0A || byte == 0x0D {
                break
            } else {
                copy(byte)
                place += 1
            }
        }
        guard !isInQuotes else { throw .unterminatedQuote(line: firstLine) }
        scratch.giveBack(room - count)
        return trimmed(UnsafeRawPointer(target), count: count)
    }

    private mutating func advanceInQuotes() {
        if bytes[place] == 0x0A { line += 1 }
        place += 1
    }

    private func trimmed(_ start: UnsafeRawPointer?, count: Int) -> Value {
        guard let start else { return Value(kind: .string, start: nil, count: 0) }
        var first = 0
        var end = count
        while first < end, Self.isSpace(start.load(fromByteOffset: first, as: UInt8.self)) { first &+= 1 }
        while end > first, Self.isSpace(start.load(fromByteOffset: end &- 1, as: UInt8.self)) { end &-= 1 }
        return Value(kind: .string, start: start + first, count: end - first)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
}

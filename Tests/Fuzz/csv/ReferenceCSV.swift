import Payload

/// The rules of the CSV reader said a second time, as plainly as can be, on a copy of the text.
struct ReferenceCSV {
    private let text: [UInt8]
    private let options: CSVOptions
    private var place = 0
    private var lastCell = 0

    /// The cells of each line, or what is wrong.
    static func lines(_ text: [UInt8], _ options: CSVOptions) throws(CSVError) -> [[[UInt8]]] {
        guard String(validating: text, as: UTF8.self) != nil else { throw .notUTF8 }
        var reader = ReferenceCSV(text: text, options: options)
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { reader.place = 3 }
        for _ in 0..<options.skipLines {
            reader.passOver()
            reader.place += reader.lineBytes
            reader.endLine()
        }
        var lines: [[[UInt8]]] = []
        while true {
            reader.passOver()
            guard reader.place < text.count else { return lines }
            guard let line = reader.line() else { throw .unterminatedQuote(line: reader.lineNumber) }
            lines.append(line)
        }
    }

    private init(text: [UInt8], options: CSVOptions) {
        self.text = text
        self.options = options
    }

    /// Of the cell that was read last.
    private var lineNumber: Int {
        zip(text, text.dropFirst() + [0]).prefix(lastCell).count { $0 == 0x0A || ($0 == 0x0D && $1 != 0x0A) } + 1
    }

    private var lineBytes: Int { text[place...].prefix { $0 != 0x0A && $0 != 0x0D }.count }

    private mutating func endLine() {
        if text[place...].starts(with: [0x0D, 0x0A]) { place += 1 }
        place = min(place + 1, text.count)
    }

    /// Blank lines and comments. A line of delimiters is not blank, even where the delimiter is a tab.
    private mutating func passOver() {
        while place < text.count {
            let line = text[place..<place + lineBytes]
            let isBlank = line.allSatisfy { " \t\u{0B}\u{0C}".utf8.contains($0) && $0 != options.delimiter }
            guard isBlank || (!options.comment.isEmpty && line.starts(with: options.comment)) else { return }
            place += line.count
            endLine()
        }
    }

    private mutating func line() -> [[UInt8]]? {
        var cells: [[UInt8]] = []
        while true {
            guard let cell = cell() else { return nil }
            cells.append(Self.trimmed(cell))
            guard place < text.count, text[place] == options.delimiter else { break }
            place += 1
        }
        endLine()
        return cells
    }

    private mutating func cell() -> [UInt8]? {
        lastCell = place
        var cell: [UInt8] = []
        if place < text.count, text[place] == options.quote {
            place += 1
            while true {
                guard place < text.count else { return nil }
                if text[place] == options.quote {
                    place += 1
                    guard place < text.count, text[place] == options.quote else { break }
                }
                cell.append(text[place])
                place += 1
            }
        }
        while place < text.count, text[place] != options.delimiter, text[place] != 0x0A, text[place] != 0x0D {
            cell.append(text[place])
            place += 1
        }
        return cell
    }

    private static func trimmed(_ cell: [UInt8]) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { " \t\n\u{0B}\u{0C}\r".utf8.contains(byte) }
        return Array(cell.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}

import Payload

/// How lines of cells are written.
struct CSVForm: Hashable, Sendable {
    var delimiter: UInt8
    /// Each message starts with a line of names.
    var hasHeader: Bool

    static let delimiters: [UInt8] = [UInt8(ascii: ";"), 0x09, UInt8(ascii: ","), UInt8(ascii: "|")]

    /// What all texts of one topic have in common; nil where they are no CSV.
    ///
    /// Lines have the same number of cells throughout, or the same wherever their first cell is the same word (NMEA 0183 and its relatives), and
    /// there are numbers among the cells.
    static func common(to texts: [String]) -> CSVForm? {
        for delimiter in delimiters {
            let messages = texts.map { lines(of: $0, delimiter: delimiter) }
            guard messages.allSatisfy({ !$0.isEmpty }), isTable(messages, delimiter) else { continue }
            return CSVForm(delimiter: delimiter, hasHeader: haveHeader(messages))
        }
        return nil
    }

    /// The cells of each line.
    static func lines(of text: String, delimiter: UInt8) -> [[String]] {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            var lines: [[String]] = []
            var scratch = ScratchMemory()
            guard var reader = try? CSVReader(bytes, options: CSVOptions(delimiter: delimiter)) else { return [] }
            while true {
                var cells: [String] = []
                let isThere = try? reader.nextLine(scratch: &scratch) { _, value in
                    cells.append(String(decoding: value.bytes, as: UTF8.self))
                }
                guard let isThere else { return [] }
                guard isThere else { return lines }
                lines.append(cells)
            }
        }
    }

    private static func isTable(_ messages: [[[String]]], _ delimiter: UInt8) -> Bool {
        let least = delimiter == UInt8(ascii: ",") || delimiter == UInt8(ascii: "|") ? 3 : 2
        let lines = messages.flatMap { $0 }
        guard lines.allSatisfy({ $0.count >= least }), lines.contains(where: { $0.contains(where: TextGuess.isNumber) }) else {
            return false
        }
        if Set(lines.map(\.count)).count == 1 { return lines.count >= 2 || least == 2 || (lines.first?.count ?? 0) > 3 }
        // Cells by the word in front.
        let byWord = Dictionary(grouping: lines, by: { $0.first ?? "" })
        return byWord.count <= 12 && byWord.keys.allSatisfy { !$0.isEmpty && !TextGuess.isNumber($0) }
            && byWord.values.allSatisfy { Set($0.map(\.count)).count == 1 } && lines.count >= 2 * byWord.count
    }

    private static func haveHeader(_ messages: [[[String]]]) -> Bool {
        guard let header = messages.first?.first, Set(header).count == header.count else { return false }
        let areNames = header.allSatisfy { cell in
            cell.first.map { $0.isLetter || $0 == "_" } == true && !TextGuess.isNumber(cell) && cell.utf8.count <= 63
        }
        return areNames && messages.allSatisfy { $0.first == header } && messages.contains { $0.count >= 2 }
    }

    /// One object a line: cells by the header's names, or by their place from 0.
    func document(of text: String) -> SampleValue {
        var lines = Self.lines(of: text, delimiter: delimiter)
        var names: [String]?
        if hasHeader, !lines.isEmpty { names = lines.removeFirst() }
        return .array(
            lines.map { cells in
                .object(
                    cells.enumerated().map { index, cell in
                        let name = names.flatMap { $0.indices.contains(index) ? $0[index] : nil } ?? String(index)
                        return .init(name: name, value: .text(cell))
                    })
            })
    }
}

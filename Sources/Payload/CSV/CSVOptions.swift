/// How a mapping says its CSV looks.
public struct CSVOptions: Sendable {
    /// Where the names of cells come from.
    public enum Header: Sendable, Equatable { case none, firstLine, names([String]) }

    public var delimiter: UInt8
    public var quote: UInt8
    public var header: Header
    /// Lines that start with these bytes are passed over; empty: none.
    public var comment: [UInt8]
    /// Lines passed over at the start, blank lines and comments not counted.
    public var skipLines: Int
    /// Cells from this one on are pairs of a name and a value.
    public var pairsFrom: Int?

    public init(
        delimiter: UInt8 = UInt8(ascii: ","), quote: UInt8 = UInt8(ascii: "\""), header: Header = .none, comment: [UInt8] = [],
        skipLines: Int = 0, pairsFrom: Int? = nil
    ) {
        self.delimiter = delimiter
        self.quote = quote
        self.header = header
        self.comment = comment
        self.skipLines = skipLines
        self.pairsFrom = pairsFrom
    }
}

/// Why a text is no CSV.
public enum CSVError: Error, Equatable, Sendable, CustomStringConvertible {
    case notUTF8
    /// A quoted cell that starts on this line (from 1) does not end.
    case unterminatedQuote(line: Int)
    case noHeader
    /// The lines, each written with the names of its cells, have more bytes than they may.
    case tooLong(bytesMax: Int)

    public var description: String {
        switch self {
        case .notUTF8: "the text is not valid UTF-8"
        case .unterminatedQuote(let line): "the quoted cell that starts on line \(line) does not end"
        case .tooLong(let bytesMax): "more than \(bytesMax) bytes of lines with the names of their cells"
        case .noHeader: "there is no line with the names of the cells"
        }
    }
}

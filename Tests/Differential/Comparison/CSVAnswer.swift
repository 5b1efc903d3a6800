import Payload

/// A CSV text to be read, and what our reader makes of it.
public struct CSVRequest: Codable, Sendable {
    /// Hexadecimal digits: the text need not be UTF-8.
    public var hex: String
    public var delimiter: String
    public var quote: String
    public var comment: String
    public var skip: Int

    /// The cells of each line, or nil where the text is refused.
    public var answer: [[String]]? {
        var bytes = [UInt8](repeating: 0, count: hex.utf8.count / 2 + 3)
        let count = try? Array(hex.utf8).withUnsafeBytes { hex in
            try bytes.withUnsafeMutableBytes { target in
                guard let start = target.baseAddress else { return 0 }
                return try Unpack.hex(hex, into: start)
            }
        }
        guard let count, let delimiter = delimiter.utf8.first, let quote = quote.utf8.first else { return nil }
        let options = CSVOptions(delimiter: delimiter, quote: quote, comment: Array(comment.utf8), skipLines: skip)
        return bytes.withUnsafeBytes { bytes in
            var scratch = ScratchMemory()
            var lines: [[String]] = []
            do {
                var reader = try CSVReader(UnsafeRawBufferPointer(rebasing: bytes[..<count]), options: options)
                while true {
                    var line: [String] = []
                    let isThere = try reader.nextLine(scratch: &scratch) { line.append(String(decoding: $1.bytes, as: UTF8.self)) }
                    guard isThere else { return lines }
                    lines.append(line)
                }
            } catch {
                return nil
            }
        }
    }
}

import Glibc

extension JSON {
    /// The documents of newline-delimited JSON: one a line, blank lines left out. Each is yet to be decoded.
    public struct Lines {
        private var rest: UnsafeRawBufferPointer
        /// Bytes from the start of the text to the line given last.
        public private(set) var byteOffset = 0
        private let start: UnsafeRawPointer?

        /// - Parameter bytes: the whole text; lines end with LF or CR LF.
        public init(_ bytes: UnsafeRawBufferPointer) {
            rest = bytes
            start = bytes.baseAddress
        }

        /// The next line that holds more than white space, or nil.
        public mutating func next() -> UnsafeRawBufferPointer? {
            while !rest.isEmpty {
                guard let base = rest.baseAddress else { return nil }
                let length = memchr(base, 0x0A, rest.count).map { UnsafeRawPointer($0) - base } ?? rest.count
                let line = UnsafeRawBufferPointer(rebasing: rest[..<length])
                rest = UnsafeRawBufferPointer(rebasing: rest[min(length + 1, rest.count)...])
                if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
                    if let start { byteOffset = base - start }
                    return line
                }
            }
            return nil
        }
    }
}

extension JSON.Lines {
    /// All documents as the text of one JSON array in `scratch`; their own text is copied as it stands.
    public static func array(_ bytes: UnsafeRawBufferPointer, scratch: inout ScratchMemory) -> UnsafeRawBufferPointer {
        // Lines are apart from each other by at least a byte, in whose place a comma comes.
        let room = bytes.count + 3
        let target = scratch.allocate(room)
        var writer = JSONTextWriter(target)
        writer.append(byte: UInt8(ascii: "["))
        var lines = JSON.Lines(bytes)
        while let line = lines.next() {
            if writer.count > 1 { writer.append(byte: UInt8(ascii: ",")) }
            writer.append(UnsafeRawBufferPointer(rebasing: line.last == 0x0D ? line.dropLast() : line[...]))
        }
        writer.append(byte: UInt8(ascii: "]"))
        scratch.giveBack(room - writer.count)
        return UnsafeRawBufferPointer(start: target, count: writer.count)
    }
}

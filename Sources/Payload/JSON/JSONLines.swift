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

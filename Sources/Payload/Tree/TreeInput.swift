/// The bytes of a binary tree, taken in order and never beyond their end.
struct TreeInput {
    private let bytes: UnsafeRawBufferPointer
    /// How many bytes have been taken.
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// How many bytes have not been taken.
    var left: Int { bytes.count - position }

    /// The next byte, which stays; nil at the end.
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    @inline(never) func failure(_ reason: TreeError.Reason, at offset: Int) -> TreeError { TreeError(reason, byteOffset: offset) }

    mutating func byte() throws(TreeError) -> UInt8 {
        guard position < bytes.count else { throw failure(.unexpectedEnd, at: bytes.count) }
        defer { position += 1 }
        return bytes[position]
    }

    /// An unsigned number of 1 to 8 bytes, the highest first.
    mutating func number(byteCount: Int) throws(TreeError) -> UInt64 {
        guard left >= byteCount else { throw failure(.unexpectedEnd, at: bytes.count) }
        var number: UInt64 = 0
        for _ in 0..<byteCount {
            number = number << 8 | UInt64(bytes[position])
            position += 1
        }
        return number
    }

    /// So many bytes.
    /// - Parameter start: where the item starts that announces them, for the error.
    mutating func take(_ count: UInt64, of start: Int) throws(TreeError) -> UnsafeRawBufferPointer {
        guard let count = Int(exactly: count), count <= left else { throw failure(.announced(count, bytesLeft: left), at: start) }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// Valid UTF-8 of so many bytes.
    mutating func text(_ count: UInt64, of start: Int) throws(TreeError) -> UnsafeRawBufferPointer {
        let text = try take(count, of: start)
        guard UTF8Text.isValid(text) else { throw failure(.invalidUTF8, at: start) }
        return text
    }

    /// The number of items that follow, each of at least `bytesEach` bytes: checked against what is left before anything is made of it.
    func items(_ count: UInt64, bytesEach: Int, of start: Int) throws(TreeError) -> Int {
        guard let items = Int(exactly: count), items <= left / bytesEach else {
            throw failure(.announced(count, bytesLeft: left), at: start)
        }
        return items
    }

    /// Nothing may be left.
    func finish() throws(TreeError) {
        guard left == 0 else { throw failure(.trailing(count: left), at: position) }
    }
}

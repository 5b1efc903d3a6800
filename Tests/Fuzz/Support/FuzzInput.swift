/// One input, taken apart: what decides is read from its end, so that a seed is a plain file of the format, and what is left is the text
/// itself.
public struct FuzzInput {
    /// What has not been taken.
    public private(set) var rest: UnsafeRawBufferPointer

    public init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    /// Whether nothing is left.
    public var isEmpty: Bool { rest.isEmpty }

    /// The last byte, taken; 0 where none is left.
    public mutating func byte() -> UInt8 {
        guard let last = rest.last else { return 0 }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropLast())
        return last
    }

    /// A number below `limit`, which is at most 65,536.
    public mutating func number(below limit: Int) -> Int {
        guard limit > 256 else { return Int(byte()) % max(limit, 1) }
        return (Int(byte()) << 8 | Int(byte())) % limit
    }

    /// The first bytes, taken.
    public mutating func first(_ count: Int) -> UnsafeRawBufferPointer {
        let taken = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        return taken
    }
}

/// Bytes written one after the other into scratch memory, in one piece and up to a limit.
///
/// Nobody else may take of that memory until `finish`.
struct GrowingBytes: ~Copyable {
    private let scratch: UnsafeMutablePointer<ScratchMemory>
    /// Where the bytes start; any call that makes room may move them.
    private(set) var start: UnsafeMutableRawPointer
    /// How many are written.
    private(set) var count = 0
    private var capacity: Int
    /// How many there may be.
    let bytesMax: Int

    /// - Parameters:
    ///   - capacity: the room to begin with, in bytes.
    ///   - bytesMax: not negative.
    init(in scratch: UnsafeMutablePointer<ScratchMemory>, capacity: Int, bytesMax: Int) {
        self.scratch = scratch
        self.bytesMax = bytesMax
        self.capacity = min(max(capacity, 0), bytesMax)
        start = scratch.pointee.allocate(self.capacity)
    }

    /// Bytes that can be written before the room has to grow.
    var room: Int { capacity - count }

    /// Makes room for so many more bytes; false where that would be over the limit.
    @inline(__always) mutating func reserve(_ more: Int) -> Bool {
        if _fastPath(capacity - count >= more) { return true }
        return grow(more)
    }

    @inline(never) private mutating func grow(_ more: Int) -> Bool {
        guard more <= bytesMax - count else { return false }
        let larger = min(bytesMax, max(count + more, capacity * 2))
        start = scratch.pointee.enlarge(start, from: capacity, to: larger)
        capacity = larger
        return true
    }

    /// Where the next byte goes.
    var end: UnsafeMutableRawPointer { start + count }

    /// So many bytes were written at `end`; `reserve` has made room for them.
    @inline(__always) mutating func advance(by written: Int) {
        precondition(written >= 0 && written <= capacity - count, "more bytes written than there was room for")
        count += written
    }

    /// Gives back the room that is left, and what was written.
    mutating func finish() -> UnsafeRawBufferPointer {
        scratch.pointee.giveBack(capacity - count)
        capacity = count
        return UnsafeRawBufferPointer(start: start, count: count)
    }
}

import Glibc

/// Memory between two pages that cannot be touched, made once: bytes laid against either page show a read too far as a crash.
public final class GuardedMemory {
    private let room: UnsafeMutableRawBufferPointer

    /// - Parameter bytesMax: the largest input that is laid here.
    public init(bytesMax: Int) {
        let page = Int(getpagesize())
        let size = (bytesMax + page - 1) / page * page
        guard let base = mmap(nil, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED else {
            fatalError("no memory for the fuzzer")
        }
        mprotect(base + page, size, PROT_READ | PROT_WRITE)
        room = UnsafeMutableRawBufferPointer(start: base + page, count: size)
    }

    /// Lays bytes against the page behind them, or against the one in front; they stay until the next call.
    public func lay(_ bytes: UnsafeRawBufferPointer, atFront: Bool = false) -> UnsafeRawBufferPointer {
        let start = atFront ? 0 : room.count - bytes.count
        let place = UnsafeMutableRawBufferPointer(rebasing: room[start..<start + bytes.count])
        place.copyMemory(from: bytes)
        return UnsafeRawBufferPointer(place)
    }
}

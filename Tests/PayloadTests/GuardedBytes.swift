import Glibc

/// Calls `body` with the bytes in memory of their own, flush against a page that cannot be touched: one byte read too far ends the test
/// run.
/// - Parameter atFront: whether the forbidden page lies in front of the bytes instead of behind them.
func withGuardedBytes<Result>(
    _ bytes: [UInt8], atFront: Bool = false, _ body: (UnsafeRawBufferPointer) throws -> Result
) rethrows -> Result {
    let page = Int(getpagesize())
    let room = (bytes.count + page) / page * page
    let size = room + page
    guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED else {
        preconditionFailure("no memory for a test")
    }
    defer { munmap(base, size) }
    let start = atFront ? base + page : base + room - bytes.count
    bytes.withUnsafeBytes { if let source = $0.baseAddress { start.copyMemory(from: source, byteCount: $0.count) } }
    mprotect(atFront ? base : base + room, page, PROT_NONE)
    return try body(UnsafeRawBufferPointer(start: start, count: bytes.count))
}

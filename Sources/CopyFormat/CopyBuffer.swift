/// The rows of one `COPY … FROM STDIN (FORMAT binary)`, fields length-prefixed and in network order; header and trailer go around them when they are sent.
///
/// It is one growing block of raw memory with a single owner. Decoders append fields straight into it; a row, or all rows of a
/// message, are taken back with `truncate(to:)`. Appending costs a capacity check and a store; memory grows by doubling.
/// Format: PostgreSQL documentation, `COPY`, "Binary Format".
public struct CopyBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer
    @usableFromInline var capacity: Int
    @usableFromInline var written: Int
    @usableFromInline var rows: Int

    /// A place to come back to: everything appended after it is one unit that can be taken back.
    public struct Mark: Equatable, Sendable {
        /// Bytes before it.
        public let count: Int
        /// Rows before it.
        public let rowCount: Int
        @inlinable init(count: Int, rowCount: Int) {
            self.count = count
            self.rowCount = rowCount
        }
    }

    /// Signature (11 bytes), flags (4), length of the header extension (4).
    public static let header: [UInt8] = [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]
    /// Ends a stream of rows.
    public static let trailer: [UInt8] = [0xFF, 0xFF]

    /// Makes an empty buffer with room for `capacity` bytes.
    public init(capacity: Int = 64 * 1024) {
        precondition(capacity > 0, "a COPY buffer has room")
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
        written = 0
        rows = 0
    }

    deinit { base.deallocate() }

    /// Bytes written so far.
    @inlinable public var count: Int { written }

    /// Rows begun so far.
    @inlinable public var rowCount: Int { rows }

    /// Whether no row has been written.
    @inlinable public var isEmpty: Bool { rowCount == 0 }

    /// Where the buffer stands now.
    @inlinable public var mark: Mark { Mark(count: count, rowCount: rowCount) }

    /// Takes back everything appended since `mark`.
    @inlinable public mutating func truncate(to mark: Mark) {
        precondition(mark.count <= count && mark.rowCount <= rowCount, "a mark lies behind what it takes back")
        setCount(mark.count, rows: mark.rowCount)
    }

    /// Empties the buffer for the next batch; gives memory back when it had grown over `keepingCapacityUpTo` bytes.
    public mutating func removeAll(keepingCapacityUpTo limit: Int = .max) {
        if capacity > limit {
            base.deallocate()
            capacity = max(limit, 64)
            base = .allocate(byteCount: capacity, alignment: 16)
        }
        written = 0
        rows = 0
    }

    /// The bytes written so far, valid inside `body`.
    public borrowing func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Bytes between two marks' counts; valid until the buffer changes or goes.
    public borrowing func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.upperBound <= count, "only what was written can be sent")
        return UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// Starts a row of `fieldCount` fields (at most 1,600, PostgreSQL's own limit); exactly so many fields must follow.
    @inlinable public mutating func beginRow(fieldCount: Int) {
        reserve(2)
        store(Int16(truncatingIfNeeded: fieldCount).bigEndian, at: count)
        setCount(count + 2, rows: rowCount + 1)
    }

    @inlinable @inline(__always) mutating func reserve(_ bytes: Int) {
        if _slowPath(capacity &- count < bytes) { grow(bytes) }
    }

    @inlinable @inline(__always) mutating func setCount(_ newCount: Int, rows: Int) {
        written = newCount
        self.rows = rows
    }

    @inlinable @inline(__always) func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        base.storeBytes(of: value, toByteOffset: offset, as: T.self)
    }

    @usableFromInline @inline(never) mutating func grow(_ bytes: Int) {
        let wanted = max(capacity * 2, count + bytes)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
        capacity = wanted
    }
}

// One owner at a time: a batch is filled by its event loop, then handed whole to the writer thread and back. Nothing else holds the memory.
extension CopyBuffer: @unchecked Sendable {}

/// The bytes of one `COPY … FROM STDIN (FORMAT binary)`: a header, rows of length-prefixed fields in network order, a trailer.
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
        @usableFromInline let count: Int
        @usableFromInline let rowCount: Int
        @inlinable init(count: Int, rowCount: Int) {
            self.count = count
            self.rowCount = rowCount
        }
    }

    /// Bytes of the header: signature (11), flags (4), length of the header extension (4).
    public static let headerBytes = 19

    /// Makes an empty buffer (header only) with room for `capacity` bytes.
    public init(capacity: Int = 64 * 1024) {
        precondition(capacity >= 64, "a COPY buffer holds at least its header and a trailer")
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
        written = 0
        rows = 0
        writeHeader()
    }

    deinit { base.deallocate() }

    private mutating func writeHeader() {
        let signature: [UInt8] = [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]
        signature.withUnsafeBytes { base.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: Self.headerBytes) }
        written = Self.headerBytes
        rows = 0
    }

    /// Bytes written so far, the header of 19 bytes included.
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
        writeHeader()
    }

    /// Appends the trailer; the bytes are then a complete COPY stream.
    public mutating func finish() {
        reserve(2)
        store(Int16(-1).bigEndian, at: count)
        written += 2
    }

    /// The bytes written so far, valid inside `body`.
    public borrowing func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
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

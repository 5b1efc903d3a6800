// One field each: a length of four bytes, then the value in network order (PostgreSQL's `…send` functions).
extension CopyBuffer {
    /// NULL.
    @inlinable public mutating func appendNull() {
        reserve(4)
        store(Int32(-1).bigEndian, at: written)
        written += 4
    }

    @inlinable @inline(__always) mutating func appendField<T: FixedWidthInteger>(_ value: T) {
        let size = MemoryLayout<T>.size
        reserve(4 &+ size)
        store(Int32(truncatingIfNeeded: size).bigEndian, at: written)
        store(value.bigEndian, at: written &+ 4)
        written &+= 4 &+ size
    }

    /// boolean
    @inlinable public mutating func append(_ value: Bool) { appendField(value ? UInt8(1) : 0) }
    /// smallint
    @inlinable public mutating func append(_ value: Int16) { appendField(value) }
    /// integer
    @inlinable public mutating func append(_ value: Int32) { appendField(value) }
    /// bigint
    @inlinable public mutating func append(_ value: Int64) { appendField(value) }
    /// real
    @inlinable public mutating func append(_ value: Float) { appendField(value.bitPattern) }
    /// double precision
    @inlinable public mutating func append(_ value: Double) { appendField(value.bitPattern) }

    /// text, varchar, bpchar, json, the label of an enum: UTF-8 without NUL.
    @inlinable public mutating func appendText(_ bytes: UnsafeRawBufferPointer) { appendBytes(bytes) }

    /// bytea
    @inlinable public mutating func appendBytes(_ bytes: UnsafeRawBufferPointer) {
        reserve(4 &+ bytes.count)
        store(Int32(truncatingIfNeeded: bytes.count).bigEndian, at: written)
        if let start = bytes.baseAddress { (base + (written &+ 4)).copyMemory(from: start, byteCount: bytes.count) }
        written &+= 4 &+ bytes.count
    }

    /// json and jsonb: the text, for jsonb behind its version.
    @inlinable public mutating func appendJSONB(_ bytes: UnsafeRawBufferPointer) {
        let field = beginField()
        appendRaw(1 as UInt8)
        appendRaw(bytes)
        endField(field)
    }

    /// timestamptz, timestamp: microseconds since 1970; within `PostgreSQLTime.range`.
    @inlinable public mutating func appendTimestamp(unixMicroseconds: Int64) {
        appendField(unixMicroseconds &- PostgreSQLTime.epochMicroseconds)
    }

    /// date: days since 1970.
    @inlinable public mutating func appendDate(unixDays: Int32) { appendField(unixDays &- 10_957) }

    /// uuid: 16 bytes.
    @inlinable public mutating func appendUUID(high: UInt64, low: UInt64) {
        reserve(20)
        store(Int32(16).bigEndian, at: written)
        store(high.bigEndian, at: written &+ 4)
        store(low.bigEndian, at: written &+ 12)
        written &+= 20
    }

    /// time: microseconds since midnight, up to 24:00:00.
    @inlinable public mutating func appendTime(microsecondsOfDay: Int64) { appendField(microsecondsOfDay) }

    /// inet, cidr: family, bits of the prefix, whether it is a cidr, and the bytes of the address with their count.
    public mutating func append(_ address: InternetAddress, isNetwork: Bool) {
        let field = beginField()
        appendRaw((address.isVersion6 ? 3 : 2) as UInt8)
        appendRaw(address.prefixLength)
        appendRaw((isNetwork ? 1 : 0) as UInt8)
        appendRaw(address.width / 8)
        if address.isVersion6 { appendRaw(address.bits) } else { appendRaw(UInt32(truncatingIfNeeded: address.bits >> 96)) }
        endField(field)
    }

    // MARK: Fields made of parts

    /// Starts a field whose length is not known yet; `endField` must follow.
    @inlinable public mutating func beginField() -> Int {
        reserve(4)
        written &+= 4
        return written
    }

    /// Writes the length of the field that `beginField` started.
    @inlinable public mutating func endField(_ start: Int) {
        store(Int32(truncatingIfNeeded: written &- start).bigEndian, at: start &- 4)
    }

    /// Bytes inside a field.
    @inlinable public mutating func appendRaw(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        if let start = bytes.baseAddress { (base + written).copyMemory(from: start, byteCount: bytes.count) }
        written &+= bytes.count
    }

    /// A number inside a field.
    @inlinable public mutating func appendRaw<T: FixedWidthInteger>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        store(value.bigEndian, at: written)
        written &+= MemoryLayout<T>.size
    }

    /// The header of a one-dimensional array, inside a field; the elements follow as fields.
    /// - Parameter elementOID: `StoredType.elementOID`; PostgreSQL refuses an array with another one.
    public mutating func appendArrayHeader(elementOID: UInt32, count: Int, holdsNull: Bool) {
        appendRaw(Int32(count == 0 ? 0 : 1))
        appendRaw(Int32(holdsNull ? 1 : 0))
        appendRaw(elementOID)
        if count > 0 {
            appendRaw(Int32(truncatingIfNeeded: count))
            appendRaw(Int32(1))
        }
    }
}

/// PostgreSQL's time line.
public enum PostgreSQLTime {
    /// 2000-01-01T00:00:00Z, in microseconds since 1970.
    public static let epochMicroseconds: Int64 = 946_684_800_000_000
    /// What timestamptz takes, in microseconds since 1970: from 4714-11-24 BC to as far as 64 bits reach (it goes on to 294276).
    public static let range: ClosedRange<Int64> = -210_866_803_200_000_000...Int64.max
}

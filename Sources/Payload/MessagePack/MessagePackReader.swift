/// Reads MessagePack, one value after the other.
struct MessagePackReader {
    var input: TreeInput
    let limits: TreeLimits

    /// The ext type of timestamps.
    private static let timestampType: Int8 = -1

    /// Writes the next value; `depth` containers are open around it.
    mutating func value(_ writer: inout TreeWriter, depth: Int) throws(TreeError) {
        let start = input.position
        guard !writer.isOverLimit else { throw input.failure(.tooLong(bytesMax: limits.maximumTextBytes), at: start) }
        let format = try input.byte()
        switch format {
        case 0x00...0x7F, 0xCC...0xCF, 0xD0...0xD3, 0xE0...0xFF: try integer(format, &writer, as: .value)
        case 0x80...0x8F: try map(UInt64(format & 0x0F), of: start, &writer, depth: depth)
        case 0x90...0x9F: try array(UInt64(format & 0x0F), of: start, &writer, depth: depth)
        case 0xA0...0xBF, 0xD9...0xDB: writer.text(try text(format, of: start))
        case 0xC0: writer.null()
        case 0xC1: throw input.failure(.reserved(format), at: start)
        case 0xC2, 0xC3: writer.boolean(format == 0xC3)
        case 0xC4...0xC6: writer.binary(try bytes(format, of: start))
        case 0xC7...0xC9: try ext(try input.number(byteCount: 1 << Int(format - 0xC7)), of: start, &writer, depth: depth)
        case 0xCA: writer.double(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try input.number(byteCount: 4)))))
        case 0xCB: writer.double(Double(bitPattern: try input.number(byteCount: 8)))
        case 0xD4...0xD8: try ext(1 << UInt64(format - 0xD4), of: start, &writer, depth: depth)
        case 0xDC, 0xDD: try array(try input.number(byteCount: format == 0xDC ? 2 : 4), of: start, &writer, depth: depth)
        // 0xDE and 0xDF are what is left.
        default: try map(try input.number(byteCount: format == 0xDE ? 2 : 4), of: start, &writer, depth: depth)
        }
    }

    // MARK: Scalars

    private mutating func integer(_ format: UInt8, _ writer: inout TreeWriter, as role: TreeWriter.Role) throws(TreeError) {
        switch format {
        case 0xCC...0xCF: writer.integer(try input.number(byteCount: 1 << Int(format - 0xCC)), as: role)
        case 0xD0...0xD3:
            let byteCount = 1 << Int(format - 0xD0)
            let unused = UInt64(64 - 8 * byteCount)
            writer.integer(Int64(bitPattern: try input.number(byteCount: byteCount) << unused) >> Int64(unused), as: role)
        default: writer.integer(Int64(Int8(bitPattern: format)), as: role)
        }
    }

    private mutating func text(_ format: UInt8, of start: Int) throws(TreeError) -> UnsafeRawBufferPointer {
        let count = format < 0xC0 ? UInt64(format & 0x1F) : try input.number(byteCount: 1 << Int(format - 0xD9))
        return try input.text(count, of: start)
    }

    private mutating func bytes(_ format: UInt8, of start: Int) throws(TreeError) -> UnsafeRawBufferPointer {
        try input.take(try input.number(byteCount: 1 << Int(format - 0xC4)), of: start)
    }

    // MARK: Containers

    private func checkDepth(_ depth: Int, at start: Int) throws(TreeError) {
        guard depth < limits.maximumDepth else { throw input.failure(.tooDeep(levels: limits.maximumDepth), at: start) }
    }

    private mutating func array(_ count: UInt64, of start: Int, _ writer: inout TreeWriter, depth: Int) throws(TreeError) {
        try checkDepth(depth, at: start)
        let count = try input.items(count, bytesEach: 1, of: start)
        writer.beginArray()
        for _ in 0..<count { try value(&writer, depth: depth + 1) }
        writer.endArray()
    }

    private mutating func map(_ count: UInt64, of start: Int, _ writer: inout TreeWriter, depth: Int) throws(TreeError) {
        try checkDepth(depth, at: start)
        let count = try input.items(count, bytesEach: 2, of: start)
        writer.beginObject()
        for _ in 0..<count {
            try key(&writer)
            try value(&writer, depth: depth + 1)
        }
        writer.endObject()
    }

    private mutating func key(_ writer: inout TreeWriter) throws(TreeError) {
        let start = input.position
        let format = try input.byte()
        switch format {
        case 0xA0...0xBF, 0xD9...0xDB: writer.text(try text(format, of: start), as: .name)
        case 0x00...0x7F, 0xCC...0xCF, 0xD0...0xD3, 0xE0...0xFF: try integer(format, &writer, as: .name)
        case 0xC2, 0xC3: writer.boolean(format == 0xC3, as: .name)
        case 0xC4...0xC6:
            let bytes = try bytes(format, of: start)
            if UTF8Text.isValid(bytes) { writer.text(bytes, as: .name) } else { writer.binary(bytes, as: .name) }
        case 0xC1: throw input.failure(.reserved(format), at: start)
        default: throw input.failure(.invalidKey, at: start)
        }
    }

    // MARK: Extensions

    private mutating func ext(_ count: UInt64, of start: Int, _ writer: inout TreeWriter, depth: Int) throws(TreeError) {
        let type = Int8(bitPattern: try input.byte())
        if type == Self.timestampType { return try timestamp(count, of: start, &writer) }
        try checkDepth(depth, at: start)
        let data = try input.take(count, of: start)
        writer.beginObject()
        writer.text("type", as: .name)
        writer.integer(Int64(type))
        writer.text("data", as: .name)
        writer.binary(data)
        writer.endObject()
    }

    /// Of 4 bytes: seconds. Of 8: 30 bits of nanoseconds, 34 of seconds. Of 12: 4 bytes of nanoseconds, 8 of signed seconds.
    private mutating func timestamp(_ count: UInt64, of start: Int, _ writer: inout TreeWriter) throws(TreeError) {
        guard count <= UInt64(input.left) else { throw input.failure(.announced(count, bytesLeft: input.left), at: start) }
        var seconds: Int64
        var nanoseconds: UInt64 = 0
        switch count {
        case 4: seconds = Int64(try input.number(byteCount: 4))
        case 8:
            let both = try input.number(byteCount: 8)
            seconds = Int64(both & 0x3_FFFF_FFFF)
            nanoseconds = both >> 34
        case 12:
            nanoseconds = try input.number(byteCount: 4)
            seconds = Int64(bitPattern: try input.number(byteCount: 8))
        default: throw input.failure(.invalidTime, at: start)
        }
        guard writer.time(seconds: seconds, nanoseconds: Int(nanoseconds)) else { throw input.failure(.invalidTime, at: start) }
    }
}

import CZlib

// Deflated bytes (RFC 1951), through the system's zlib. Each call allocates the 40 KiB that zlib wants for its window.
extension Unpack {
    /// gzip (RFC 1952): one member, or several whose contents follow one another.
    /// - Parameter maximumBytes: the most that may come out; a small payload can hold a thousand times its size.
    /// - Returns: what was packed; it stays until `scratch` is reset.
    /// - Throws: where the payload ends too early, goes on behind its data, or its checksum does not agree.
    public static func gzip(
        _ bytes: UnsafeRawBufferPointer, maximumBytes: Int, into scratch: inout ScratchMemory
    ) throws(Fault) -> UnsafeRawBufferPointer {
        // 16 more than the size of the window asks zlib for gzip, nothing else.
        try inflate(bytes, windowBits: 15 + 16, maximumBytes: maximumBytes, into: &scratch)
    }

    /// zlib (RFC 1950), which HTTP calls deflate; otherwise as `gzip`.
    public static func zlib(
        _ bytes: UnsafeRawBufferPointer, maximumBytes: Int, into scratch: inout ScratchMemory
    ) throws(Fault) -> UnsafeRawBufferPointer {
        try inflate(bytes, windowBits: 15, maximumBytes: maximumBytes, into: &scratch)
    }

    /// Deflated bytes with nothing around them (RFC 1951), so without a checksum; otherwise as `gzip`.
    public static func deflate(
        _ bytes: UnsafeRawBufferPointer, maximumBytes: Int, into scratch: inout ScratchMemory
    ) throws(Fault) -> UnsafeRawBufferPointer {
        try inflate(bytes, windowBits: -15, maximumBytes: maximumBytes, into: &scratch)
    }

    private static func inflate(
        _ bytes: UnsafeRawBufferPointer, windowBits: CInt, maximumBytes: Int, into scratch: inout ScratchMemory
    ) throws(Fault) -> UnsafeRawBufferPointer {
        try growing(bytes, maximumBytes: maximumBytes, into: &scratch) { output throws(Fault) in
            var stream = z_stream()
            // zlib remembers where its stream lies, so it stays in one place.
            try withUnsafeMutablePointer(to: &stream) { stream throws(Fault) in
                guard inflateInit2_(stream, windowBits, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else { throw .noMemory }
                defer { inflateEnd(stream) }
                try inflate(bytes, stream, isGzip: windowBits > 15, maximumBytes: maximumBytes, into: &output)
            }
        }
    }

    private static func inflate(
        _ bytes: UnsafeRawBufferPointer, _ stream: UnsafeMutablePointer<z_stream>, isGzip: Bool, maximumBytes: Int,
        into output: inout GrowingBytes
    ) throws(Fault) {
        // zlib does not write what its type says it may.
        let start = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        var position = 0
        while true {
            guard output.reserve(1) else { throw .tooLarge(maximumBytes: maximumBytes) }
            let room = UInt32(clamping: output.room)
            let input = UInt32(clamping: bytes.count - position)
            stream.pointee.next_in = start.map { $0 + position }
            stream.pointee.avail_in = input
            stream.pointee.next_out = output.end.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = room
            let result = CZlib.inflate(stream, Z_NO_FLUSH)
            position += Int(input - stream.pointee.avail_in)
            output.advance(by: Int(room - stream.pointee.avail_out))
            guard output.count <= maximumBytes else { throw .tooLarge(maximumBytes: maximumBytes) }
            switch result {
            case Z_OK: continue
            case Z_STREAM_END:
                if position == bytes.count { return }
                // RFC 1952 §2.2: members follow one another, with nothing between them.
                guard isGzip, bytes[position] == 0x1F, inflateReset(stream) == Z_OK else {
                    throw .trailing(count: bytes.count - position, offset: position)
                }
            // No progress, and there is room: what is missing is input.
            case Z_BUF_ERROR: throw .truncated
            case Z_MEM_ERROR: throw .noMemory
            case Z_NEED_DICT: throw .corrupt("a dictionary is needed", offset: position)
            default: throw .corrupt(stream.pointee.msg.map { String(cString: $0) } ?? "invalid data", offset: position)
            }
        }
    }

    /// Calls `body` with room for what is unpacked, and gives it; where `body` throws, nothing is taken of `scratch`.
    static func growing(
        _ bytes: UnsafeRawBufferPointer, maximumBytes: Int, into scratch: inout ScratchMemory,
        _ body: (inout GrowingBytes) throws(Fault) -> Void
    ) throws(Fault) -> UnsafeRawBufferPointer {
        let mark = scratch.mark
        do throws(Fault) {
            return try withUnsafeMutablePointer(to: &scratch) { scratch throws(Fault) in
                // The one byte more shows that the limit is passed.
                var output = GrowingBytes(in: scratch, capacity: bytes.count &* 4 &+ 64, bytesMax: max(maximumBytes, 0) + 1)
                try body(&output)
                return output.finish()
            }
        } catch {
            scratch.release(to: mark)
            throw error
        }
    }
}

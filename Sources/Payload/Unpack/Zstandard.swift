import CZstd

// Through the system's libzstd. Each call allocates a decoder of about 160 KiB, and the window that a frame asks for.
extension Unpack {
    /// Zstandard (RFC 8878): one frame, or several whose contents follow one another; skippable frames are skipped.
    /// - Parameter maximumBytes: the most that may come out. A frame that wants a window far larger than that is refused.
    /// - Returns: what was packed; it stays until `scratch` is reset.
    /// - Throws: where the payload ends too early, goes on behind its frames, or a checksum does not agree.
    public static func zstd(
        _ bytes: UnsafeRawBufferPointer, maximumBytes: Int, into scratch: inout ScratchMemory
    ) throws(Fault) -> UnsafeRawBufferPointer {
        try growing(bytes, maximumBytes: maximumBytes, into: &scratch) { output throws(Fault) in
            guard let decoder = ZSTD_createDCtx() else { throw .noMemory }
            defer { ZSTD_freeDCtx(decoder) }
            // RFC 8878 §3.1.1.1.2: a decoder supports 8 MiB. More is of use only where more may come out.
            let window = max(23, min(27, Int.bitWidth - max(maximumBytes - 1, 1).leadingZeroBitCount))
            guard ZSTD_isError(ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, CInt(window))) == 0 else { throw .noMemory }
            var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            while true {
                guard output.reserve(1) else { throw .tooLarge(maximumBytes: maximumBytes) }
                var target = ZSTD_outBuffer(dst: output.end, size: output.room, pos: 0)
                let result = ZSTD_decompressStream(decoder, &target, &input)
                guard ZSTD_isError(result) == 0 else { throw .corrupt(String(cString: ZSTD_getErrorName(result)), offset: input.pos) }
                output.advance(by: target.pos)
                guard output.count <= maximumBytes else { throw .tooLarge(maximumBytes: maximumBytes) }
                if result == 0 {
                    // The end of a frame.
                    if input.pos == input.size { return }
                    guard isFrame(bytes, at: input.pos) else { throw .trailing(count: bytes.count - input.pos, offset: input.pos) }
                } else if input.pos == input.size, target.pos < target.size {
                    throw .truncated
                }
            }
        }
    }

    /// Whether a frame, or one to skip, starts there (RFC 8878 §3.1.1, §3.1.2).
    private static func isFrame(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Bool {
        guard bytes.count - position >= 4 else { return false }
        let magic = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        return magic == 0xFD2F_B528 || magic & 0xFFFF_FFF0 == 0x184D_2A50
    }
}

import Testing

@testable import Payload

@Suite("Packed payloads are unpacked within a limit")
struct PackedPayloadTests {
    enum Format: CaseIterable {
        case gzip, zlib, deflate, zstd

        func unpack(_ bytes: UnsafeRawBufferPointer, _ maximumBytes: Int, _ scratch: inout ScratchMemory) throws -> UnsafeRawBufferPointer {
            switch self {
            case .gzip: try Unpack.gzip(bytes, maximumBytes: maximumBytes, into: &scratch)
            case .zlib: try Unpack.zlib(bytes, maximumBytes: maximumBytes, into: &scratch)
            case .deflate: try Unpack.deflate(bytes, maximumBytes: maximumBytes, into: &scratch)
            case .zstd: try Unpack.zstd(bytes, maximumBytes: maximumBytes, into: &scratch)
            }
        }
    }

    static let content = #"{"temperature":21.5,"humidity":40}"#
    static let gzip = "1f8b0800000000000203ab562a49cd2d482d4a2c292d4a55b23232d433d551ca28cdcd4cc92ca954b23231a805008356102622000000"
    static let zlib = "78daab562a49cd2d482d4a2c292d4a55b23232d433d551ca28cdcd4cc92ca954b23231a80500cfdd0b66"
    static let deflate = "ab562a49cd2d482d4a2c292d4a55b23232d433d551ca28cdcd4cc92ca954b23231a80500"
    static let zstd = "28b52ffd24221101007b2274656d7065726174757265223a32312e352c2268756d6964697479223a34307df2aa0968"

    static let packed: [(Format, String)] = [
        (.gzip, gzip), (.zlib, zlib), (.deflate, deflate), (.zstd, zstd),
        // A gzip header with an extra field, a name, a comment and a checksum of its own.
        (
            .gzip,
            "1f8b081e000000000003040061626364612e6a736f6e006e6f746500355bab562a49cd2d482d4a2c292d4a55b23232d433d551ca28cdcd4cc92ca954b23231a805"
                + "008356102622000000"
        ),
        // Two gzip members, and an empty one between them.
        (
            .gzip,
            "1f8b0800000000000203ab562a49cd2d482d4a2c292d4a55b23232d433d50100b859e26614000000" + "1f8b080000000000020303000000000000000000"
                + "1f8b080000000000020353ca28cdcd4cc92ca954b23231a80500761f3caf0e000000"
        ),
        // A frame without a checksum; two frames with an empty one and one to skip between them.
        (.zstd, "28b52ffd20221101007b2274656d7065726174757265223a32312e352c2268756d6964697479223a34307d"),
        (
            .zstd,
            "28b52ffd2014a100007b2274656d7065726174757265223a32312e352c" + "28b52ffd2000010000" + "502a4d1803000000ffffff"
                + "28b52ffd200e7100002268756d6964697479223a34307d"
        ),
    ]

    private func unpack(_ packed: [UInt8], _ format: Format, maximumBytes: Int = 1 << 20) throws -> [UInt8] {
        var contents: [[UInt8]] = []
        for atFront in [false, true] {
            var scratch = ScratchMemory(chunkBytes: 32)
            contents.append(try withGuardedBytes(packed, atFront: atFront) { Array(try format.unpack($0, maximumBytes, &scratch)) })
        }
        precondition(contents[0] == contents[1], "the same payload gave \(contents)")
        return contents[0]
    }

    private func fault(_ packed: [UInt8], _ format: Format, maximumBytes: Int = 1 << 20) -> Unpack.Fault? {
        do { _ = try unpack(packed, format, maximumBytes: maximumBytes) } catch let fault as Unpack.Fault { return fault } catch {}
        return nil
    }

    @Test("What was packed comes out", arguments: packed)
    func whole(format: Format, hex: String) throws {
        #expect(String(decoding: try unpack(bytes(hex: hex), format), as: UTF8.self) == Self.content)
    }

    @Test("The limit is exact", arguments: packed)
    func limit(format: Format, hex: String) throws {
        let count = Self.content.utf8.count
        #expect(try unpack(bytes(hex: hex), format, maximumBytes: count).count == count)
        for maximumBytes in 0..<count {
            #expect(fault(bytes(hex: hex), format, maximumBytes: maximumBytes) == .tooLarge(maximumBytes: maximumBytes))
        }
    }

    @Test("A payload that ends early is refused wherever it ends", arguments: packed)
    func truncated(format: Format, hex: String) throws {
        let packed = bytes(hex: hex)
        for count in 0..<packed.count {
            // Between two members or frames nothing is missing that one could know of.
            let content = try? unpack(Array(packed.prefix(count)), format)
            #expect(content.map { $0.count < Self.content.utf8.count } ?? true, "\(count) of \(packed.count) bytes are enough")
        }
        #expect(fault(Array(packed.dropLast()), format) == .truncated)
    }

    @Test("Bytes behind the data are refused", arguments: Format.allCases)
    func trailing(format: Format) {
        let hex = [Format.gzip: Self.gzip, .zlib: Self.zlib, .deflate: Self.deflate, .zstd: Self.zstd][format] ?? ""
        for extra in [[0], [0, 0, 0, 0], [0x0A]] as [[UInt8]] {
            let packed = bytes(hex: hex)
            #expect(fault(packed + extra, format) == .trailing(count: extra.count, offset: packed.count))
        }
    }

    @Test("A wrong checksum is refused, and so is a header of another format")
    func corrupt() {
        func words(_ hex: String, _ format: Format, _ change: (inout [UInt8]) -> Void = { _ in }) -> String {
            var packed = bytes(hex: hex)
            change(&packed)
            return fault(packed, format)?.description ?? "accepted"
        }
        #expect(words(Self.gzip, .gzip) { $0[$0.count - 8] ^= 1 }.contains("incorrect data check"))
        #expect(words(Self.gzip, .gzip) { $0[$0.count - 4] ^= 1 }.contains("incorrect length check"))
        #expect(words(Self.zlib, .zlib) { $0[$0.count - 1] ^= 1 }.contains("incorrect data check"))
        #expect(words(Self.zstd, .zstd) { $0[$0.count - 1] ^= 1 }.contains("checksum"))
        #expect(words(Self.zlib, .gzip).contains("incorrect header check at byte 2"))
        #expect(words(Self.gzip, .zlib).contains("incorrect header check at byte 2"))
        #expect(words(Self.gzip, .zstd).contains("Unknown frame"))
        #expect(words(Self.gzip, .deflate) != "accepted")
        #expect(words("78f92f0905a8ab46e51a19ea99ea286594e666a66496542a599918d40200cfdd0b66", .zlib).contains("dictionary"))
    }

    @Test("A small payload that stands for a million bytes ends at the limit")
    func bomb() throws {
        let deflated = bytes(hex: "edc101010000008220ffaf6e484001") + [UInt8](repeating: 0, count: 968) + bytes(hex: "af06")
        let gzipped = bytes(hex: "1f8b0800000000000203") + deflated + bytes(hex: "9ecb791240420f00")
        #expect(try unpack(deflated, .deflate) == [UInt8](repeating: 0, count: 1_000_000))
        #expect(try unpack(gzipped, .gzip) == [UInt8](repeating: 0, count: 1_000_000))
        #expect(fault(deflated, .deflate, maximumBytes: 100_000) == .tooLarge(maximumBytes: 100_000))
        #expect(fault(gzipped, .gzip, maximumBytes: 999_999) == .tooLarge(maximumBytes: 999_999))
        let frame = bytes(
            hex: "28b52ffda440420f005400001000000100fbff39c00202001000020010000200100002001000020010000200100003120a00ccaeca39")
        #expect(try unpack(frame, .zstd, maximumBytes: 1_000_000) == [UInt8](repeating: 0, count: 1_000_000))
        #expect(fault(frame, .zstd, maximumBytes: 999_999) == .tooLarge(maximumBytes: 999_999))
        // Many members in a row count as one.
        let many = [[UInt8]](repeating: bytes(hex: Self.gzip), count: 1000).joined()
        #expect(fault(Array(many), .gzip, maximumBytes: 33_999) == .tooLarge(maximumBytes: 33_999))
        #expect(try unpack(Array(many), .gzip, maximumBytes: 34_000).count == 34_000)
    }

    @Test("A frame of Zstandard that wants far more memory than may come out is refused")
    func window() throws {
        // Windows of 8 MiB, 128 MiB and 1 GiB around one byte.
        #expect(try unpack(bytes(hex: "28b52ffd0068090000 61"), .zstd, maximumBytes: 10) == [0x61])
        #expect(fault(bytes(hex: "28b52ffd0088090000 61"), .zstd, maximumBytes: 1 << 20)?.description.contains("memory") == true)
        #expect(try unpack(bytes(hex: "28b52ffd0088090000 61"), .zstd, maximumBytes: 1 << 27) == [0x61])
        #expect(fault(bytes(hex: "28b52ffd00a0090000 61"), .zstd, maximumBytes: 1 << 40)?.description.contains("memory") == true)
    }

    @Test("Nothing is nothing packed", arguments: Format.allCases)
    func empty(format: Format) {
        #expect(fault([], format) == .truncated)
    }
}

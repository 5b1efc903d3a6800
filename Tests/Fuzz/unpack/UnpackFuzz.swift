import FuzzSupport
import Payload

/// The last byte of an input names a format and a limit; the rest is packed bytes.
@main
struct UnpackFuzz {
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = UnpackFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let control = input.byte()
        let maximumBytes = control & 4 != 0 ? 1 << 16 : Int(control >> 4)
        let packed = memory.lay(input.rest, atFront: control & 8 != 0)
        var scratch = ScratchMemory(chunkBytes: 64)
        do throws(Unpack.Fault) {
            let content = try unpack(packed, control & 3, maximumBytes, &scratch)
            claim(content.count <= maximumBytes, "\(content.count) bytes where \(maximumBytes) are allowed")
            // The limit is exact, and one byte less of it says what is wrong.
            if !content.isEmpty {
                var fault: Unpack.Fault?
                do throws(Unpack.Fault) { _ = try unpack(packed, control & 3, content.count - 1, &scratch) } catch { fault = error }
                claim(fault == .tooLarge(maximumBytes: content.count - 1), "a limit that does not hold")
            }
        } catch {
            claim(!error.description.isEmpty, "an error without words")
            switch error {
            case .corrupt(_, let offset), .trailing(_, let offset): claim((0...packed.count).contains(offset), "\(error)")
            default: break
            }
        }
    }

    private func unpack(
        _ packed: UnsafeRawBufferPointer, _ format: UInt8, _ maximumBytes: Int, _ scratch: inout ScratchMemory
    ) throws(Unpack.Fault) -> UnsafeRawBufferPointer {
        switch format {
        case 0: try Unpack.gzip(packed, maximumBytes: maximumBytes, into: &scratch)
        case 1: try Unpack.zlib(packed, maximumBytes: maximumBytes, into: &scratch)
        case 2: try Unpack.deflate(packed, maximumBytes: maximumBytes, into: &scratch)
        default: try Unpack.zstd(packed, maximumBytes: maximumBytes, into: &scratch)
        }
    }
}

import FuzzSupport
import Payload

/// The last byte of an input says within which limits the rest, a payload, is read.
@main
struct CBORFuzz {
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = CBORFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let control = input.byte()
        let limits = TreeLimits(
            maximumDepth: control & 1 != 0 ? JSON.depthLimit : Int(control >> 3) + 1, maximumTextBytes: control & 2 != 0 ? 1 << 20 : 200)
        let payload = memory.lay(input.rest, atFront: control & 4 != 0)
        var scratch = ScratchMemory(chunkBytes: 256)
        // What was handed out before stays as it is, and so does the text while more is handed out.
        let before = scratch.allocate(8)
        before.storeBytes(of: 0x0123_4567_89AB_CDEF, as: UInt64.self)
        do throws(TreeError) {
            let text = try CBOR.jsonText(of: payload, limits: limits, into: &scratch)
            claim(text.count <= limits.maximumTextBytes, "\(text.count) bytes of text where \(limits.maximumTextBytes) are allowed")
            let copy = Array(text)
            let other = try CBOR.jsonText(of: payload, limits: limits, into: &scratch)
            claim(other.elementsEqual(copy) && text.elementsEqual(copy), "the same payload is two texts")
            check(text, limits)
        } catch {
            claim((0...payload.count).contains(error.byteOffset) && !error.description.isEmpty, "\(error) in \(payload.count) bytes")
        }
        claim(before.load(as: UInt64.self) == 0x0123_4567_89AB_CDEF, "a write into what was handed out before")
    }

    private func check(_ text: UnsafeRawBufferPointer, _ limits: TreeLimits) {
        do throws(JSONError) {
            try JSON.validate(text, options: JSON.Options(maximumDepth: limits.maximumDepth, allowsNaN: false))
        } catch {
            claim(false, "\(String(decoding: text, as: UTF8.self)) is no JSON: \(error)")
        }
    }
}

import FuzzSupport
import Payload

/// The last byte of an input says within which limits the rest, a payload, is read.
@main
struct AirVantageFuzz {
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = AirVantageFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let control = input.byte()
        let limits = TreeLimits(maximumDepth: Int(control >> 4) + 2, maximumTextBytes: control & 2 != 0 ? 1 << 20 : 300)
        let payload = memory.lay(input.rest, atFront: control & 4 != 0)
        var scratch = ScratchMemory(chunkBytes: 256)
        do throws(AirVantageError) {
            let text = try AirVantage.jsonText(of: payload, limits: limits, into: &scratch)
            claim(text.count <= limits.maximumTextBytes, "\(text.count) bytes of text where \(limits.maximumTextBytes) are allowed")
            check(text)
        } catch {
            claim(!error.description.isEmpty, "an error without words")
        }
    }

    /// Every sample has a time that reads as one, or null, and a name.
    private func check(_ text: UnsafeRawBufferPointer) {
        guard let list = try? JSON.validate(text) else { return claim(false, "\(String(decoding: text, as: UTF8.self)) is no JSON") }
        claim(list.kind == .array, "the samples are no array")
        var samples = JSON.Items(list)
        var (key, sample) = (Value.missing, Value.missing)
        while samples.next(key: &key, item: &sample) {
            let time = Array("time".utf8).withUnsafeBytes { JSON.member($0, of: sample) }
            let isTime = (try? RFC3339.microseconds(time.bytes, zone: nil)) != nil
            claim(time.kind == .null || isTime, "no time: \(String(decoding: text, as: UTF8.self))")
            let name = Array("name".utf8).withUnsafeBytes { JSON.member($0, of: sample) }
            claim(name.kind == .string || name.kind == .escapedString, "no name: \(String(decoding: text, as: UTF8.self))")
        }
    }
}

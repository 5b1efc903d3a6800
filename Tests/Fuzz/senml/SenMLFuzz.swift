import FuzzSupport
import Payload

/// The last byte of an input says how the rest, a pack of SenML, is read.
@main
struct SenMLFuzz {
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = SenMLFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let control = input.byte()
        let limits = TreeLimits(maximumDepth: Int(control >> 4) + 2, maximumTextBytes: control & 2 != 0 ? 1 << 20 : 300)
        let received: Int64 = control & 8 != 0 ? 1_704_067_200_000_001 : -1
        let payload = memory.lay(input.rest, atFront: control & 4 != 0)
        let representations: [SenML.Representation?] = control & 1 != 0 ? [nil, .json, .cbor] : [nil]
        for representation in representations {
            var scratch = ScratchMemory(chunkBytes: 256)
            do throws(SenMLError) {
                let text = try SenML.jsonText(
                    of: payload, representation: representation, receivedMicroseconds: received, limits: limits, into: &scratch)
                claim(text.count <= limits.maximumTextBytes, "\(text.count) bytes of text where \(limits.maximumTextBytes) are allowed")
                check(text)
                try isResolved(text, received, limits)
            } catch {
                claim(!error.description.isEmpty, "an error without words")
            }
        }
    }

    /// Every record has its name and its time.
    private func check(_ text: UnsafeRawBufferPointer) {
        guard let pack = try? JSON.validate(text) else { return claim(false, "\(String(decoding: text, as: UTF8.self)) is no JSON") }
        claim(pack.kind == .array, "the records are no array")
        var records = JSON.Items(pack)
        var (key, record) = (Value.missing, Value.missing)
        while records.next(key: &key, item: &record) {
            for (name, kind) in [("n", Value.Kind.string), ("t", .number)] {
                let value = Array(name.utf8).withUnsafeBytes { JSON.member($0, of: record) }
                claim(value.kind == kind && value.count > 0, "a record without \(name): \(String(decoding: text, as: UTF8.self))")
            }
        }
    }

    /// What is resolved stays the same when it is resolved again, but for times that were close to the year 1978.
    private func isResolved(_ text: UnsafeRawBufferPointer, _ received: Int64, _ limits: TreeLimits) throws(SenMLError) {
        var scratch = ScratchMemory(chunkBytes: 256)
        let again = try SenML.jsonText(
            of: text, representation: .json, receivedMicroseconds: 0, limits: TreeLimits(maximumDepth: limits.maximumDepth), into: &scratch)
        let isSame = again.elementsEqual(text)
        claim(isSame, "\(String(decoding: text, as: UTF8.self)) is resolved to \(String(decoding: again, as: UTF8.self))")
    }
}

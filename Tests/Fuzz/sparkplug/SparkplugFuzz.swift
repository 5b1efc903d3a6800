import FuzzSupport
import Payload
import Sparkplug

/// The last byte of an input says on which topic the rest comes, and how often it is cut: a conversation of several messages then.
@main
struct SparkplugFuzz {
    private static let topics = [
        "spBv1.0/G/NBIRTH/N", "spBv1.0/G/NDATA/N", "spBv1.0/G/DBIRTH/N/D", "spBv1.0/G/DDATA/N/D", "spBv1.0/G/NDEATH/N",
        "spBv1.0/G/DDEATH/N/D",
        "spBv1.0/G/NCMD/N", "other",
    ].map { Array($0.utf8) }
    private static let bounds = BirthRegistry.Bounds(nodes: 2, metrics: 50, bytes: 8192)
    private static let textBytesMax = 1 << 16
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = SparkplugFuzz()
        fuzz(target.run)
    }

    /// What became of a message.
    private enum Outcome: Equatable {
        case text([UInt8])
        case refused(SparkplugError)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let look = input.byte()
        var messages: [(topic: [UInt8], payload: UnsafeRawBufferPointer)] = []
        for _ in 0..<Int(look >> 3 & 3) {
            let topic = Self.topics[Int(input.byte()) % Self.topics.count]
            let count = input.number(below: max(input.rest.count, 1))
            messages.append((topic, input.first(count)))
        }
        messages.append((Self.topics[Int(look & 7)], input.rest))

        let registry = BirthRegistry(bounds: Self.bounds)
        let outcomes = converse(messages, registry, atFront: look & 0x20 != 0, isWholeSeen: look & 0x40 == 0)
        let figures = registry.figures
        claim(figures.nodes <= Self.bounds.nodes && figures.metrics <= Self.bounds.metrics, "kept beyond the bounds: \(figures)")
        // Seeds of hashes and places in memory do not matter, and nothing is left of one message in the next but what births say.
        let again = converse(messages, BirthRegistry(bounds: Self.bounds), atFront: look & 0x20 == 0, isWholeSeen: look & 0x40 == 0)
        claim(outcomes == again, "the same messages mean something else: \(outcomes) and \(again)")
    }

    private func converse(
        _ messages: [(topic: [UInt8], payload: UnsafeRawBufferPointer)], _ registry: BirthRegistry, atFront: Bool, isWholeSeen: Bool
    ) -> [Outcome] {
        var decoder = SparkplugDecoder(births: .seen(registry), maximumBytes: Self.textBytesMax)
        return messages.enumerated().map { index, message in
            let payload = memory.lay(message.payload, atFront: atFront)
            return message.topic.withUnsafeBytes { topic in
                do throws(SparkplugError) {
                    try decoder.decode(topic: topic, payload: payload, receivedMicroseconds: Int64(index)) { _ in isWholeSeen }
                } catch {
                    claim(!"\(error)".isEmpty, "a refusal without words")
                    return .refused(error)
                }
                check(decoder.document)
                claim(decoder.notes.birth == nil || message.topic.contains(UInt8(ascii: "B")), "a birth on the topic of something else")
                return .text(Array(decoder.document))
            }
        }
    }

    /// The text is one that the reader of JSON takes, and each metric has a name.
    private func check(_ text: UnsafeRawBufferPointer) {
        claim(text.count <= Self.textBytesMax, "\(text.count) bytes of text")
        do throws(JSONError) {
            let document = try JSON.validate(text)
            let metrics = Array("metrics".utf8).withUnsafeBytes { JSON.member($0, of: document) }
            claim(metrics.kind == .array, "metrics are \(metrics.kind)")
            var items = JSON.Items(metrics)
            var key = Value.missing
            var item = Value.missing
            while items.next(key: &key, item: &item) {
                let name = Array("name".utf8).withUnsafeBytes { JSON.member($0, of: item) }
                claim(name.kind == .string || name.kind == .escapedString, "a metric's name is \(name.kind)")
            }
        } catch {
            claim(false, "not JSON: \(error)")
        }
    }
}

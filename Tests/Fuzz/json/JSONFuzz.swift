import FuzzSupport
import Payload

/// The last byte of an input says how the rest, a JSON text, is read.
@main
struct JSONFuzz {
    /// No path, the whole, nested ones, and more members than are tried one by one.
    private static let tries = [
        [], [[]], [["a"], ["b", "c"], ["0"], ["1", "0"], ["list", "1", "x"], []],
        "a b c d e f temperature humidity a_name_longer_than_16_bytes ts 0 7".split(separator: " ").map { [String($0)] } + [["v", "x"]],
    ].map { PathTrie(paths: $0) }

    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = JSONFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let control = input.byte()
        let depth = control & 0x80 != 0 ? Int(control & 0x7F) / 4 + 1 : control & 0x40 != 0 ? JSON.depthLimit : 64
        let options = JSON.Options(maximumDepth: depth, allowsNaN: control & 1 != 0)
        let text = memory.lay(input.rest, atFront: control & 2 != 0)

        lines(text)
        let isAccepted = ReferenceJSON.accepts(text, maximumDepth: depth, allowsNaN: options.allowsNaN)
        for trie in Self.tries { decode(text, options, trie, isAccepted) }
        do throws(JSONError) {
            let value = try JSON.validate(text, options: options)
            claim(isAccepted, "accepted, and is no JSON")
            var budget = 64
            JSONValueClaims(text: text, options: options, tries: Self.tries).hold(for: value, budget: &budget)
        } catch {
            claim(!isAccepted, "is JSON, and refused: \(error)")
            claim((0...text.count).contains(error.byteOffset), "\(error) in \(text.count) bytes")
        }
    }

    private func decode(_ text: UnsafeRawBufferPointer, _ options: JSON.Options, _ trie: PathTrie, _ isAccepted: Bool) {
        withUnsafeTemporaryAllocation(of: Value.self, capacity: trie.slotCount + 1) { slots in
            guard let first = slots.baseAddress else { return }
            // One value behind the last slot shows a write too far.
            first[trie.slotCount] = .integer(4711)
            do throws(JSONError) {
                try JSON.decode(text, options: options, trie: trie, into: first)
                claim(isAccepted, "decoded, and is no JSON")
            } catch {
                claim(!isAccepted, "is JSON, and not decoded: \(error)")
                claim((0...text.count).contains(error.byteOffset), "\(error) in \(text.count) bytes")
            }
            claim(first[trie.slotCount].word == 4711, "a write behind the last slot")
            for slot in slots.prefix(trie.slotCount) { claim(text.holds(slot.bytes), "a value outside the text") }
        }
    }

    /// Lines of newline-delimited JSON hold all that is not blank, in order.
    private func lines(_ text: UnsafeRawBufferPointer) {
        var lines = JSON.Lines(text)
        var end = 0
        func isBlank(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool { bytes.allSatisfy { " \t\r\n".utf8.contains($0) } }
        while let line = lines.next() {
            claim(lines.byteOffset >= end && text.holds(line), "a line that is not behind the last one")
            claim(isBlank(text[end..<lines.byteOffset]), "text passed over between two lines")
            claim(!line.contains(0x0A), "two lines in one")
            end = lines.byteOffset + line.count
        }
        claim(isBlank(text[end...]), "text passed over behind the last line")
    }
}

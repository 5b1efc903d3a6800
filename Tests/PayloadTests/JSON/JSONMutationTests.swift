import Foundation
import Payload
import Testing

@Suite("Documents changed at random never trap, and agree with another parser")
struct JSONMutationTests {
    private static let documents = [
        #"{"ts":"2026-01-01T00:00:00.123456Z","temp":21.5,"hum":40.3,"seq":123456,"ok":true,"unit":"C","fw":"1.4.3"}"#,
        #"{"a":{"b":[1,-2.5e3,{"c":null}],"b":{"c":false}},"list":[0,{"x":[]},"\u00e9\uD83D\uDE00\n"],"long name of a member":"Größe 😀"}"#,
        #" [ [ 1 , 2 ] , { "0" : "zero" , "1" : { } } , true , false , null , 0.0 , -0 , 1E5 , "" ] "#,
    ]

    /// Where Foundation takes more than RFC 8259 has, or less than it allows, it is no judge: byte order marks and other encodings,
    /// numbers beyond a double, depth.
    private static func isJudge(_ document: [UInt8]) -> Bool {
        guard let first = document.first, first != 0xEF, first != 0xFE, first != 0xFF, !document.contains(0) else { return false }
        return !zip(document, document.dropFirst()).contains { (0x30...0x39).contains($0) && $1 | 0x20 == UInt8(ascii: "e") }
    }

    @Test("random changes", arguments: 0..<8)
    func mutations(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet =
            Array(#"{}[]",:\ .-+0123456789truefalsnbdu/"#.utf8) + [0x00, 0x09, 0x0A, 0x1F, 0x80, 0xC3, 0xA9, 0xE2, 0xED, 0xF0, 0xFF]
        var judged = 0
        for round in 0..<2_000 {
            var document = Array(Self.documents[round % Self.documents.count].utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !document.isEmpty {
                let place = Int.random(in: 0..<document.count, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: document.remove(at: place)
                case 1: document.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
                case 2: document[place] = alphabet.randomElement(using: &generator) ?? 0
                case 3: document.swapAt(place, Int.random(in: 0..<document.count, using: &generator))
                default:
                    let end = min(document.count, place + Int.random(in: 1...12, using: &generator))
                    document.insert(contentsOf: document[place..<end], at: Int.random(in: 0...document.count, using: &generator))
                }
            }
            let isJSON = failure(document) == nil
            guard Self.isJudge(document) else { continue }
            judged += 1
            let other = try? JSONSerialization.jsonObject(with: Data(document), options: .fragmentsAllowed)
            #expect(isJSON == (other != nil), "\(String(decoding: document, as: UTF8.self)) \(document)")
        }
        #expect(judged > 100)
    }

    @Test("random trees are read as Foundation reads them", arguments: 0..<20)
    func trees(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func text(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 4 ? 5 : 8), using: &generator) {
            case 0: return "null"
            case 1: return Bool.random(using: &generator) ? "true" : "false"
            case 2: return "\(Int.random(in: -1_000_000...1_000_000, using: &generator))"
            case 3: return "\(Double(Int.random(in: -100_000...100_000, using: &generator)) / 64)"
            case 4:
                let pieces = ["a", "\\n", "é", "😀", "\\u0041", "\\uD83D\\uDE00", "longer text", "\\\"", "\\\\", " "]
                return "\""
                    + (0..<Int.random(in: 0...6, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
                    + "\""
            case 5, 6:
                let names = ["a", "b", "temperature", "humidity", "x1", "x2", "\\u0061b", "a longer name than that"].shuffled(
                    using: &generator)
                return "{"
                    + names.prefix(Int.random(in: 0...6, using: &generator)).map { "\"\($0)\": \(text(depth + 1))" }.joined(separator: ", ")
                    + "}"
            default: return "[" + (0..<Int.random(in: 0...5, using: &generator)).map { _ in text(depth + 1) }.joined(separator: ",") + "]"
            }
        }
        for _ in 0..<200 {
            let document = Array(text(0).utf8)
            let other = try JSONSerialization.jsonObject(with: Data(document), options: .fragmentsAllowed)
            try withGuardedBytes(document) { bytes in try compare(JSON.validate(bytes), other) }
            // Every path of the tree, planned at once, leads where Foundation leads.
            var paths: [[String]] = []
            func collect(_ value: Any, _ path: [String]) {
                paths.append(path)
                if let object = value as? [String: Any] { for (name, member) in object { collect(member, path + [name]) } }
                if let array = value as? [Any] { for (index, item) in array.enumerated() { collect(item, path + ["\(index)"]) } }
            }
            collect(other, [])
            paths.shuffle(using: &generator)
            let trie = PathTrie(paths: paths)
            var slots = Array(repeating: Value.missing, count: trie.slotCount)
            try withGuardedBytes(document) { bytes in
                try JSON.decode(bytes, trie: trie, into: &slots)
                for (path, slot) in zip(paths, trie.slots) { try compare(slots[slot], Self.follow(path, in: other)) }
            }
        }
    }

    private static func follow(_ path: [String], in root: Any) -> Any {
        path.reduce(root) { value, name in
            if let object = value as? [String: Any] { return object[name] ?? NSNull() }
            if let array = value as? [Any], let index = Int(name) { return array[index] }
            return NSNull()
        }
    }

    private func compare(_ value: Value, _ other: Any) throws {
        switch value.kind {
        case .null: #expect(other is NSNull)
        case .true, .false: #expect(other as? Bool == (value.kind == .true))
        case .number: #expect(try NumberText.double(value.bytes) == (other as? NSNumber)?.doubleValue)
        case .string, .escapedString: #expect(unescaped(value) == other as? String)
        case .array:
            let array = try #require(other as? [Any])
            var items = JSON.Items(value)
            var key = Value.missing
            var item = Value.missing
            var index = 0
            while items.next(key: &key, item: &item) {
                try compare(item, try #require(index < array.count ? array[index] : nil))
                index += 1
            }
            #expect(index == array.count)
        case .object:
            let object = try #require(other as? [String: Any])
            var items = JSON.Items(value)
            var key = Value.missing
            var item = Value.missing
            while items.next(key: &key, item: &item) { try compare(item, try #require(object[unescaped(key)])) }
            #expect(items.count == object.count)
        default: Issue.record("\(value.kind) is no kind of JSON")
        }
    }
}

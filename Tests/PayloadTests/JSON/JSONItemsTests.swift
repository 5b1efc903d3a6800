import Payload
import Testing

@Suite("Items, members and elements of validated containers")
struct JSONItemsTests {
    /// Calls `body` with the value of a document.
    private func with<Result>(_ text: String, options: JSON.Options = .init(), _ body: (Value) throws -> Result) throws -> Result {
        try withGuardedBytes(Array(text.utf8)) { try body(JSON.validate($0, options: options)) }
    }

    private func items(_ text: String) throws -> [String] {
        try with(text) { container in
            var items = JSON.Items(container)
            var key = Value.missing
            var item = Value.missing
            var seen: [String] = []
            while items.next(key: &key, item: &item) { seen.append("\(words(key)): \(words(item))") }
            #expect(items.count == seen.count)
            #expect(!items.next(key: &key, item: &item))
            return seen
        }
    }

    @Test("arrays give indices and items, objects names and members, repeated ones too")
    func order() throws {
        #expect(try items(#"[1, "a" ,[2],{"x":3},null]"#) == ["0: 1", "1: 'a'", "2: [2]", #"3: {"x":3}"#, "4: null"])
        #expect(
            try items(#"{"b":1, "a" : {"b":2},"b":[3],"\u0062":4}"#) == ["'b': 1", #"'a': {"b":2}"#, "'b': [3]", #"escaped '\u0062': 4"#])
        #expect(try items("[]") == [])
        #expect(try items("{ }") == [])
        #expect(try items("[ [] ]") == ["0: []"])
        #expect(try items("5") == [])
        #expect(try items("\"[1]\"") == [])
    }

    @Test("each item fills a trie in the same walk")
    func filling() throws {
        let trie = PathTrie(paths: [["t"], ["v", "x"], []])
        try with(#"[{"t":1,"v":{"x":2}}, {"v":{"y":1},"t":"\n"},{}, 7, [1], {"t":8}]"#) { container in
            var items = JSON.Items(container)
            var key = Value.missing
            var item = Value.missing
            var slots = Array(repeating: Value.integer(99), count: trie.slotCount)
            var seen: [[String]] = []
            while items.next(key: &key, item: &item, filling: trie, into: &slots) {
                seen.append(trie.slots.map { words(slots[$0]) })
                #expect(words(slots[trie.slots[2]]) == words(item))
            }
            #expect(
                seen == [
                    ["1", "2", #"{"t":1,"v":{"x":2}}"#], [#"escaped '\n'"#, "missing", #"{"v":{"y":1},"t":"\n"}"#],
                    ["missing", "missing", "{}"],
                    ["missing", "missing", "7"], ["missing", "missing", "[1]"], ["8", "missing", #"{"t":8}"#],
                ])
        }
    }

    @Test("a value fills a trie of its own")
    func fill() throws {
        let trie = PathTrie(paths: [["a"], [], ["b", "1"]])
        func filled(_ value: Value) -> [String] {
            var slots = Array(repeating: Value.integer(99), count: trie.slotCount)
            JSON.fill(value, trie: trie, into: &slots)
            return trie.slots.map { words(slots[$0]) }
        }
        #expect(try with(#"{"a":1,"b":[2,3]}"#) { filled($0) } == ["1", #"{"a":1,"b":[2,3]}"#, "3"])
        #expect(try with("[1]") { filled($0) } == ["missing", "[1]", "missing"])
        #expect(try with("\"x\"") { filled($0) } == ["missing", "'x'", "missing"])
        #expect(filled(.integer(5)) == ["missing", "5", "missing"])
        #expect(filled(.missing) == ["missing", "missing", "missing"])
        // Text that was accepted with nan and with deeper nesting stays readable.
        let options = JSON.Options(maximumDepth: 1000, allowsNaN: true)
        let deep = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(try with("{\"z\":\(deep),\"a\":nan}", options: options) { filled($0)[0] } == "null")
    }

    @Test("the last member of a name, the element of an index")
    func lookUp() throws {
        func member(_ name: String, _ text: String) throws -> String {
            try with(text) { value in Array(name.utf8).withUnsafeBytes { words(JSON.member($0, of: value)) } }
        }
        #expect(try member("a", #"{"a":1,"b":2,"a":3}"#) == "3")
        #expect(try member("b", #"{"a":1,"\u0062":2}"#) == "2")
        #expect(try member("c", #"{"a":1}"#) == "missing")
        #expect(try member("", #"{"":1}"#) == "1")
        #expect(try member("a", #"["a"]"#) == "missing")
        func element(_ index: Int, _ text: String) throws -> String { try with(text) { words(JSON.element(index, of: $0)) } }
        #expect(try element(0, "[1,2,3]") == "1")
        #expect(try element(2, "[1,2,3]") == "3")
        #expect(try element(3, "[1,2,3]") == "missing")
        #expect(try element(-1, "[1,2,[3]]") == "[3]")
        #expect(try element(-3, "[1,2,3]") == "1")
        #expect(try element(-4, "[1,2,3]") == "missing")
        #expect(try element(.min, "[1]") == "missing")
        #expect(try element(.max, "[1]") == "missing")
        #expect(try element(-1, "[]") == "missing")
        #expect(try element(0, #"{"0":1}"#) == "missing")
    }

    @Test("a value against the contract ends the walk, and nothing is read beyond it")
    func brokenContract() {
        for text in ["[", "{", "[1", "[1,", "{\"a\"", "{\"a\":", "{1}", "[x]", "{\"a\":1,", ""] {
            withGuardedBytes(Array(text.utf8)) { bytes in
                for kind in [Value.Kind.object, .array] {
                    let value = Value(kind: kind, bytes: bytes)
                    var items = JSON.Items(value)
                    var key = Value.missing
                    var item = Value.missing
                    var count = 0
                    while items.next(key: &key, item: &item) { count += 1 }
                    #expect(count <= 1)
                    var slots = [Value.missing, .missing]
                    JSON.fill(value, trie: PathTrie(paths: [["a"], ["0"]]), into: &slots)
                    #expect(!JSON.containsNUL(value))
                }
                let escaped = Value(kind: .escapedString, bytes: bytes)
                #expect(unescaped(escaped).utf8.count == JSON.unescapedCount(escaped))
            }
        }
        for text in ["\\", "\\u", "\\u12", "\\uD83D", "\\uD83D\\", "\\uD83D\\u12", "a\\"] {
            withGuardedBytes(Array(text.utf8)) { bytes in
                let value = Value(kind: .escapedString, bytes: bytes)
                #expect(JSON.unescapedCount(value) <= bytes.count)
                _ = unescaped(value)
                #expect(!JSON.isText(value, equalTo: UnsafeRawBufferPointer(start: nil, count: 0)) || JSON.unescapedCount(value) == 0)
            }
        }
    }

    @Test("newline-delimited documents come one by one, blank lines left out")
    func lines() {
        func lines(_ text: String) -> [String] {
            withGuardedBytes(Array(text.utf8)) { bytes in
                var lines = JSON.Lines(bytes)
                var seen: [String] = []
                while let line = lines.next() { seen.append("\(lines.byteOffset) \(String(decoding: line, as: UTF8.self))") }
                return seen
            }
        }
        #expect(lines("{}\n[1]\n") == ["0 {}", "3 [1]"])
        #expect(lines("\n \t\r\n1\r\n\n2") == ["5 1\r", "9 2"])
        #expect(lines("") == [])
        #expect(lines("\n\n") == [])
    }
}

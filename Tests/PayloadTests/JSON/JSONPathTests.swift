import Payload
import Testing

@Suite("One pass fills the slots of the paths that are wanted")
struct JSONPathTests {
    @Test("scalars, objects and arrays land in their slots, in any order of the members")
    func slots() throws {
        let text =
            #"{"ts":"2026-01-01T00:00:00Z","temp":-21.50,"ok":true,"off":false,"none":null,"o":{"x":1, "y":[2]},"l":[ 1,2 ],"e":"a\"b"}"#
        let paths = ["l", "ts", "none", "temp", "off", "o", "ok", "e", "absent", "o.y", "$"]
        #expect(
            try read(text, paths) == [
                "[ 1,2 ]", "'2026-01-01T00:00:00Z'", "null", "-21.50", "false", #"{"x":1, "y":[2]}"#, "true", #"escaped 'a\"b'"#, "missing",
                "[2]", text,
            ])
    }

    @Test("a place may be wanted itself and below itself")
    func nodeWithSlotAndChildren() throws {
        #expect(try read(#"{"a":{"b":{"c":1}}}"#, ["a", "a.b", "a.b.c"]) == [#"{"b":{"c":1}}"#, #"{"c":1}"#, "1"])
        #expect(try read(#"{"a":5}"#, ["a", "a.b", "a.b.c"]) == ["5", "missing", "missing"])
        #expect(try read(#"{"a":[{"b":1}]}"#, ["a", "a.b"]) == [#"[{"b":1}]"#, "missing"])
    }

    @Test(
        "a root that is no object",
        arguments: [("5", "5"), ("\"x\"", "'x'"), (" null ", "null"), ("[1]", "[1]"), ("true", "true"), ("{}", "{}")])
    func root(_ text: String, expected: String) throws {
        #expect(try read(text, ["$"]) == [expected])
        #expect(try read(text, ["$", "a", "a.b"]) == [expected, "missing", "missing"])
        #expect(try read(text, ["a"]) == ["missing"])
        #expect(try read(text, []) == [])
    }

    @Test("of repeated members the last wins, with all that lies below it")
    func repeated() throws {
        #expect(try read(#"{"a":1,"a":2}"#, ["a"]) == ["2"])
        #expect(try read(#"{"a":{"x":1,"y":2},"a":{"y":3}}"#, ["a", "a.x", "a.y"]) == [#"{"y":3}"#, "missing", "3"])
        #expect(try read(#"{"a":{"x":1},"a":null}"#, ["a", "a.x"]) == ["null", "missing"])
        #expect(try read(#"{"a":{"x":1},"a":[7]}"#, ["a.x", "a.0"]) == ["missing", "7"])
        #expect(try read(#"{"a":[7,8],"a":[9]}"#, ["a.0", "a.1"]) == ["9", "missing"])
        #expect(try read(#"{"a":{"b":{"c":1,"c":2},"b":{"d":3}},"z":0}"#, ["a.b.c", "a.b.d", "z"]) == ["missing", "3", "0"])
        #expect(try read(#"{"a":{"b":1},"\u0061":{"c":2}}"#, ["a.b", "a.c"]) == ["missing", "2"])
    }

    @Test("elements of arrays by index, from 0, and members whose names are digits")
    func indices() throws {
        let paths = ["2", "0", "1.x", "1.1", "11", "3"]
        #expect(try read(#"["a",{"x":1,"1":9},[3]]"#, paths) == ["[3]", "'a'", "1", "9", "missing", "missing"])
        #expect(try read("[0,1,2,3,4,5,6,7,8,9,10,11,12]", paths) == ["2", "0", "missing", "missing", "11", "3"])
        #expect(try read(#"{"2":"two","0":0,"1":[4,5]}"#, paths) == ["'two'", "0", "missing", "5", "missing", "missing"])
        #expect(try read("[]", paths) == Array(repeating: "missing", count: 6))
        #expect(try read(#"[[1,[2,{"a":[3,4]}]]]"#, ["0.1.1.a.1"]) == ["4"])
        // "00" is a name, not an index.
        #expect(try read("[[5]]", ["00", "0.00", "0.0"]) == ["missing", "missing", "5"])
    }

    @Test("names of every length are told from their neighbours", arguments: 0...40)
    func nameLengths(_ length: Int) throws {
        let name = String("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH".prefix(length))
        let others = [name + "x", "x" + name, String(name.dropLast()), name + name + "x", name.uppercased() + "y"].filter { $0 != name }
        for spacing in ["", " ", "\n  "] {
            let text =
                "{" + others.map { "\"\($0)\"\(spacing):\(spacing)0," }.joined(separator: spacing) + "\"\(name)\"\(spacing):\(spacing)7}"
            let last = "{\"\(name)\":8,\"zz\":[1,2,3,4,5,6,7,8,9,10]}"
            let trie = PathTrie(paths: [[name]])
            var slot = Value.missing
            for (text, expected) in [(text, "7"), (last, "8")] {
                try withGuardedBytes(Array(text.utf8)) { bytes in
                    try JSON.decode(bytes, trie: trie, into: &slot)
                    #expect(words(slot) == expected, "\(text)")
                }
            }
        }
    }

    @Test("a planned name at the end of a text that is cut off is not read past that end", arguments: 1...20)
    func cutNames(_ length: Int) {
        let name = String("abcdefghijklmnopqrstuvwxyz".prefix(length))
        let document = Array("{\"\(name)\":1}".utf8)
        for count in 1..<document.count {
            for planned in [name, name + "x", String(name.dropLast())] {
                #expect(throws: JSONError.self) { try read(Array(document[..<count]), [planned]) }
            }
        }
    }

    @Test("names with escapes are decoded before they are compared")
    func escapedNames() throws {
        let name = #"{"t\u0065mp":1,"gr\u00f6\u00dfe":2,"\uD83D\uDE00":3,"a\/b":4,"q\"q":5,"tem\u0070x":6,"back\\slash":7,"\n":8}"#
        #expect(
            try read(name, ["temp", "größe", "😀", "a/b", "q\"q", "back\\slash", "\n", "tem"]) == [
                "1", "2", "3", "4", "5", "7", "8", "missing",
            ])
        // The raw bytes of an escaped name are not the name.
        #expect(try read(#"{"a\u0062":1}"#, [#"a\u0062"#, "ab"]) == ["missing", "1"])
        #expect(try read("{\"größe\":1,\"温度\":2}", ["größe", "温度", "gr"]) == ["1", "2", "missing"])
    }

    @Test("a place with many children finds each of them, and no stranger")
    func manyChildren() throws {
        for count in [8, 9, 16, 17, 40, 300] {
            let names = (0..<count).map { "measurement_channel_\($0)" }
            let strangers = (count..<2 * count).map { "measurement_channel_\($0)" }
            let members = (names + strangers).shuffled().map { "\"\($0)\":\($0.split(separator: "_")[2])" }
            #expect(try read("{" + members.joined(separator: ",") + "}", names) == (0..<count).map(String.init))
            let short = (0..<count).map { "c\($0)" }
            #expect(
                try read("{" + short.reversed().map { "\"\($0)\":true" }.joined(separator: ", ") + ",\"c\":1}", short)
                    == short.map { _ in "true" })
        }
        #expect(try read(#"{"\u0061\u0031":1}"#, (0..<30).map { "a\($0)" })[1] == "1")
    }

    @Test("values point into the text, strings inside their quotes")
    func ranges() throws {
        let text = Array(#" {"a": "xyz" , "b":[ 1 ] }"#.utf8)
        let trie = PathTrie(paths: [["a"], ["b"], []])
        var slots = Array(repeating: Value.missing, count: trie.slotCount)
        try text.withUnsafeBytes { bytes in
            try JSON.decode(bytes, trie: trie, into: &slots)
            let base = try #require(bytes.baseAddress)
            let starts = trie.slots.map { slots[$0].bytes.baseAddress.map { $0 - base } }
            #expect(starts == [8, 19, 1])
            #expect(trie.slots.map { slots[$0].count } == [3, 5, 25])
        }
    }

    @Test("what lies beside the paths is checked all the same")
    func unplanned() {
        for text in [
            #"{"a":1,"b":{"c":[1,2,}]}}"#, #"{"a":1,"z":"\x"}"#, #"{"z":01,"a":1}"#, #"{"a":1,"z":tru}"#, "{\"a\":1,\"z\":\"\u{1}\"}",
        ] {
            #expect(throws: JSONError.self) { try read(text, ["a"]) }
        }
    }
}

import Testing

@testable import Payload

@Suite("A path trie numbers its slots depth first")
struct PathTrieTests {
    @Test("slots follow the depth, not the order of the paths, and equal paths share one")
    func slots() {
        let trie = PathTrie(paths: [["b"], ["a", "y"], ["a"], ["a", "x"], ["b"], ["a", "x", "z"]])
        #expect(trie.slotCount == 5)
        #expect(trie.slots == [0, 2, 1, 3, 0, 4])
        let root = trie.nodes[0]
        #expect((root.slot, root.slotsBegin, root.slotsEnd) == (-1, 0, 5))
        let a = trie.nodes[Int(trie.children[Int(root.firstChild) + 1].node)]
        #expect((a.slot, a.slotsBegin, a.slotsEnd) == (1, 1, 5))
    }

    @Test("no path, and the path of the root itself")
    func small() {
        #expect(PathTrie(paths: []).slotCount == 0)
        #expect(PathTrie(paths: [[]]).slots == [0])
        #expect(PathTrie(paths: [[], ["a"]]).slots == [0, 1])
    }

    @Test("names that are the same to a reader but differ in bytes are two names")
    func bytes() {
        #expect(PathTrie(paths: [["\u{E9}"], ["e\u{301}"]]).slotCount == 2)
    }

    @Test(
        "digits read as an index, without zeros in front",
        arguments: [
            ("0", 0), ("7", 7), ("123", 123), ("999999999", 999_999_999), ("1000000000", -1), ("01", -1), ("-1", -1), ("", -1), ("1a", -1),
            ("٣", -1),
        ])
    func indices(_ name: String, expected: Int32) {
        let trie = PathTrie(paths: [[name]])
        #expect(trie.children[0].arrayIndex == expected)
        #expect(trie.nodes[0].lastArrayIndex == expected)
    }
}

@Suite("A trie without paths")
struct EmptyPathTrieTests {
    @Test("any object is skipped, whatever its members are called", arguments: [[], ["$"]] as [[String]])
    func skipsObjects(paths: [String]) throws {
        // With no child to compare with, nothing may be compared: memory behind an empty list holds anything.
        for name in ["", "t", "ts", "a longer name than eight bytes"] {
            let text = #"{ "\#(name)":"2026-01-01T00:00:00Z","list":[{"\#(name)":1}],"x":{"\#(name)":{}}}"#
            #expect(try read(text, paths) == paths.map { _ in text })
        }
    }
}

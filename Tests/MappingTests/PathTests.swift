import Testing

@testable import Mapping

@Suite("Paths mean what they say")
struct PathTests {
    @Test(
        "names of digits, after a segment that only the message tells",
        arguments: [
            ("007", "5"), ("7", "6"), ("\"+7\"", "8"), ("-7", "9"),
        ])
    func digits(name: String, stored: String) throws {
        let text = "topic: t\neach: {k: $.m.*}\ntable: x\ncolumns:\n  v: real from $.n.{k@key}.\(name)"
        #expect(try rows(text, #"{"m":{"a":1},"n":{"a":{"007":5,"7":6,"+7":8,"-7":9}}}"#) == [[stored]])
    }

    @Test("names may hold an @, as those of JSON-LD do")
    func atSigns() throws {
        let text = "topic: t\neach: {i: $.list.*}\ntable: x\ncolumns: {k: text from $.@type, w: text from i.@id, n: bigint from i@index}"
        #expect(try rows(text, #"{"@type":"x","list":[{"@id":"y"}]}"#) == [["x", "y", "0"]])
    }

    @Test("rest keeps an array of which one element is taken, from its end or at a loop's place")
    func restKeepsArrays() throws {
        let last = "topic: t\ntable: x\ncolumns: {last: real from $.list.-1, e: jsonb from rest}"
        #expect(try rows(last, #"{"list":[1,2],"k":3}"#) == [["2", #"{"list":[1,2],"k":3}"#]])
        let beside = "topic: t\ntable: x\ncolumns: {v: real from $.a.0, e: jsonb from rest}"
        #expect(try rows(beside, #"{"a":[1,2]}"#) == [["1", #"{"a":[1,2]}"#]])
    }

    @Test("a test beside a loop waits for it, however its variable is named")
    func testsBesideLoops() throws {
        let text = "topic: t\neach: {t: $.time.*}\nwhen:\n  $.q.{t@index}: 0\ntable: x\ncolumns:\n  v: real from $.v.{t@index}"
        #expect(try rows(text, #"{"time":[0,60],"q":[0,1],"v":[1.5,2.5]}"#) == [["1.5"]])
        let outer = "topic: t\neach: {a: $.a.*, b: $.b.*}\nwhen:\n  a.m.{b@index}: 1\ntable: x\ncolumns: {v: real from b}"
        #expect(try rows(outer, #"{"a":[{"m":[0,1]}],"b":[10,20]}"#) == [["20"]])
    }

    @Test("members of a loop's items can be ignored")
    func ignoredMembers() throws {
        let text = "topic: t\nignore: [s.crc]\neach: {s: $.s.*}\ntable: x\ncolumns: {v: real from s.v, e: jsonb from rest}"
        #expect(try rows(text, #"{"s":[{"v":1,"crc":7,"k":2}]}"#) == [["1", #"{"k":2}"#]])
    }

    @Test(
        "globs take characters, not bytes",
        arguments: [
            ("?", "ä", true), ("??", "ä", false), ("[äö]", "ö", true), ("[!äö]", "ü", true), ("[!]a]", "b", true), ("[!]a]", "]", false),
            ("[]a]", "]", true), ("a*c", "abbc", true), ("a*c", "abcd", false), ("*ä*", "xäy", true), ("[a-c]", "b", true),
            ("[a-]", "-", true), ("[c-a]", "b", false), ("[", "[", true), ("[a", "[a", true), ("", "", true), ("*", "", true),
            ("?", "", false),
            ("[α-ω]x", "λx", true), ("😀?", "😀!", true), ("*aab", "aaaab", true),
        ])
    func globs(pattern: String, text: String, isTaken: Bool) {
        #expect(Array(text.utf8).withUnsafeBytes { Glob(pattern).matches($0) } == isTaken)
    }
}

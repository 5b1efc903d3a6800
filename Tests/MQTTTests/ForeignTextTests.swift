import MQTT
import Testing

@Suite("Text of strangers")
struct ForeignTextTests {
    @Test(
        "what is not seen, or changes how the rest is seen, is escaped",
        arguments: [
            ("plain ÄÖ 東京 😀", "plain ÄÖ 東京 😀"), ("a\u{1B}[2Jb", "a\\u{1b}[2Jb"), ("a\u{9B}2Jb", "a\\u{9b}2Jb"),
            ("\u{202E}gpj.exe", "\\u{202e}gpj.exe"), ("a\r\nb\u{2028}c\u{85}d", "a\\u{d}\\u{a}b\\u{2028}c\\u{85}d"),
            ("a\u{200B}b\u{FEFF}", "a\\u{200b}b\\u{feff}"), ("\u{7F}\u{E000}", "\\u{7f}\\u{e000}"), ("", ""),
        ])
    func escapes(text: String, shown: String) {
        #expect("\(ForeignText(Array(text.utf8)))" == shown)
    }

    @Test("it is cut by its scalars, so that a heap of combining marks is not one character, and bytes that are no text are shown as such")
    func cut() {
        let heap = "e" + String(repeating: "\u{301}", count: 10_000)
        #expect(ForeignText(Array(heap.utf8), maximumCharacters: 10).description.unicodeScalars.count == 10)
        #expect(ForeignText([0x61, 0xFF, 0x62]).description == "a\u{FFFD}b")
        #expect(ForeignText(Array("abc".utf8), maximumCharacters: 2).description == "ab")
    }
}

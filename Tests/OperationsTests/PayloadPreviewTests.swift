import Testing

@testable import Operations

@Suite("How a payload begins, for people")
struct PayloadPreviewTests {
    private func preview(_ bytes: [UInt8], of payloadBytes: Int? = nil) -> (PayloadKind, String) {
        let preview = PayloadPreview(bytes, payloadBytes: payloadBytes ?? bytes.count)
        return (preview.kind, preview.text)
    }

    @Test(
        "text stays as it came",
        arguments: ["", "open", "{\"t\": 21.5}", "a\tb\r\nc", "Füllstand 🚰", "{\"t\": 21.5}\0", "\u{1B}[31m0123456789", "\u{202E}abc"])
    func text(text: String) { #expect(preview(Array(text.utf8)) == (.text, text)) }

    @Test(
        "what is no text is digits",
        arguments: [
            ([0x01, 0x0A, 0xFF], "01 0a ff"), ([0xC3, 0x28], "c3 28"), ([0x00], "00"),
            // UTF-8 by chance.
            ([0x01, 0x00, 0x41, 0x42], "01 00 41 42"), ([0x00, 0x00, 0x00, 0x64], "00 00 00 64"),
            // A surrogate, and a character that has less than its bytes where nothing was cut off.
            ([0xED, 0xA0, 0x80], "ed a0 80"), ([0x61, 0xF0, 0x9F, 0x9A], "61 f0 9f 9a"),
        ] as [([UInt8], String)])
    func bytes(bytes: [UInt8], digits: String) { #expect(preview(bytes) == (.bytes, digits)) }

    @Test("a character that is cut by the end of the preview makes no bytes of a text", arguments: 1...4)
    func cut(bytesLeft: Int) {
        let start = Array("a".utf8) + Array("🚰".utf8.prefix(bytesLeft))
        #expect(preview(start, of: 5) == (.text, bytesLeft == 4 ? "a🚰" : "a"))
    }

    @Test("of bytes a hundred are shown")
    func long() {
        let (kind, text) = preview([UInt8](repeating: 0xFE, count: 400), of: 10_000)
        #expect(kind == .bytes && text.utf8.count == 299 && text.hasPrefix("fe fe ") && text.hasSuffix(" fe"))
    }
}

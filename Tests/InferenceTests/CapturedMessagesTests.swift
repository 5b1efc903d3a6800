import Testing

@testable import Inference

@Suite("Messages that were written down are read")
struct CapturedMessagesTests {
    @Test("as JSON, with their time, quality of service and bytes")
    func json() throws {
        let text = """
            {"tst":"2026-03-01T12:00:00.000000Z+0000","topic":"a/b","qos":1,"retain":1,"payloadlen":3,"payload":"x y"}
            {"topic":"a","payload_hex":"00ff","received":1772366400.5}

            {"topic":"c","payload_base64":"AAE=","received":"2026-03-01T12:00:01Z"}\r
            """
        let messages = try CapturedMessages.read(Array(text.utf8), now: 7)
        #expect(messages.map(\.topic) == ["a/b", "a", "c"])
        #expect(messages.map(\.payload) == [Array("x y".utf8), [0, 255], [0, 1]])
        #expect(messages.map(\.receivedMicroseconds) == [1_772_366_400_000_000, 1_772_366_400_500_000, 1_772_366_401_000_000])
        #expect(messages.map(\.isRetained) == [true, false, false])
        #expect(messages.map(\.qos) == [1, 0, 0])
    }

    @Test("as a topic, a space and the payload")
    func plain() throws {
        let messages = try CapturedMessages.read(Array("a/b {\"c\": 1}\nd 1 2\ne \n".utf8), now: 7)
        #expect(messages.map(\.topic) == ["a/b", "d", "e"])
        #expect(messages.map { String(decoding: $0.payload, as: UTF8.self) } == [#"{"c": 1}"#, "1 2", ""])
    }

    @Test(
        "and what is neither is told with its line",
        arguments: ["ok 1\nnospace", "ok 1\n{\"topic\":1}", "ok 1\n{", "ok 1\n{\"topic\":\"a\",\"payload_hex\":\"0g\"}"])
    func wrong(text: String) {
        #expect(throws: CapturedMessages.Fault.self) { try CapturedMessages.read(Array(text.utf8), now: 7) }
        do { _ = try CapturedMessages.read(Array(text.utf8), now: 7) } catch { #expect(error.line == 2) }
    }
}

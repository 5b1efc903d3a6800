import CopyFormat
import MQTT
import Testing

@testable import Mapping

@Suite("Trees and packed payloads are read within the limits of decoding")
struct TreePayloadTests {
    /// Sends one message through a mapping with a payload limit, and gives its failures.
    private func failure(_ text: String, _ payload: [UInt8], maximumPayloadBytes: Int = 1000, maximumDepth: Int = 64) throws -> String? {
        let plan = MappingPlan([try mapping(text)])
        let limits = EvaluationLimits(maximumPayloadBytes: maximumPayloadBytes, maximumDepth: maximumDepth)
        var evaluator = Evaluator(plan: plan, limits: limits)
        let buffer = UnsafeMutablePointer<CopyBuffer>.allocate(capacity: 1)
        buffer.initialize(to: CopyBuffer(capacity: 1024))
        defer {
            buffer.deinitialize(count: 1)
            buffer.deallocate()
        }
        return payload.withUnsafeBytes { payload in
            Array("t".utf8).withUnsafeBytes { topic in
                let message = MessageInput(topic: topic, payload: payload, receivedMicroseconds: 0, qos: 0, isRetained: false)
                _ = evaluator.process(message, into: buffer)
                return evaluator.failures.first?.reason
            }
        }
    }

    @Test(
        "What is unpacked may not have more bytes than a payload",
        arguments: [
            ("zstd", "28b52ffda440420f005400001000000100fbff39c00202001000020010000200100002001000020010000200100003120a00ccaeca39"),
            ("gzip", "1f8b0800000000000203edc101010000008220ffaf6e484001" + String(repeating: "00", count: 968) + "af069ecb791240420f00"),
        ])
    func bomb(step: String, hex: String) throws {
        let text = "topic: t\nunpack: \(step)\ndecode: bytes\ntable: x\ncolumns: {v: bytea from $}"
        let payload = bytes(ofHex: hex)
        #expect(try failure(text, payload, maximumPayloadBytes: 2000) == "unpack \(step): more than decode.max_bytes (2000) come out")
        #expect(try failure(text, payload, maximumPayloadBytes: 1_000_000) == nil)
    }

    @Test("JSON text may have eight times the bytes of a payload")
    func textLimit() throws {
        let text = "topic: t\ndecode: cbor\ntable: x\ncolumns: {v: jsonb from $}"
        // Times of two bytes are texts of 22.
        let times = [0x98, 50] + [[UInt8]](repeating: [0xC1, 0x00], count: 50).joined()
        #expect(try failure(text, times, maximumPayloadBytes: 102)?.hasPrefix("decode cbor: more than 816 bytes of JSON text") == true)
        #expect(try failure(text, times, maximumPayloadBytes: 200) == nil)
    }

    @Test("The depth limit is the one of the payload, also where a sample stands deeper in its list")
    func depth() throws {
        let text = "topic: t\ndecode: airvantage\ntable: x\ncolumns: {v: jsonb from sample.value}"
        let payload = Array(#"{"a":[{"value":[[1]]}]}"#.utf8)
        #expect(try failure(text, payload, maximumDepth: 5) == nil)
        #expect(try failure(text, payload, maximumDepth: 4)?.contains("nested deeper than 4 levels") == true)
        let plain = Array(#"{"a":{"0":{}}}"#.utf8)
        #expect(try failure(text, plain, maximumDepth: 3)?.contains("a timestamp") == true)
        #expect(try failure("topic: t\ndecode: cbor\ntable: x\ncolumns: {v: jsonb from $}", [0x81, 0x81, 0x80], maximumDepth: 3) == nil)
        let tooDeep = try failure("topic: t\ndecode: cbor\ntable: x\ncolumns: {v: jsonb from $}", [0x81, 0x81, 0x80], maximumDepth: 2)
        #expect(tooDeep == "decode cbor: nested deeper than 2 levels at byte 2")
    }

    @Test(
        "Nan, infinities and bytes of a tree are what null_if and parse take them for",
        arguments: [
            ("{type: real, from: $.n, null_if: nan}", "NULL"), ("{type: real, from: $.i, null_if: [inf, -inf]}", "NULL"),
            ("{type: text, from: $.n}", "nan"), ("{type: bytea, from: $.b, parse: base64}", "\\x00ff"), ("{type: text, from: $.b}", "AP8="),
            ("{type: real, from: $.f}", "21.5"), ("{type: text, from: $.f}", "21.5"), ("{type: text, from: $.w}", "21"),
        ])
    func column(column: String, shown: String) throws {
        // {"n": nan, "i": inf, "b": h'00ff', "f": 21.5, "w": 21.0}
        let payload = bytes(ofHex: "a5616ef97e006169f97c0061624200ff6166fa41ac00006177f94d40")
        let text = "topic: t\ndecode: cbor\ntable: x\nkeep_empty: true\ncolumns: {v: \(column)}"
        let trial = trial([try mapping(text)], "t", payload)
        #expect(trial.failures.isEmpty, "\(trial.failures)")
        #expect(trial.rows.flatMap { $0.rows.map { $0.map { $0?.shown ?? "NULL" } } } == [[shown]])
    }

    @Test("Nan of a tree is no number")
    func nan() throws {
        let reason = try reason("topic: t\ndecode: cbor\ntable: x\ncolumns: {v: real}", bytes(ofHex: "a16176f97e00"))
        #expect(reason == "column 'v': 'nan' is not a number")
    }

    private func bytes(ofHex hex: String) -> [UInt8] {
        stride(from: 0, to: hex.utf8.count - 1, by: 2).map { offset in
            let digits = hex.dropFirst(offset).prefix(2)
            return UInt8(digits, radix: 16) ?? 0
        }
    }
}

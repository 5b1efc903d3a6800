import Payload
import Testing

@testable import Sparkplug

@Suite("A payload becomes text, each value as its datatype has it")
struct DecodingTests {
    @Test("values of every datatype", arguments: vectors)
    func decodes(_ vector: Vector) throws {
        var host = Host()
        let text = host.receive("spBv1.0/G/DDATA/N/D", vector.payload)
        #expect(text == vector.text)
        try Array(text.utf8).withUnsafeBytes { _ = try JSON.validate($0) }
    }

    @Test("every datatype has its vector")
    func isComplete() {
        let texts = vectors.map(\.text).joined()
        for type in Datatype.allCases where type != .propertySet && type != .propertySetList {
            #expect(texts.contains("\"datatype\":\"\(type.name)\"") || texts.contains("\"types\":[\"\(type.name)\""), "\(type.name)")
        }
    }

    @Test("no prefix of a payload is read beyond its end, and no byte of it can trap", arguments: vectors)
    func isSafe(_ vector: Vector) {
        var host = Host()
        for count in 0..<vector.payload.count { _ = host.receive("spBv1.0/G/DDATA/N/D", Array(vector.payload.prefix(count))) }
        for index in vector.payload.indices {
            for byte in [0, 0x7F, 0x80, 0xFF] as [UInt8] {
                var spoilt = vector.payload
                spoilt[index] = byte
                let text = host.receive("spBv1.0/G/DDATA/N/D", spoilt)
                guard text.hasPrefix("{") else { continue }
                #expect(throws: Never.self) { try Array(text.utf8).withUnsafeBytes { _ = try JSON.validate($0) } }
            }
        }
    }

    static let refused: [(String, [UInt8], String)] = [
        ("JSON", Array("{\"metrics\":[]}".utf8), "wire type 3 at byte 0 is not one of Sparkplug B"),
        ("a field that is cut", bytes("120a0a05"), "the payload ends within the field at byte 0"),
        ("a number of eleven bytes", bytes("08ffffffffffffffffffffff01"), "the number at byte 1 is too long"),
        ("field number 0", bytes("0001"), "a field without a number at byte 0"),
        ("a timestamp as bytes", bytes("0a00"), "timestamp is not encoded as Sparkplug B has it"),
        ("a metric as a number", bytes("1001"), "a metric is not encoded as Sparkplug B has it"),
        ("a name that is no text", Wire.payload(seq: 0, [Wire.bytes(1, [0xFF, 0xFE])]), "a metric's name is not valid UTF-8"),
        ("no name and no alias", Wire.payload(seq: 0, [Wire.number(4, 3)]), "metric 0 has neither a name nor an alias"),
        (
            "an unknown datatype", Wire.payload(seq: 0, [Wire.text(1, "v") + Wire.number(4, 99) + Wire.number(10, 1)]),
            "metric 'v': there is no datatype 99"
        ),
        (
            "a whole number beyond its datatype", Wire.payload(seq: 0, [Wire.metric("v", type: .uint8, int: 256)]),
            "metric 'v': the value is not one of datatype UInt8"
        ),
        (
            "a signed number beyond its datatype", Wire.payload(seq: 0, [Wire.metric("v", type: .int8, int: 300)]),
            "metric 'v': the value is not one of datatype Int8"
        ),
        (
            "a text for a number", Wire.payload(seq: 0, [Wire.text(1, "v") + Wire.number(4, 3) + Wire.text(15, "7")]),
            "metric 'v': the value is not one of datatype Int32"
        ),
        (
            "half an element", Wire.payload(seq: 0, [Wire.text(1, "v") + Wire.number(4, 24) + Wire.bytes(16, [1, 2, 3])]),
            "metric 'v': the value is not one of datatype Int32Array"
        ),
        (
            "more bits than bytes",
            Wire.payload(seq: 0, [Wire.text(1, "v") + Wire.number(4, 32) + Wire.bytes(16, [255, 255, 255, 255, 1])]),
            "metric 'v': the value is not one of datatype BooleanArray"
        ),
        (
            "a string without its end", Wire.payload(seq: 0, [Wire.text(1, "v") + Wire.number(4, 33) + Wire.bytes(16, [65])]),
            "metric 'v': the value is not one of datatype StringArray"
        ),
        (
            "a data set with a cell too many",
            Wire.payload(
                seq: 0,
                [
                    Wire.text(1, "v") + Wire.number(4, 16)
                        + Wire.bytes(17, Wire.text(2, "a") + Wire.number(3, 3) + Wire.bytes(4, Wire.bytes(1, []) + Wire.bytes(1, [])))
                ]), "metric 'v': a row has more cells than there are columns"
        ),
        (
            "a key without a value", Wire.payload(seq: 0, [Wire.text(1, "v") + Wire.bytes(9, Wire.text(1, "k"))]),
            "metric 'v': a property set has not as many keys as values"
        ),
        (
            "a whole number without a datatype", Wire.payload(seq: 0, [Wire.metric("v", int: 1)]),
            "metric 'v' comes without its datatype: no birth certificate was seen"
        ),
    ]

    @Test("what cannot be read without a guess is refused, with the reason", arguments: refused)
    func refuses(_ name: String, _ payload: [UInt8], _ reason: String) {
        var host = Host()
        #expect(host.receive("spBv1.0/G/DDATA/N/D", payload) == reason, "\(name)")
    }

    @Test("packed numbers, unknown fields and fields that come twice are read as Protocol Buffers has it")
    func readsVariants() {
        var host = Host()
        let types = Wire.bytes(3, Wire.varint(3) + Wire.varint(12))
        let set =
            Wire.text(2, "a") + Wire.text(2, "b") + types
            + Wire.bytes(4, Wire.bytes(1, Wire.number(1, 7)) + Wire.bytes(1, Wire.text(6, "x")))
        let metric = Wire.text(1, "old") + Wire.text(1, "v") + Wire.bytes(17, set) + Wire.number(4, 16) + Wire.text(500, "extension")
        #expect(
            host.receive("a/topic", Wire.bytes(2, metric) + Wire.number(9, 1))
                == #"{"metrics":[{"name":"v","datatype":"DataSet","value":{"columns":["a","b"],"types":["Int32","String"],"rows":[[7,"x"]]}}]}"#
        )
    }

    @Test("templates within templates end at a depth, and property sets too")
    func isBoundedInDepth() {
        var template: [UInt8] = []
        var set: [UInt8] = []
        for _ in 0..<40 {
            template = Wire.bytes(2, Wire.text(1, "m") + Wire.number(4, 19) + Wire.bytes(18, template))
            set = Wire.text(1, "k") + Wire.bytes(2, Wire.number(1, 20) + Wire.bytes(9, set))
        }
        var host = Host()
        let deep = "templates or property sets lie more than 16 levels deep"
        #expect(host.receive("t", Wire.payload(seq: 0, [Wire.text(1, "m") + Wire.number(4, 19) + Wire.bytes(18, template)])) == deep)
        #expect(host.receive("t", Wire.payload(seq: 0, [Wire.text(1, "m") + Wire.bytes(9, set)])) == deep)
    }

    @Test("a payload that makes more text than is allowed is refused: a bit becomes a word of six letters")
    func isBoundedInSize() {
        var host = Host(maximumBytes: 4096)
        let bits = [0, 16, 0, 0] + [UInt8](repeating: 0, count: 512)
        let payload = Wire.payload(seq: 0, [Wire.text(1, "v") + Wire.number(4, 32) + Wire.bytes(16, bits)])
        #expect(host.receive("t", payload) == "the payload makes more than 4096 bytes of text")
        #expect(host.receive("t", Wire.payload(seq: nil, [])) == #"{"timestamp":1700000000000,"metrics":[]}"#)
    }

    @Test(
        "topics of edge nodes",
        arguments: [
            ("spBv1.0/G/NBIRTH/N", "NBIRTH node G/N"), ("spBv1.0/G 1/DDATA/N 2/D 3", "DDATA device G 1/N 2/D 3"),
            ("spBv1.0/G/DDATA/N", nil), ("spBv1.0/G/NDATA/N/D", nil), ("spBv1.0/G/OTHER/N", nil), ("spBv1.0/G/NDATA/", nil),
            ("spBv1.0/", nil),
            ("spBv1.0", nil), ("spAv1.0/G/NDATA/N", nil), ("spBv1.0/G/DDATA/N/D/E", nil), ("spBv1.0/STATE/host", "STATE"),
        ] as [(String, String?)])
    func readsTopics(_ topic: String, _ expected: String?) {
        Array(topic.utf8).withUnsafeBytes { bytes in
            do throws(SparkplugError) {
                let read = try SparkplugTopic(bytes)
                #expect(read.map { "\($0.type.rawValue) \($0.place)" } == expected)
            } catch {
                #expect(expected == "STATE" && error == .stateMessage)
            }
        }
    }
}

import CopyFormat
import Sparkplug
import Testing

@testable import Mapping

@Suite("Sparkplug messages are decoded once, whatever takes them")
struct SparkplugMappingTests {
    private static let all = """
        topic: ["spBv1.0/+/+/+", "spBv1.0/+/+/+/+"]
        decode: {sparkplug: {rebirth: true}}
        table: metrics
        columns: {metric: text not null from metric.name, value: bigint from metric.value}
        """

    /// seq 0: `Speed`, alias 7, Int32.
    private static let birth: [UInt8] = [
        0x12, 0x0D, 0x0A, 0x05, 0x53, 0x70, 0x65, 0x65, 0x64, 0x10, 0x07, 0x20, 0x03, 0x50, 0x01, 0x18, 0x00,
    ]

    /// Alias 7 alone, below 128.
    private static func data(_ seq: UInt8, _ value: UInt8) -> [UInt8] { [0x12, 0x04, 0x10, 0x07, 0x50, value, 0x18, seq] }

    /// Sends messages through one evaluator: rows written, or the failures of each.
    private func send(_ mappings: [MappingSyntax], _ messages: [(String, [UInt8])], registry: BirthRegistry = BirthRegistry()) -> [String] {
        let plan = MappingPlan(mappings)
        return messages.map { topic, payload in
            let trial = Trial(plan, topic: topic, payload: payload, receivedMicroseconds: 1_700_000_000_000_000, births: .seen(registry))
            if let failure = trial.failures.first { return failure.reason }
            return trial.rows.flatMap(\.rows).map { $0.map { $0?.shown ?? "NULL" }.joined(separator: "=") }.joined(separator: " ")
        }
    }

    @Test("two mappings take one message: its number counts once, and both get its names")
    func isDecodedOnce() throws {
        let mappings = [try mapping(Self.all, name: "one"), try mapping(Self.all.replacing("metrics", with: "others"), name: "two")]
        let registry = BirthRegistry()
        let rows = send(
            mappings, [("spBv1.0/G/NBIRTH/N", Self.birth), ("spBv1.0/G/NDATA/N", Self.data(1, 5)), ("spBv1.0/G/NDATA/N", Self.data(2, 6))],
            registry: registry)
        #expect(rows == ["Speed=1 Speed=1", "Speed=5 Speed=5", "Speed=6 Speed=6"])
        #expect(registry.figures.gaps == 0)
    }

    @Test("a birth that is larger than a payload may be ends the former one")
    func forgetsWhatIsTooLarge() throws {
        let plan = MappingPlan([try mapping(Self.all)])
        let registry = BirthRegistry()
        let large = Self.birth + [0x2A, 20] + Array(repeating: 0, count: 20)
        var last = ""
        for (topic, payload) in [("NBIRTH", Self.birth), ("NBIRTH", large), ("NDATA", Self.data(1, 5))] {
            let trial = Trial(
                plan, topic: "spBv1.0/G/\(topic)/N", payload: payload, receivedMicroseconds: 1_700_000_000_000_000,
                limits: EvaluationLimits(maximumPayloadBytes: 30), births: .seen(registry))
            last = trial.failures.first?.reason ?? "rows"
        }
        #expect(last.contains("no birth certificate was seen"), "\(last)")
    }

    @Test("where no mapping takes all messages of a node, a number that is not there is no gap")
    func judgesOnlyWhatItSees() throws {
        let some = Self.all.replacing(#"["spBv1.0/+/+/+", "spBv1.0/+/+/+/+"]"#, with: #""spBv1.0/+/+/+""#)
        let messages = [("spBv1.0/G/NBIRTH/N", Self.birth), ("spBv1.0/G/NDATA/N", Self.data(9, 5))]
        #expect(send([try mapping(some)], messages).last == "Speed=5")
        #expect(send([try mapping(Self.all)], messages).last?.contains("messages are missing") == true)
        // Another mapping may see what this one does not.
        let devices = try mapping(Self.all.replacing(#""spBv1.0/+/+/+", "#, with: ""), name: "devices")
        #expect(send([try mapping(some), devices], messages).last?.contains("messages are missing") == true)
        let excluding = Self.all + "\nexclude: [spBv1.0/+/DDATA/+/+]"
        #expect(send([try mapping(excluding)], messages).last == "Speed=5")
    }

    @Test("only where a mapping wants it is a node asked for its birth, once in a while")
    func asks() throws {
        func commands(_ text: String) throws -> [String?] {
            let plan = MappingPlan([try mapping(text)])
            var evaluator = Evaluator(plan: plan)
            let buffers = UnsafeMutablePointer<CopyBuffer>.allocate(capacity: 1)
            buffers.initialize(to: CopyBuffer(capacity: 1024))
            defer {
                buffers.deinitialize(count: 1)
                buffers.deallocate()
            }
            return ["spBv1.0/G/NDATA/N", "spBv1.0/G/NDATA/N", "spBv1.0/G/NDATA/M", "spBv1.0/G/NBIRTH/O"].map { topic in
                Array(topic.utf8).withUnsafeBytes { topic in
                    (topic.contains(UInt8(ascii: "B")) && topic.last == UInt8(ascii: "O") ? Self.birth : Self.data(1, 1)).withUnsafeBytes {
                        payload in
                        _ = evaluator.process(
                            MessageInput(topic: topic, payload: payload, receivedMicroseconds: 0, qos: 0, isRetained: false), into: buffers)
                        return evaluator.rebirthCommand()?.topic
                    }
                }
            }
        }
        #expect(try commands(Self.all) == ["spBv1.0/G/NCMD/N", nil, "spBv1.0/G/NCMD/M", nil])
        #expect(try commands(Self.all.replacing("{sparkplug: {rebirth: true}}", with: "sparkplug")) == [nil, nil, nil, nil])
    }

    @Test("options are checked")
    func readsOptions() {
        let text = "topic: a\ntable: x\ncolumns: {v: real from metric.value}\n"
        #expect(mistakes(text + "decode: sparkplug").isEmpty)
        #expect(mistakes(text + "decode: {sparkplug: {rebirht: true}}").first?.contains("did you mean 'rebirth'") == true)
        #expect(mistakes(text + "decode: {sparkplug: {rebirth: perhaps}}").count == 1)
    }
}

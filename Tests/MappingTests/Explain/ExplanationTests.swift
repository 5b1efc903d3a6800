import Testing

@testable import Mapping

/// What a mapping makes of a message, received at 2024-01-01T00:00:00Z.
func explain(
    _ text: String, _ topic: String, _ payload: some Sequence<UInt8>, isRetained: Bool = false, properties: [UInt8] = []
) throws -> Explanation {
    Explanation(
        try mapping(text),
        TrialMessage(
            topic: topic, payload: Array(payload), receivedMicroseconds: 1_704_067_200_000_000, isRetained: isRetained,
            properties: properties))
}

func explain(_ text: String, _ payload: String) throws -> Explanation { try explain(text, "t", payload.utf8) }

@Suite("An explanation says why a message becomes no rows")
struct ExplanationTests {
    private static let rows = """
        topic: "a/{d}/x"
        exclude: [a/lab/#]
        when: {$.v: 1}
        rows:
          - table: one
            when: {$.kind: [batch, backfill], topic.d: d1}
            columns: {n: integer from $.n}
          - table: two
            when: {$.kind: status}
            columns: {n: integer from $.n}
        """

    @Test("a topic that no pattern takes: each with its place and level")
    func notMatched() throws {
        let explanation = try explain(Self.rows, "b/d1/x", "{}".utf8)
        guard case .notMatched(let patterns) = explanation.outcome else { throw Unexpected("\(explanation.outcome)") }
        #expect(
            patterns.map { "\($0.pattern.mark) \($0.mismatch.level) \($0.mismatch.words)" } == ["mappings/test.yaml:1:8 1 'b' is not 'a'"])
        #expect(!explanation.isMatched && explanation.payload == nil)
    }

    @Test("a topic that is excluded: by which pattern")
    func excluded() throws {
        let explanation = try explain(Self.rows, "a/lab/x", "{}".utf8)
        guard case .excluded(let pattern) = explanation.outcome else { throw Unexpected("\(explanation.outcome)") }
        #expect("\(pattern.value) \(pattern.mark)" == "a/lab/# mappings/test.yaml:2:11")
    }

    @Test("a retained or empty message: the policy that passes it over")
    func policies() throws {
        let simple = "topic: t\ntable: x\ncolumns: {v: real}"
        guard case .skipped(let retained) = try explain(simple, "t", "{}".utf8, isRetained: true).outcome else {
            throw Unexpected("retained")
        }
        #expect(retained == "the message is retained (retained: skip)")
        guard case .skipped(let empty) = try explain(simple, "t", "".utf8).outcome else { throw Unexpected("empty") }
        #expect(empty == "the payload is empty (empty_payload: skip)")
    }

    @Test("the message filter: the test that fails, its place and what was there")
    func filter() throws {
        let explanation = try explain(Self.rows, "a/d1/x", #"{"v":2,"kind":"batch"}"#.utf8)
        guard case .filtered = explanation.outcome else { throw Unexpected("\(explanation.outcome)") }
        #expect(explanation.failedTests.map { "\($0.mark) \($0.test) \($0.values)" } == [#"mappings/test.yaml:3:8 $.v: 1 ["2"]"#])
        #expect(explanation.blocks.isEmpty)
    }

    @Test("a block's 'when': only the tests that fail, block by block")
    func blocks() throws {
        let explanation = try explain(Self.rows, "a/d2/x", #"{"v":1,"kind":"batch","n":1}"#.utf8)
        guard case .filtered = explanation.outcome else { throw Unexpected("\(explanation.outcome)") }
        #expect(explanation.blocks.map { "\($0.table) \($0.rowCount)" } == ["one 0", "two 0"])
        #expect(
            explanation.blocks.flatMap(\.failedTests).map { "\($0.mark) \($0.test) \($0.values)" } == [
                #"mappings/test.yaml:6:39 topic.d: d1 ["\"d2\""]"#, #"mappings/test.yaml:9:12 $.kind: status ["\"batch\""]"#,
            ])
        #expect(try explain(Self.rows, "a/d1/x", #"{"v":1,"kind":"batch","n":1}"#.utf8).blocks.map(\.rowCount) == [1, 0])
    }

    @Test("tests of a loop: different values once, and tests that hold only one without the other")
    func loops() throws {
        let text = "topic: t\neach: {s: $.s.*}\nwhen: {s.q: {max: 2}, s.k: a}\ntable: x\ncolumns: {v: real from s.v}"
        let high = try explain(text, #"{"s":[{"q":3,"k":"a"},{"q":3,"k":"a"},{"q":4,"k":"a"}]}"#)
        #expect(high.blocks[0].failedTests.map { "\($0.test) \($0.values)" } == [#"s.q: {max: 2} ["3", "4"]"#])
        let apart = try explain(text, #"{"s":[{"q":1,"k":"b"},{"q":3,"k":"a"}]}"#)
        #expect(apart.blocks[0].failedTests.isEmpty && apart.blocks[0].failsTogether)
        guard case .noRows(let words) = try explain(text, #"{"s":[]}"#).outcome else { throw Unexpected("no items") }
        #expect(words == "its loops have no items")
    }

    @Test("rows without a value, rows that are skipped and values that are set to NULL are counted")
    func counts() throws {
        let text =
            "topic: t\neach: {s: $.s.*}\ntable: x\non_error: skip_row\ncolumns: {v: smallint from s.v, w: {type: real, from: s.w, on_error: set_null}}"
        let explanation = try explain(text, #"{"s":[{"v":1},{},{"v":"x"},{"w":"y"}]}"#)
        #expect(explanation.blocks.map { [$0.rowCount, $0.noValues, $0.skippedRows, $0.nulledColumns] } == [[2, 1, 1, 1]])
    }

    @Test("a dead letter: the column's place, and what it read in the iteration that fails")
    func letter() throws {
        let text = """
            topic: t
            rows:
              - table: one
                columns: {n: integer}
              - table: two
                each: {s: $.s.*}
                columns:
                  time: {type: timestamptz, from: [s.t, received], parse: unix, plus: {from: s@index, times: 1 ms}}
                  v: {type: smallint, from: s.v, max: 100}
            """
        let explanation = try explain(text, #"{"n":1,"s":[{"v":1},{"v":101},{"v":102}]}"#)
        guard case .deadLetter(let letter) = explanation.outcome else { throw Unexpected("\(explanation.outcome)") }
        #expect(letter.reason == "column 'v': 101 is beyond max 100" && letter.column == "v" && letter.table == "two")
        #expect(letter.mark.description == "mappings/test.yaml:9:7")
        #expect(letter.values.map { "\($0.source)=\($0.value ?? "nothing")" } == ["s.v=101"])
        let time = try explain(text, #"{"n":1,"s":[{"t":1,"v":1},{"t":"soon","v":1}]}"#)
        guard case .deadLetter(let other) = time.outcome else { throw Unexpected("\(time.outcome)") }
        #expect(
            other.values.map { "\($0.source)=\($0.value ?? "nothing")" } == [
                #"s.t="soon""#, #"received="2024-01-01T00:00:00Z""#, "s@index=1",
            ])
    }

    @Test("a payload that does not decode is a dead letter without fields")
    func undecoded() throws {
        let explanation = try explain("topic: t\ntable: x\ncolumns: {v: real}", "{")
        guard case .deadLetter(let letter) = explanation.outcome else { throw Unexpected("\(explanation.outcome)") }
        #expect(letter.reason.hasPrefix("decode json: unexpected end") && letter.column == nil)
        #expect(explanation.payload == nil)
    }

    struct Unexpected: Error {
        init(_ words: String) { self.words = words }
        let words: String
    }
}

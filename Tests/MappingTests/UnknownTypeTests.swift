import CopyFormat
import Testing

@testable import Mapping

@Suite("Types that the table knows and the mapping does not")
struct UnknownTypeTests {
    @Test(
        "are written as text, and shown so",
        arguments: ["citext", "hstore", "interval", "mood", "public.reel", "geometry(Point,4326)", "bit varying(5)"])
    func asText(type: String) throws {
        let text = "topic: t\ntable: x\ncolumns: {v: {type: \"\(type)\", from: $.v}, w: {type: \"\(type)[]\", from: $.w}}"
        #expect(try rows(text, #"{"v":"a\"b","w":["x",null,1.50]}"#) == [["a\"b", "{x,NULL,1.50}"]])
        #expect(try reason(text, #"{"v":{"a":1}}"#)?.contains("single value") == true)
        #expect(MappingPlan([try mapping(text)]).targets[0].isText)
    }

    @Test("have the rules of the table's type once it is known: labels of an enum, digits of a domain")
    func known() throws {
        let text = "topic: t\ntable: x\ncolumns: {v: mood, w: percent, l: text}"
        let mood = StoredType(type: .enumeration(name: "mood", labels: ["ok", "so so"]), sql: "mood", oid: 70_000, elementOID: 0)
        let percent = StoredType(type: .numeric(precision: 4, scale: 1), sql: "percent", oid: 70_001, elementOID: 0)
        let plan = MappingPlan([try mapping(text)], tableTypes: ["x": ["v": mood, "w": percent, "l": mood]])
        func outcome(_ payload: String) -> String {
            let trial = Trial(plan, topic: "t", payload: Array(payload.utf8), receivedMicroseconds: 0)
            return trial.failures.first?.reason ?? trial.rows.map { $0.rows.map { $0.map { $0?.shown ?? "NULL" } } }.description
        }
        #expect(outcome(#"{"v":"so so","w":12.34,"l":"ok"}"#) == #"[[["so so", "12.3", "ok"]]]"#)
        #expect(outcome(#"{"v":"bad"}"#) == "column 'v': 'bad' is no label of mood, which has 'ok', 'so so'")
        #expect(outcome(#"{"l":""}"#) == "column 'l': '' is no label of mood, which has 'ok', 'so so'")
        #expect(outcome(#"{"w":"x"}"#) == "column 'w': 'x' is not a number")
        #expect(outcome(#"{"w":1000}"#).contains("out of range"))
        #expect(!plan.targets[0].isText)
    }

    @Test("of many labels only the first are named")
    func manyLabels() throws {
        let type = StoredType(type: .enumeration(name: "e", labels: (0..<100).map { "l\($0)" }), sql: "e", oid: 1, elementOID: 0)
        let plan = MappingPlan([try mapping("topic: t\ntable: x\ncolumns: {v: text}")], tableTypes: ["x": ["v": type]])
        let trial = Trial(plan, topic: "t", payload: Array(#"{"v":"x"}"#.utf8), receivedMicroseconds: 0)
        #expect(trial.failures.first?.reason.hasSuffix("'l10', 'l11' and 88 more") == true)
    }

    @Test("a float of a binary payload is what its shortest text says")
    func floats() throws {
        let text = """
            topic: t
            decode: {binary: {fields: {v: f32 at 0}}}
            table: x
            columns: {n: numeric from $.v, t: text from $.v, d: double precision from $.v, r: real from $.v, j: jsonb from $.v}
            """
        let trial = trial([try mapping(text)], "t", [0x41, 0xC0, 0xCC, 0xCD])
        #expect(trial.rows.flatMap(\.rows).map { $0.map { $0?.shown ?? "NULL" } } == [["24.1", "24.1", "24.1", "24.1", "24.1"]])
    }
}

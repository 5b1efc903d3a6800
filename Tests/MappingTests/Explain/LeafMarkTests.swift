import Testing

@testable import Mapping

@Suite("Each leaf of a payload says which columns take it")
struct LeafMarkTests {
    /// `path fate columns`, one for each leaf.
    private func leaves(_ explanation: Explanation) throws -> [String] {
        var lines: [String] = []
        func walk(_ node: PayloadNode, _ path: String) {
            if !node.nameColumns.isEmpty { lines.append("\(path) name \(node.nameColumns.joined(separator: " "))") }
            guard node.children.isEmpty else { return node.children.forEach { walk($0, path + "." + $0.key) } }
            let columns = node.fate == .mapped ? node.columns : node.fate == .rest ? node.restColumns : []
            lines.append(([path, node.fate.rawValue] + columns).joined(separator: " "))
        }
        walk(try #require(explanation.payload), "$")
        for embed in explanation.embeds { walk(embed, embed.key) }
        return lines
    }

    @Test("mapped, taken by the rest, ignored, tested and unmapped")
    func fates() throws {
        let text = """
            topic: t
            when: {$.kind: a}
            ignore: [$.fw]
            table: x
            columns: {v: real from $.a.v, w: {type: text, join: [$.p, $.q]}, e: jsonb from rest}
            """
        let payload = #"{"kind":"a","fw":"1","a":{"v":1,"u":[2,3]},"p":"x","q":"y","empty":{}}"#
        #expect(
            try leaves(explain(text, payload)) == [
                "$.kind rest x.e", "$.fw ignored", "$.a.v mapped x.v", "$.a.u.0 rest x.e", "$.a.u.1 rest x.e", "$.p mapped x.w",
                "$.q mapped x.w", "$.empty rest x.e",
            ])
        let without = text.replacing(", e: jsonb from rest", with: "")
        #expect(
            try leaves(explain(without, payload)) == [
                "$.kind tested", "$.fw ignored", "$.a.v mapped x.v", "$.a.u.0 unmapped", "$.a.u.1 unmapped", "$.p mapped x.w",
                "$.q mapped x.w", "$.empty unmapped",
            ])
    }

    @Test("items that a 'when' passes over stay unmapped, and so does everything when the message filter fails")
    func items() throws {
        let text = """
            topic: t
            each: {s: $.s.*}
            when: {s.q: {not: {min: 128}}}
            table: x
            columns: {v: real from s.v, i: integer from s@index, time: {type: timestamptz, from: $.t0, parse: unix, plus: {from: s.dt}}}
            """
        #expect(
            try leaves(explain(text, #"{"t0":1,"s":[{"v":1,"q":0,"dt":1},{"v":2,"q":192,"dt":2}]}"#)) == [
                "$.t0 mapped x.time", "$.s.0 name x.i", "$.s.0.v mapped x.v", "$.s.0.q tested", "$.s.0.dt mapped x.time",
                "$.s.1.v unmapped", "$.s.1.q tested", "$.s.1.dt unmapped",
            ])
        let filtered = "topic: t\nwhen: {$.k: a}\nrows: [{table: x, columns: {v: real from $.v}}]"
        #expect(try leaves(explain(filtered, #"{"k":"b","v":1}"#)) == ["$.k tested", "$.v unmapped"])
    }

    @Test("maps: names that are data, arrays beside a loop, elements from the end, repeated members")
    func maps() throws {
        let text = """
            topic: t
            each: {k: $.m.*}
            when: {k@key: {match: "s*"}}
            table: x
            columns:
              name: text not null from k@key
              v: real from k
              label: text from $.labels.{k@key}
              last: real from $.list.-1
              at: real from $.list.{k@index}
            """
        #expect(
            try leaves(explain(text, #"{"m":{"s1":1,"x":2,"s2":3},"labels":{"s1":"a","x":"b"},"list":[7,8,9,10]}"#)) == [
                "$.m.s1 name x.name", "$.m.s1 mapped x.v", "$.m.x unmapped", "$.m.s2 name x.name", "$.m.s2 mapped x.v",
                "$.labels.s1 mapped x.label", "$.labels.x unmapped", "$.list.0 mapped x.at", "$.list.1 unmapped", "$.list.2 mapped x.at",
                "$.list.3 mapped x.last",
            ])
        #expect(try leaves(explain("topic: t\ntable: x\ncolumns: {v: real}", #"{"v":1,"v":2}"#)) == ["$.v unmapped", "$.v mapped x.v"])
    }

    @Test("a column that takes the whole takes every leaf; one whose own test fails takes none")
    func whole() throws {
        let text =
            "topic: t\ntable: x\ncolumns: {p: jsonb from $, n: {type: real, from: $.a.v, is: number}, s: {type: text, from: $.a.v, is: string}}"
        #expect(try leaves(explain(text, #"{"a":{"v":1},"b":2}"#)) == ["$.a.v mapped x.p x.n", "$.b mapped x.p"])
    }

    @Test("cells of CSV by name and by place, and pairs")
    func csv() throws {
        let named = "topic: t\ndecode: {csv: {header: first_line}}\ntable: x\ncolumns: {a: text from line.a, z: text from line.2}"
        #expect(
            try leaves(explain(named, "a,b,c\n1,2,3\n4,5,6")) == [
                "$.0.a mapped x.a", "$.0.b unmapped", "$.0.c mapped x.z", "$.1.a mapped x.a", "$.1.b unmapped", "$.1.c mapped x.z",
            ])
        let pairs = "topic: t\ndecode: {csv: {pairs_from: 1}}\ntable: x\ncolumns: {id: text from line.0, t: real from line.temp}"
        #expect(try leaves(explain(pairs, "d1,temp,21.5,hum,40")) == ["$.0.0 mapped x.id", "$.0.temp mapped x.t", "$.0.hum unmapped"])
    }

    @Test("fields and records of binary payloads, after unpacking; text and bytes as one leaf")
    func binary() throws {
        let text = """
            topic: t
            unpack: hex
            decode: {binary: {fields: {n: u8 at 0, m: u8 at 1}, groups: {rec: {at: 2, every: 2, count: $.n, fields: {v: u8 at 0, w: u8 at 1}}}}}
            each: {r: $.rec.*}
            table: x
            columns: {v: smallint from r.v, m: smallint from $.m}
            """
        #expect(
            try leaves(explain(text, "020105060708")) == [
                "$.n unmapped", "$.m mapped x.m", "$.rec.0.v mapped x.v", "$.rec.0.w unmapped", "$.rec.1.v mapped x.v",
                "$.rec.1.w unmapped",
            ])
        #expect(try leaves(explain("topic: t\ndecode: text\ntable: x\ncolumns: {v: text from $}", "hello")) == ["$ mapped x.v"])
        let bytes = try explain("topic: t\ndecode: bytes\ntable: x\ncolumns: {v: bytea from $}", "t", [0, 255])
        #expect(try leaves(bytes) == ["$ mapped x.v"] && bytes.payload?.text == "00ff")
    }

    @Test("an embedded payload has leaves of its own")
    func embed() throws {
        let text = """
            topic: t
            embed: {inner: {from: $.data, decode: json}}
            table: x
            columns: {v: real from inner.v, n: text from $.n}
            """
        #expect(
            try leaves(explain(text, #"{"n":"a","data":"{\"v\":1,\"w\":2}"}"#)) == [
                "$.n mapped x.n", "$.data mapped embed inner", "inner.v mapped x.v", "inner.w unmapped",
            ])
    }

    @Test("the collection of cases: every payload that decodes has a tree, and marks cost no answer")
    func cases() throws {
        var trees = 0
        for file in CaseTests.files {
            let reading = MappingReader.read(file: CaseTests.folder.appendingPathComponent(file).path)
            for mapping in reading.mappings {
                for test in mapping.tests where !test.payload.isEmpty {
                    let message = TrialMessage(
                        topic: test.topic, payload: test.payload, receivedMicroseconds: test.receivedMicroseconds,
                        isRetained: test.isRetained)
                    let explanation = Explanation(mapping, message)
                    guard case .rows = explanation.outcome else { continue }
                    trees += 1
                    let payload = try #require(explanation.payload, "\(file): \(test.name)")
                    var mapped = 0
                    for root in [payload] + explanation.embeds { root.forEachLeaf { mapped += $0.fate == .mapped ? 1 : 0 } }
                    #expect(mapped > 0, "\(file): \(test.name)")
                }
            }
        }
        #expect(trees > 25)
    }

    @Test("a payload with more members than are kept is cut, and says so")
    func cut() throws {
        let list = "[" + (0..<60_000).map(String.init).joined(separator: ",") + "]"
        let payload = try #require(try explain("topic: t\ntable: x\ncolumns: {v: real}", #"{"v":1,"l":\#(list)}"#).payload)
        #expect(payload.children.count == 2 && payload.children[0].fate == .mapped && payload.children[1].isCut)
    }
}

import Foundation
import Testing

@testable import Mapping

@Suite("The schema for editors says what the readers take")
struct MappingSchemaTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static let objects: [(name: String, reader: [String], schema: ObjectDescription)] = [
        ("file", Keys.file, MappingKeys.file), ("embed", Keys.embed, MappingKeys.embed), ("block", Keys.block, MappingKeys.block),
        ("table", Keys.table, MappingKeys.table), ("partition", Keys.partition, MappingKeys.partition),
        ("column", Keys.column, MappingKeys.column), ("plus", Keys.plus, MappingKeys.plus),
        ("sign", Keys.sign, MappingKeys.sign), ("test", Keys.test, MappingKeys.test), ("json", Keys.json, MappingKeys.json),
        ("csv", Keys.csv, MappingKeys.csv), ("sparkplug", Keys.sparkplug, MappingKeys.sparkplug),
        ("binary", Keys.binary, MappingKeys.binary), ("tagged", Keys.tagged, MappingKeys.tagged),
        ("taggedType", Keys.taggedType, MappingKeys.taggedType), ("field", Keys.field, MappingKeys.field),
        ("group", Keys.group, MappingKeys.group), ("mappingTest", Keys.mappingTest, MappingKeys.mappingTest),
        ("testMQTT", Keys.testMQTT, MappingKeys.testMQTT),
    ]

    @Test("every key that a reader takes is described, and the other way round")
    func keys() throws {
        for object in Self.objects { #expect(object.schema.keys.map(\.name).sorted() == object.reader.sorted(), "\(object.name)") }
        #expect(MappingKeys.decoders.map(\.name).sorted() == Keys.decoders.sorted())
        // No list of keys is left out of this test.
        let source = try String(contentsOf: Self.repository.appendingPathComponent("Sources/Mapping/Reader/Keys.swift"), encoding: .utf8)
        let lists = source.matches(of: /static let (\w+) = \[/).map { String($0.1) }.filter { $0 != "decoders" }
        #expect(lists.sorted() == Self.objects.map(\.name).sorted())
    }

    @Test("every key has words, and what is required is a key")
    func words() {
        for object in Self.objects {
            #expect(
                object.schema.keys.allSatisfy { $0.words.hasSuffix(".") || $0.words.contains(":") || $0.words.contains(",") },
                "\(object.name)")
            #expect(object.schema.required.allSatisfy { object.reader.contains($0) }, "\(object.name)")
        }
    }

    @Test("it is JSON, and the file beside the mappings is what the program prints")
    func committed() throws {
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(MappingSchema.text.utf8)) }
        let file = try String(contentsOf: Self.repository.appendingPathComponent("mappings/penstock.schema.json"), encoding: .utf8)
        #expect(file == MappingSchema.text, "run: penstock schema > mappings/penstock.schema.json")
    }

    private static func yaml(in folder: URL) -> [URL] {
        ((try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []).filter {
            $0.pathExtension == "yaml"
        }
        .sorted { $0.path < $1.path }
    }

    @Test("mappings that the readers take are taken by the schema")
    func takes() throws {
        let check = SchemaCheck(root: MappingSchema.document)
        var count = 0
        for file in Self.yaml(in: Self.repository.appendingPathComponent("mappings")) + Self.yaml(in: CaseTests.folder) {
            // Only what this version runs: some cases name options of tables that are to come.
            guard MappingReader.read(file: file.path).diagnostics.isEmpty else { continue }
            let text = try String(contentsOf: file, encoding: .utf8)
            let root = try #require(StrictNode.read(text, file: file.lastPathComponent, DiagnosticList()))
            #expect(check.accepts(root), "\(file.lastPathComponent)")
            count += 1
        }
        #expect(count >= 18)
    }

    @Test("the example mappings name the schema in their first line")
    func modeline() throws {
        let files = Self.yaml(in: Self.repository.appendingPathComponent("mappings"))
        #expect(files.count >= 3)
        for file in files {
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(text.hasPrefix("# yaml-language-server: $schema=penstock.schema.json\n"), "\(file.lastPathComponent)")
        }
    }

    @Test(
        "mistakes that it can see",
        arguments: [
            "tabel: x\ntopic: a\ncolumns: {v: real}", "table: x\ncolumns: {v: real}", "topic: a\ntable: x",
            "topic: a\nqos: 3\ntable: x\ncolumns: {v: real}", "topic: a\nretained: sometimes\ntable: x\ncolumns: {v: real}",
            "topic: $share/g/a\ntable: x\ncolumns: {v: real}", "topic: \"a/{b c}\"\ntable: x\ncolumns: {v: real}",
            "topic: a\ntable: {key: [a]}\ncolumns: {v: real}", "topic: a\ntable: {name: x, on_conflict: upsert}\ncolumns: {v: real}",
            "topic: a\ntable: x\ncolumns: {V: real}", "topic: a\ntable: x\ncolumns: {v: {tpye: real}}",
            "topic: a\ntable: x\ncolumns: {v: {type: real, convert: degX to degC}}",
            "topic: a\ntable: x\ncolumns: {v: {type: real, scale: two}}", "topic: a\ntable: x\ncolumns: {v: {type: real, from: \"a b\"}}",
            "topic: a\ndecode: xml\ntable: x\ncolumns: {v: real}", "topic: a\ndecode: {csv: {delimeter: ;}}\ntable: x\ncolumns: {v: real}",
            "topic: a\ndecode: {json: {}, csv: {}}\ntable: x\ncolumns: {v: real}",
            "topic: a\ndecode: {binary: {fields: {n: u33 at 0}}}\ntable: x\ncolumns: {n: real}",
            "topic: a\nunpack: rar\ntable: x\ncolumns: {v: real}", "topic: a\neach: $.list\ntable: x\ncolumns: {v: real}",
            "topic: a\nwhen: {$.k: {is: nubmer}}\ntable: x\ncolumns: {v: real}", "topic: a\nrows: []",
            "topic: a\ntable: x\ncolumns: {v: real}\ntests: [{topics: a}]",
        ])
    func refuses(text: String) throws {
        let root = try #require(StrictNode.read(text, file: "m.yaml", DiagnosticList()))
        #expect(!SchemaCheck(root: MappingSchema.document).accepts(root))
        #expect(!mistakes(text).isEmpty, "the reader does not mind it")
    }
}

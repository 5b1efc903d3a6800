import Foundation
import Testing

@testable import Mapping

/// What a newcomer copies from: the files of `mappings/examples`, and the mappings that the manual prints.
@Suite("Examples do what they show")
struct ExampleTests {
    static let folder = repository.appending(path: "mappings/examples")

    static var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
    }

    @Test("All tests of an example hold", arguments: files)
    func testsHold(file: String) throws {
        let reading = MappingReader.read(file: Self.folder.appending(path: file).path)
        #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics.map(\.description).joined(separator: "\n"))")
        let mapping = try #require(reading.mappings.first)
        #expect(!mapping.tests.isEmpty, "an example shows its rows")
        for failure in MappingTestRunner.run(mapping) { Issue.record("\(failure)") }
    }

    @Test("An example says what it is for, its topic, and how to adapt it", arguments: files)
    func head(file: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first == "# yaml-language-server: $schema=../penstock.schema.json")
        let head = lines.dropFirst().prefix { $0.hasPrefix("#") }
        #expect((head.first?.count ?? 0) > 20, "what it is for")
        #expect(head.contains { $0.hasPrefix("# Topic: ") }, "its topic")
        #expect(head.contains { $0.hasPrefix("# Adapt: ") }, "how to adapt it")
        #expect(!lines.contains { $0.count > 400 }, "lines that can be read")
    }

    /// So that a folder of several of them is read as well, and their tables do not meet.
    @Test("No two examples write one table")
    func tables() throws {
        var writers: [String: String] = [:]
        for file in Self.files {
            for mapping in MappingReader.read(file: Self.folder.appending(path: file).path).mappings {
                for table in Set(mapping.blocks.map(\.table.name)) {
                    #expect(writers[table] == nil, "\(table): \(file) and \(writers[table] ?? "")")
                    writers[table] = file
                }
            }
        }
    }

    @Test("The manual lists every example")
    func isListed() throws {
        let page = try String(contentsOf: repository.appending(path: "docs/mappings.md"), encoding: .utf8)
        #expect(Self.files.count >= 50)
        for file in Self.files { #expect(page.contains("(../mappings/examples/\(file))"), "\(file) is not on the page") }
    }
}

/// The mappings that the manual prints: whole ones, which start with their name, and parts, which are made whole here.
@Suite("Mappings in the manual are right")
struct ManualTests {
    struct Snippet: CustomTestStringConvertible, Sendable {
        var line: Int
        var text: String
        var testDescription: String { "docs/mappings.md:\(line)" }

        /// The file that a whole mapping is, such as `heatpump.yaml`.
        var name: String? {
            guard let first = text.split(separator: "\n").first, first.hasPrefix("# mappings/") else { return nil }
            return String(first.dropFirst("# mappings/".count))
        }
        var isWrong: Bool { name?.hasPrefix("wrong") == true }
    }

    static var snippets: [Snippet] {
        let page = (try? String(contentsOf: repository.appending(path: "docs/mappings.md"), encoding: .utf8)) ?? ""
        var snippets: [Snippet] = []
        var open: Snippet?
        for (index, line) in page.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line == "```yaml" {
                open = Snippet(line: index + 1, text: "")
            } else if line == "```", let snippet = open {
                snippets.append(snippet)
                open = nil
            } else {
                open?.text += line + "\n"
            }
        }
        return snippets
    }

    @Test("A whole mapping is read, and its tests hold", arguments: snippets.filter { $0.name != nil && !$0.isWrong })
    func whole(snippet: Snippet) throws {
        let reading = MappingReader.read(text: snippet.text, file: "mappings/" + (snippet.name ?? ""))
        #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics.map(\.description).joined(separator: "\n"))")
        let mapping = try #require(reading.mappings.first)
        #expect(!mapping.tests.isEmpty)
        for failure in MappingTestRunner.run(mapping) { Issue.record("\(failure)") }
    }

    @Test("A part of a mapping is read, with what it leaves out", arguments: snippets.filter { $0.name == nil })
    func part(snippet: Snippet) throws {
        let text = completed(snippet.text)
        let reading = MappingReader.read(text: text, file: "part.yaml")
        #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics.map(\.description).joined(separator: "\n"))\n\(text)")
    }

    @Test("A mapping that is shown for its mistakes has some", arguments: snippets.filter(\.isWrong))
    func wrong(snippet: Snippet) {
        #expect(!MappingReader.read(text: snippet.text, file: "mappings/wrong.yaml").diagnostics.isEmpty)
    }

    private func completed(_ text: String) -> String {
        var text = text
        func has(_ key: String) -> Bool { text.split(separator: "\n").contains { $0.hasPrefix(key + ":") } }
        if !has("topic") { text += "topic: example/{device}/{kind}/{n}\n" }
        if !has("table"), !has("rows") { text += "table: example\n" }
        if !has("columns"), !has("rows") { text += "columns: {example: text from topic}\n" }
        return text
    }

    @Test("The page is there, with its mappings")
    func isThere() { #expect(Self.snippets.count >= 30) }
}

/// The folder of the sources.
private let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

import Foundation
import Testing

@testable import Mapping

/// Messages of real devices, with the rows they must give: each file's own `tests`, through the code that runs in production.
@Suite("Messages of real devices become the right rows")
struct CaseTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases")

    static var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
    }

    @Test("All tests of the mapping hold", arguments: files)
    func testsHold(file: String) throws {
        let reading = MappingReader.read(file: Self.folder.appendingPathComponent(file).path)
        #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics.map(\.description).joined(separator: "\n"))")
        let mapping = try #require(reading.mappings.first)
        #expect(!mapping.tests.isEmpty)
        for failure in MappingTestRunner.run(mapping) { Issue.record("\(failure)") }
    }

    @Test("The collection is there")
    func collectionIsThere() { #expect(Self.files.count >= 26) }
}

import Differential
import Foundation
import Testing

/// What `scripts/compare-csv --count 250 --seed 7 --record FILE` has written: files on which our reader and Python's agreed.
@Suite("CSV is read as Python's csv module reads it")
struct CSVAgreementTests {
    struct Case: Decodable, Sendable {
        var request: CSVRequest
        /// Nil where the text is refused.
        var lines: [[String]]?
    }

    static var cases: [Case] {
        get throws {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            let text = try String(contentsOf: folder.appendingPathComponent("Fixtures/csv.jsonl"), encoding: .utf8)
            return try text.split(separator: "\n").map { try JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
        }
    }

    @Test("the cells of each line are the same, and so is what is refused")
    func cells() throws {
        let cases = try Self.cases
        #expect(cases.count == 250)
        #expect(cases.contains { $0.lines == nil })
        for (index, one) in cases.enumerated() {
            #expect(one.request.answer == one.lines, "file \(index), of the bytes \(one.request.hex)")
        }
    }
}

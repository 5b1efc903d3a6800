import Differential
import Foundation
import Testing

/// What `scripts/compare-mappings --seed 7 --count 120 --record FILE` has written: generated mappings and messages with the rows on which
/// Penstock and a second reader of the format agreed. Mappings whose constants do not fit their columns are refused, and left out.
@Suite("Generated mappings give the rows on which two readers agreed")
struct AgreementTests {
    struct Case: Decodable, Sendable {
        var mapping: String
        var messages: [MappingRequest.Message]
        var answer: MappingAnswer
    }

    static var cases: [Case] {
        get throws {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            let text = try String(contentsOf: folder.appendingPathComponent("Fixtures/agreement.jsonl"), encoding: .utf8)
            return try text.split(separator: "\n").map { try JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
        }
    }

    @Test("rows are the same to the last bit, and letters for the same column")
    func rows() throws {
        let cases = try Self.cases
        #expect(cases.count == 82)
        for (index, one) in cases.enumerated() {
            let answer = MappingRequest(mapping: one.mapping, messages: one.messages).answer
            #expect(answer.mistakes == nil, "case \(index)")
            let (got, wanted) = (answer.messages ?? [], one.answer.messages ?? [])
            #expect(got.count == wanted.count)
            for (number, (got, wanted)) in zip(got, wanted).enumerated() {
                // The words of a letter are nobody's promise.
                #expect(got.tables == wanted.tables && got.column == wanted.column, "case \(index), message \(number)\n\(one.mapping)")
            }
        }
    }
}

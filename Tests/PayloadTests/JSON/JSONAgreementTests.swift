import Differential
import Foundation
import Testing

/// A few thousand documents in every run; PENSTOCK_DOCUMENTS asks for more, and `scripts/compare-json` does it faster.
@Suite("Generated JSON documents are read as Foundation reads them")
struct JSONAgreementTests {
    private static let share = (Int(ProcessInfo.processInfo.environment["PENSTOCK_DOCUMENTS"] ?? "") ?? 4000) / 4

    @Test("value by value, numbers to the last bit", arguments: 0..<4)
    func documents(part: Int) {
        let counts = JSONComparison.run(seed: 2026, indices: part * Self.share..<(part + 1) * Self.share)
        #expect(counts.documents == Self.share)
        #expect(counts.refused < counts.documents / 3)
        for difference in counts.differences { Issue.record("\(difference)") }
    }
}

import Foundation
import Synchronization
import Testing

@testable import Operations
@testable import Store

@Suite("The latest dead letters, for whoever looks")
struct LatestLettersTests {
    /// A database that counts how often it is asked.
    private final class Source: Sendable {
        private let asked = Atomic(0)
        /// The answer waits for this.
        let gate = DispatchSemaphore(value: 0)

        var count: Int { asked.load(ordering: .relaxed) }

        func read() -> [LetterSummary.Letter] {
            let number = asked.add(1, ordering: .relaxed).newValue
            gate.wait()
            return [
                LetterSummary.Letter(
                    identifier: Int64(number), storedMicroseconds: 0, mapping: "m", stage: "decode", topic: "a\u{202E}b",
                    error: "no\n\tJSON",
                    payloadStart: [0xFF], payloadBytes: 1)
            ]
        }
    }

    @Test("pages that ten people have open cost one query, and so do all who ask within the next seconds")
    func shared() async {
        let source = Source()
        let letters = LatestLetters { source.read() }
        source.gate.signal()
        let answers = await withTaskGroup(of: [StatusReport.DeadLetter].self) { group in
            for _ in 0..<10 { group.addTask { await letters.letters(isReachable: true) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 10 && answers.allSatisfy { $0.map(\.id) == [1] })
        for _ in 0..<10 { #expect(await letters.letters(isReachable: true).map(\.id) == [1]) }
        #expect(source.count == 1)
    }

    @Test("a database that does not answer holds nobody up, and is not asked a second time meanwhile")
    func slow() async {
        let source = Source()
        let letters = LatestLetters { source.read() }
        for _ in 0..<2 { #expect(await letters.letters(isReachable: true).isEmpty) }
        #expect(source.count == 1)
        source.gate.signal()
        let deadline = ContinuousClock.now + .seconds(30)
        while await letters.letters(isReachable: false).isEmpty, ContinuousClock.now < deadline { await Task.yield() }
        #expect(await letters.letters(isReachable: false).map(\.id) == [1])
        #expect(source.count == 1)
    }

    @Test("topic and error are told as they are, bytes as digits")
    func content() async throws {
        let source = Source()
        let letters = LatestLetters { source.read() }
        source.gate.signal()
        let letter = try #require(await letters.letters(isReachable: true).first)
        #expect(letter.topic == "a\u{202E}b" && letter.error == "no\n\tJSON")
        #expect(letter.payloadKind == .bytes && letter.payloadPreview == "ff" && letter.payloadBytes == 1)
    }
}

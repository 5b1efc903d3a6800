import Testing

@testable import MQTT

@Suite("Acknowledgements leave in the order of arrival, and only once durable")
struct AcknowledgementLedgerTests {
    private func drain(_ ledger: inout AcknowledgementLedger) -> [UInt16] {
        var identifiers: [UInt16] = []
        while let entry = ledger.popSettled() { identifiers.append(entry.packetIdentifier) }
        return identifiers
    }

    @Test("What settled waits for what came before it")
    func prefix() throws {
        var ledger = AcknowledgementLedger()
        for identifier in UInt16(10)...14 {
            #expect(try ledger.receive(identifier, answer: .publishAcknowledgement, state: .waiting) == UInt64(identifier) - 10)
        }
        ledger.settle(3..<4)
        ledger.settle(1..<2)
        #expect(drain(&ledger) == [])
        ledger.settle(0..<1)
        #expect(drain(&ledger) == [10, 11])
        ledger.settle(2..<3)
        #expect(drain(&ledger) == [12, 13])
        #expect(ledger.count == 1)
    }

    @Test("An entry that needs nothing leaves in its turn, and may lie within a settled range")
    func needsNothing() throws {
        var ledger = AcknowledgementLedger()
        _ = try ledger.receive(1, answer: .publishReceived, state: .waiting)
        _ = try ledger.receive(2, answer: .publishReceived, state: .needsNothing)
        _ = try ledger.receive(3, answer: .publishReceived, state: .waiting)
        #expect(drain(&ledger) == [])
        ledger.settle(0..<3)
        #expect(drain(&ledger) == [1, 2, 3])
        _ = try ledger.receive(4, answer: .publishReceived, state: .needsNothing)
        #expect(drain(&ledger) == [4])
    }

    @Test("The ring grows to 65,535 entries, keeps their order, and takes no more")
    func growth() throws {
        var ledger = AcknowledgementLedger()
        // Off the ring's start, so that growing has to unwind it.
        for identifier in UInt16(1)...11 { _ = try ledger.receive(identifier, answer: .publishAcknowledgement, state: .needsNothing) }
        #expect(drain(&ledger).count == 11)
        for identifier in UInt16(1)...65_535 { _ = try ledger.receive(identifier, answer: .publishAcknowledgement, state: .waiting) }
        #expect(throws: MQTTError.tooManyUnacknowledged(maximum: 65_535)) {
            try ledger.receive(1, answer: .publishAcknowledgement, state: .waiting)
        }
        ledger.settle(11..<65_546)
        #expect(drain(&ledger) == Array(1...65_535))
        _ = try ledger.receive(1, answer: .publishAcknowledgement, state: .waiting)
        #expect(ledger.count == 1)
    }

    /// Arrivals, commits of ranges in any order, and drains, at random; the model is an array.
    @Test("In thousands of random orders", arguments: 0..<2_000)
    func randomOrders(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var ledger = AcknowledgementLedger()
        var settled: [Bool] = []
        var left = 0
        var open: [Range<UInt64>] = []
        for _ in 0..<120 {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1:
                let start = ledger.next
                for _ in 0..<Int.random(in: 1...40, using: &generator) {
                    let sequence = try ledger.receive(
                        UInt16(truncatingIfNeeded: settled.count), answer: .publishAcknowledgement, state: .waiting)
                    #expect(sequence == UInt64(settled.count))
                    settled.append(false)
                }
                open.append(start..<ledger.next)
            case 2:
                guard let index = open.indices.randomElement(using: &generator) else { continue }
                let range = open.remove(at: index)
                ledger.settle(range)
                for sequence in range { settled[Int(sequence)] = true }
            default:
                let drained = drain(&ledger)
                let prefix = settled[left...].prefix { $0 }
                #expect(drained == prefix.indices.map { UInt16(truncatingIfNeeded: $0) }, "seed \(seed)")
                left = prefix.endIndex
            }
        }
        #expect(ledger.count == settled.count - left)
    }

    @Test("Settling twice is our own mistake, and stops the process")
    func settledTwice() async {
        await #expect(processExitsWith: .failure) {
            var ledger = AcknowledgementLedger()
            _ = try ledger.receive(1, answer: .publishAcknowledgement, state: .waiting)
            ledger.settle(0..<1)
            ledger.settle(0..<1)
        }
    }

    @Test("Settling what never came is our own mistake, and stops the process")
    func settledUnknown() async {
        await #expect(processExitsWith: .failure) {
            var ledger = AcknowledgementLedger()
            ledger.settle(0..<1)
        }
    }
}

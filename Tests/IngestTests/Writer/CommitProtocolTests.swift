import Testing

@testable import Ingest

@Suite("The writer decides what is durable")
struct CommitProtocolTests {
    /// Connected and registered, with a batch in hand that is to be committed as `number`.
    private func ready(after commits: Int = 0) -> CommitProtocol {
        var machine = CommitProtocol()
        machine.enrolled()
        machine.connected()
        for _ in 0..<commits {
            machine.batchTaken()
            machine.committed()
            machine.reported()
        }
        machine.batchTaken()
        return machine
    }

    @Test("It connects when there is something to store")
    func startsInOrder() {
        var machine = CommitProtocol()
        machine.enrolled()
        #expect(machine.action == .awaitBatch)
        machine.batchTaken()
        #expect(machine.action == .connect)
        machine.connected()
        #expect(machine.action == .commit(number: 1))
    }

    @Test("Without a row nothing is stored: the batch is given up")
    func notEnrolled() {
        var machine = CommitProtocol()
        machine.batchTaken()
        #expect(machine.action == .reportGivenUp)
    }

    @Test("A batch that is certainly not in the database can be left to the broker; one that may be in cannot")
    func givesUp() {
        var machine = ready()
        #expect(machine.isUnsent)
        machine.giveUp()
        #expect(machine.action == .reportGivenUp)
        var unsure = ready()
        unsure.outcomeUnknown()
        #expect(!unsure.isUnsent)
    }

    @Test("Batches are numbered without a gap")
    func numbers() {
        #expect(ready(after: 41).action == .commit(number: 42))
    }

    @Test("A committed batch is reported, then the next one may come")
    func commits() {
        var machine = ready()
        machine.committed()
        #expect(machine.action == .reportDurable)
        machine.reported()
        #expect(machine.action == .awaitBatch)
    }

    @Test("A batch that was rolled back is sent again under the same number")
    func rolledBack() {
        var machine = ready()
        machine.rolledBack()
        #expect(machine.action == .commit(number: 1))
    }

    @Test("A connection lost before COMMIT: connect again, the same batch again, without asking")
    func lostBeforeCommit() {
        var machine = ready()
        machine.connectionLost()
        #expect(machine.action == .connect)
        machine.connected()
        #expect(machine.action == .commit(number: 1))
    }

    @Test("A lost answer to COMMIT is decided by the writer's row: the batch is in")
    func unknownAndIn() {
        var machine = ready()
        machine.outcomeUnknown()
        machine.connectionLost()
        machine.connected()
        #expect(machine.action == .readBatchNumber)
        machine.batchNumberRead(1)
        #expect(machine.action == .reportDurable)
        machine.reported()
        machine.batchTaken()
        #expect(machine.action == .commit(number: 2))
    }

    @Test("A lost answer to COMMIT is decided by the writer's row: the batch is not in")
    func unknownAndNotIn() {
        var machine = ready()
        machine.outcomeUnknown()
        machine.connectionLost()
        machine.connected()
        machine.batchNumberRead(0)
        #expect(machine.action == .commit(number: 1))
    }

    @Test("Losing the connection again while asking keeps the question open")
    func unknownTwice() {
        var machine = ready()
        machine.outcomeUnknown()
        machine.connectionLost()
        machine.connected()
        machine.connectionLost()
        machine.connected()
        #expect(machine.action == .readBatchNumber)
    }

    @Test(
        "A batch whose outcome the row cannot tell is given up, never reported durable and never sent again",
        arguments: [nil, 7] as [Int64?])
    func rowIsGone(number: Int64?) {
        var machine = ready()
        machine.outcomeUnknown()
        machine.connectionLost()
        machine.connected()
        machine.batchNumberRead(number)
        #expect(machine.action == .reportGivenUp)
        #expect(!machine.isEnrolled)
        machine.reported()
        #expect(machine.action == .awaitBatch)
    }

    @Test("With a new row batches count from one again")
    func enrolledAnew() {
        var machine = ready(after: 3)
        machine.committed()
        machine.reported()
        machine.enrolled()
        machine.batchTaken()
        #expect(machine.action == .commit(number: 1))
    }
}

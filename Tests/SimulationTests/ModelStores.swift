import CopyFormat
import NIOCore
import PostgreSQL
import Store

@testable import Ingest

/// A writer's way to the model database, on which everything can happen that can happen on a connection.
final class ModelBatchStore: BatchStore {
    private let world: World
    private let process: String
    private(set) var isConnected = false

    init(world: World, process: String) {
        self.world = world
        self.process = process
    }

    func connect() throws(PostgreSQLError) {
        isConnected = false
        if world.database.isAway || world.fault(5) { throw .connection("refused") }
        isConnected = true
    }

    func commit(_ batch: Batch, as row: WriterRow, number: Int64) -> CommitOutcome {
        let transaction = transaction(of: batch, row, number)
        let words = "\(process) commits \(number): \(transaction.messages + transaction.letters) \(transaction.records.map(\.words))"
        if world.database.isAway { return lost(transaction, words, mayBeSent: false) }
        if world.bugs.contains(.acknowledgesBeforeCommit), world.random.oneIn(3) {
            world.note("\(words): reported, not yet done")
            world.database.setAdrift(transaction)
            return .committed
        }
        guard world.fault(4) else { return apply(transaction, words) }
        switch world.random.int(0...4) {
        case 0:
            world.note("\(words): deadlock")
            return .rolledBack(.connection("deadlock"))
        case 1: return lost(transaction, words, mayBeSent: false)
        case 2: return lost(transaction, words, mayBeSent: true)
        default:
            // Applied, and the answer is lost.
            _ = apply(transaction, words)
            isConnected = false
            world.note("… and the answer is lost")
            return .unknown(.connection("lost"))
        }
    }

    private func apply(_ transaction: ModelDatabase.Transaction, _ words: String) -> CommitOutcome {
        var transaction = transaction
        if world.bugs.contains(.completesBeforeFree) {
            // What was stored stays stored for one commit longer.
            for index in transaction.records.indices {
                let name = transaction.records[index].clientIdentifier
                let before = world.database.sessions[name]?.stored ?? []
                transaction.records[index].storedIdentifiers = before + transaction.records[index].storedIdentifiers
            }
        }
        let isApplied = world.check { () throws(Violation) in try world.database.apply(transaction) } ?? false
        if isApplied { world.commits += 1 }
        world.note("\(words): \(isApplied ? "done" : "refused by its row")")
        return isApplied ? .committed : .refusedByRow
    }

    /// - Parameter mayBeSent: the server may have all of it, and may get round to it at any time.
    private func lost(_ transaction: ModelDatabase.Transaction, _ words: String, mayBeSent: Bool) -> CommitOutcome {
        isConnected = false
        world.note("\(words): connection lost\(mayBeSent ? ", adrift" : "")")
        guard mayBeSent else { return .rolledBack(.connection("lost")) }
        world.database.setAdrift(transaction)
        return .unknown(.connection("lost"))
    }

    private func transaction(of batch: Batch, _ row: WriterRow, _ number: Int64) -> ModelDatabase.Transaction {
        var messages: [Int] = []
        var rows = CopyReader(batch.tables[0])
        while let fields = rows.nextRow() {
            if let field = fields.first ?? nil, case .integer(let number) = DecodedValue(field, .bigint) { messages.append(Int(number)) }
        }
        var letters: [Int] = []
        var letterRows = CopyReader(batch.letters.pointee)
        while let fields = letterRows.nextRow() {
            if let payload = fields[2], let number = Message.number(inLetter: payload) { letters.append(number) }
        }
        batch.committedRows = [(0, messages.count)]
        return ModelDatabase.Transaction(
            row: row, number: number, messages: messages, letters: letters, records: batch.sessions.map(\.record))
    }

    func confirmedBatchNumber(of row: WriterRow) throws(PostgreSQLError) -> Int64? {
        if world.database.isAway || world.fault(5) {
            isConnected = false
            throw .connection("lost")
        }
        let number = world.database.writers[row]?.batch
        world.database.renew([row])
        world.note("\(process) reads its row: \(number.map(String.init) ?? "gone")")
        return number
    }
}

/// A process's way to its leases.
final class ModelLeaseStore: LeaseStore {
    private let world: World
    private let process: String
    private(set) var isConnected = false

    init(world: World, process: String) {
        self.world = world
        self.process = process
    }

    func connect() throws(PostgreSQLError) {
        if world.database.isAway || world.fault(8) { throw .connection("refused") }
        isConnected = true
    }

    /// The connection can die before a statement took effect, and after.
    private func statement<Result>(_ body: () -> Result) throws(PostgreSQLError) -> Result {
        if world.database.isAway || world.fault(25) {
            isConnected = false
            throw .connection("lost before")
        }
        let result = body()
        if world.fault(25) {
            isConnected = false
            throw .connection("lost behind")
        }
        return result
    }

    func look(renewing mine: [WriterRow]) throws(PostgreSQLError) -> LeaseProtocol.View {
        try statement {
            world.database.renew(mine)
            return world.database.view
        }
    }

    func enroll(_ writers: [WriterRow]) throws(PostgreSQLError) {
        try statement {
            world.note("\(process) enrolls \(writers.map(\.words))")
            world.database.enroll(writers, sessions: world.clientIdentifiers)
        }
    }

    func bury(_ writers: [LeaseWriter]) throws(PostgreSQLError) {
        try statement {
            for writer in writers {
                world.takeovers += 1
                world.note("\(process) buries \(writer.row.words)")
                world.database.bury(writer)
            }
        }
    }

    func claim(_ sessions: [String], for writer: WriterRow) throws(PostgreSQLError) -> [LeasedSession] {
        try statement {
            let taken = world.database.claim(sessions, for: writer)
            world.note("\(process) claims \(taken.map(\.record.clientIdentifier)) for \(writer.words)")
            return taken
        }
    }

    func grantedFilters() throws(PostgreSQLError) -> [String: Set<String>] { try statement { world.database.grantedFilters } }

    func withdraw(_ writers: [WriterRow]) throws(PostgreSQLError) {
        try statement { for writer in writers { world.database.remove(writer) } }
    }
}

extension WriterRow {
    var words: String { String(identifier.uuidString.suffix(4)) }
}

extension SessionRecord {
    var words: String {
        "\(clientIdentifier)\(storedIdentifiers)\(isConnecting ? " connecting" : "")\(isReleased ? " released" : "")"
    }
}

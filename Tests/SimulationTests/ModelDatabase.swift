import CopyFormat
import MQTT
import NIOCore
import PostgreSQL
import Store

@testable import Ingest

/// PostgreSQL as far as the promise depends on it: rows, letters, `penstock.writer` and `penstock.session`, and transactions that are applied as a whole,
/// possibly long after their connection died.
final class ModelDatabase {
    struct Writer {
        var batch: Int64 = 0
        var seen = 0
    }

    struct Session {
        var holder: WriterRow?
        var stored: [ClosedRange<UInt16>] = []
        var isConnecting = false
        var subscriptions: [RecordedSubscription] = []

        func holds(_ identifier: UInt16) -> Bool { stored.contains { $0.contains(identifier) } }
    }

    /// What one transaction wants to write.
    struct Transaction {
        var row: WriterRow
        var number: Int64
        var messages: [Int]
        var letters: [Int]
        var records: [SessionRecord]
    }

    /// Copies of each message: rows and letters.
    private(set) var copies: [Int: Int] = [:]
    /// Rows in the order in which they were committed.
    private(set) var rowOrder: [Int] = []
    private(set) var writers: [WriterRow: Writer] = [:]
    private(set) var sessions: [String: Session] = [:]
    /// Sent on connections that have died; each may still be applied, or never.
    private(set) var adrift: [Transaction] = []
    var isAway = false
    private var clock = 0

    /// - Throws: `Violation` when it makes a row of QoS 2 a second time.
    let exactlyOnce: (Int) -> Bool

    init(exactlyOnce: @escaping (Int) -> Bool) { self.exactlyOnce = exactlyOnce }

    func isDurable(_ number: Int) -> Bool { copies[number] != nil }

    // MARK: Transactions

    /// What each session has been granted, by client identifier.
    var grantedFilters: [String: Set<String>] {
        sessions.mapValues { Set($0.subscriptions.filter { $0.state == .granted }.map(\.filter)) }
    }

    /// Applies a transaction if its writer's row stands where it should; whether it did.
    func apply(_ transaction: Transaction) throws(Violation) -> Bool {
        guard writers[transaction.row]?.batch == transaction.number - 1 else { return false }
        for record in transaction.records where sessions[record.clientIdentifier]?.holder != transaction.row { return false }
        clock += 1
        writers[transaction.row] = Writer(batch: transaction.number, seen: clock)
        for record in transaction.records {
            sessions[record.clientIdentifier] = Session(
                holder: record.isReleased ? nil : transaction.row, stored: record.storedIdentifiers, isConnecting: record.isConnecting,
                subscriptions: record.subscriptions ?? sessions[record.clientIdentifier]?.subscriptions ?? [])
        }
        for number in transaction.messages + transaction.letters {
            copies[number, default: 0] += 1
            if exactlyOnce(number), copies[number] != 1 { throw Violation("message \(number) at QoS 2 is stored twice") }
        }
        rowOrder += transaction.messages
        return true
    }

    func setAdrift(_ transaction: Transaction) { adrift.append(transaction) }

    /// An old backend gets round to what it was sent, or dies.
    func settleAdrift(_ index: Int, applies: Bool) throws(Violation) {
        let transaction = adrift.remove(at: index)
        if applies { _ = try apply(transaction) }
    }

    // MARK: Leases

    func renew(_ rows: [WriterRow]) {
        for row in rows where writers[row] != nil {
            clock += 1
            writers[row]?.seen = clock
        }
    }

    func enroll(_ rows: [WriterRow], sessions names: [String]) {
        clock += 1
        for row in rows { writers[row] = Writer(seen: clock) }
        for name in names where sessions[name] == nil { sessions[name] = Session() }
    }

    func bury(_ writer: LeaseWriter) {
        guard let there = writers[writer.row], there.batch == writer.batch, String(there.seen) == writer.seen else { return }
        remove(writer.row)
    }

    func remove(_ row: WriterRow) {
        writers[row] = nil
        for name in sessions.keys where sessions[name]?.holder == row { sessions[name]?.holder = nil }
    }

    func claim(_ names: [String], for row: WriterRow) -> [LeasedSession] {
        guard writers[row] != nil else { return [] }
        return names.sorted().compactMap { name in
            guard let session = sessions[name], session.holder == nil || session.holder == row else { return nil }
            sessions[name]?.holder = row
            return LeasedSession(
                writer: row,
                record: SessionRecord(
                    clientIdentifier: name, storedIdentifiers: session.stored, isConnecting: session.isConnecting,
                    subscriptions: session.subscriptions))
        }
    }

    var view: LeaseProtocol.View {
        LeaseProtocol.View(
            writers: writers.sorted { $0.key.identifier.uuidString < $1.key.identifier.uuidString }.map {
                LeaseWriter(row: $0.key, batch: $0.value.batch, seen: String($0.value.seen))
            }, holders: sessions.mapValues(\.holder))
    }
}

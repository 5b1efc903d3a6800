import Foundation
import Ingest

/// What is wrong with a service, since when, and what to do about it: the worst first.
struct Problems {
    /// What keeps the service from being ready.
    private(set) var blocking: [StatusReport.Problem] = []
    /// What asks for attention while it works.
    private(set) var warnings: [StatusReport.Problem] = []

    var all: [StatusReport.Problem] { blocking + warnings }
    var isReady: Bool { blocking.isEmpty }

    /// Longer than it takes to get a lease and a connection: a process that has no session by then leaves them to others.
    static let sessionsExpectedWithinSeconds = 15.0
    /// Errors as old as this are no news.
    private static let newsSeconds = 600.0

    /// Why a service tells nothing of itself.
    enum Absence {
        /// What it waits for before it ingests.
        case starting(String)
        case ending
        /// Its event loops do not answer.
        case silent
    }

    init(_ absence: Absence) {
        switch absence {
        case .starting(let reason): block("the service is starting: \(reason)", nil, "wait; if it stays, look at the log")
        case .ending: block("the service is ending", nil, "wait for its end; what it has not acknowledged stays at the broker")
        case .silent:
            block(
                "the event loops do not answer; what else is told here is old", nil,
                "see whether the machine has processors to spare; if it stays, start the process anew")
        }
    }

    init(_ snapshot: ServiceSnapshot, uptimeSeconds: Double, now: Date) {
        addDatabase(snapshot)
        addSessions(snapshot, uptimeSeconds)
        for mapping in snapshot.runningMappings {
            guard let trouble = mapping.parked else { continue }
            block(
                "mapping '\(mapping.name)' is parked: \(mapping.tables.joined(separator: ", ")) cannot be written: \(trouble.reason)",
                trouble.sinceMicroseconds,
                "mend the table or its privileges; its messages are kept as dead letters (stage table) and come in by themselves")
        }
        addWarnings(snapshot, now)
    }

    private mutating func block(_ what: String, _ since: Int64?, _ advice: String) {
        blocking.append(StatusReport.Problem(what: what, since: since.map { timeText(microseconds: $0) }, do: advice))
    }

    private mutating func warn(_ what: String, _ since: Int64?, _ advice: String) {
        warnings.append(StatusReport.Problem(what: what, since: since.map { timeText(microseconds: $0) }, do: advice))
    }

    private mutating func addDatabase(_ snapshot: ServiceSnapshot) {
        if let trouble = snapshot.databaseTrouble {
            block(
                "the database takes nothing: \(trouble.reason)", trouble.sinceMicroseconds,
                "see that PostgreSQL runs and takes connections at database.url; messages wait at the broker until then")
        } else if !snapshot.isEnrolled {
            block("a writer has no row in penstock.writer yet", nil, "wait; if it stays, look at the log")
        }
    }

    private mutating func addSessions(_ snapshot: ServiceSnapshot, _ uptimeSeconds: Double) {
        if snapshot.sessions.isEmpty, uptimeSeconds < Self.sessionsExpectedWithinSeconds {
            block("no session of the pool is here yet", nil, "wait: other processes may be giving some up")
        }
        let away = snapshot.sessions.filter { !$0.isConnected }
        if let first = away.first {
            block(
                "\(away.count) of \(snapshot.sessions.count) sessions are not connected"
                    + (first.problem.map { ", \(first.clientIdentifier): \($0)" } ?? ""),
                away.compactMap(\.problemSinceMicroseconds).min(), "see that the broker runs and takes this user at broker.url")
        }
        for session in snapshot.sessions {
            for refused in session.refused {
                block(
                    "the broker does not take '\(refused.filter)' of session \(session.clientIdentifier): \(refused.reason)", nil,
                    "allow this user to subscribe to it; it is asked for again every minute")
            }
        }
        let waiting = snapshot.sessions.count { $0.isConnected && !$0.isSubscribed && $0.refused.isEmpty }
        if waiting > 0 { block("\(waiting) sessions have not all their subscriptions yet", nil, "wait for the broker's answer") }
    }

    private mutating func addWarnings(_ snapshot: ServiceSnapshot, _ now: Date) {
        if !snapshot.booksBalance {
            warn(
                "the books do not balance: received is not settled + given up + dropped + in flight", nil,
                "this is a fault of penstock: keep the log and report it")
        }
        if snapshot.dropped > 0 {
            warn(
                "\(snapshot.dropped) messages at QoS 0 had no room while the database was away or slow", nil,
                "publish at QoS 1 what must not be lost")
        }
        if snapshot.lettersDropped > 0 {
            warn(
                "\(snapshot.lettersDropped) dead letters were above the limit and are gone", nil,
                "find the device that sends them; dead_letter.on_flood: slow loses none")
        }
        if let dropped = snapshot.brokerDropped, dropped > 0 {
            warn(
                "the broker says that it has dropped \(dropped) messages, for whichever client", nil,
                "look at its queue limits (max_queued_messages, mqueue)")
        }
        // Of a table that is wrong its parking tells, and once it is right its letters come in by themselves.
        for (name, error) in snapshot.lastErrors.sorted(by: { $0.key < $1.key })
        where error.stage != .table && now.timeIntervalSince1970 - Double(error.atMicroseconds) / 1e6 < Self.newsSeconds {
            warn(
                "messages of mapping '\(name)' become dead letters: \(error.text)", error.atMicroseconds,
                "correct the mapping or the device; `penstock replay --mapping \(name)` brings the letters in")
        }
    }
}

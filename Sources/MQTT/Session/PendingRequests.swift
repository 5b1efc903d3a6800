import NIOCore

/// The SUBSCRIBE and UNSUBSCRIBE packets that the server has not answered, each with its time limit.
struct PendingRequests {
    private enum Request {
        case subscribe([Subscription])
        case unsubscribe([TopicFilter])
    }

    private struct Pending {
        var packetIdentifier: UInt16
        var request: Request
        var deadline: NIODeadline
    }

    private var pending: [Pending] = []

    var isEmpty: Bool { pending.isEmpty }

    func contains(_ packetIdentifier: UInt16) -> Bool { pending.contains { $0.packetIdentifier == packetIdentifier } }

    mutating func subscribeSent(_ subscriptions: [Subscription], packetIdentifier: UInt16, deadline: NIODeadline) {
        pending.append(Pending(packetIdentifier: packetIdentifier, request: .subscribe(subscriptions), deadline: deadline))
    }

    mutating func unsubscribeSent(_ filters: [TopicFilter], packetIdentifier: UInt16, deadline: NIODeadline) {
        pending.append(Pending(packetIdentifier: packetIdentifier, request: .unsubscribe(filters), deadline: deadline))
    }

    /// SUBACK: what was asked ([MQTT-3.8.4-2]).
    mutating func subscribeAcknowledged(_ packetIdentifier: UInt16) throws(MQTTError) -> [Subscription] {
        guard let index = index(of: packetIdentifier), case .subscribe(let subscriptions) = pending[index].request else {
            throw .unexpectedAcknowledgement(.subscribeAcknowledgement, packetIdentifier: packetIdentifier)
        }
        pending.remove(at: index)
        return subscriptions
    }

    /// UNSUBACK: what was asked ([MQTT-3.10.4-4]).
    mutating func unsubscribeAcknowledged(_ packetIdentifier: UInt16) throws(MQTTError) -> [TopicFilter] {
        guard let index = index(of: packetIdentifier), case .unsubscribe(let filters) = pending[index].request else {
            throw .unexpectedAcknowledgement(.unsubscribeAcknowledgement, packetIdentifier: packetIdentifier)
        }
        pending.remove(at: index)
        return filters
    }

    /// The time limits start anew: the answers may have been waiting unread.
    mutating func restartTimeLimits(deadline: NIODeadline) {
        for index in pending.indices { pending[index].deadline = deadline }
    }

    /// When the first time limit ends.
    ///
    /// - Throws: `subscribeTimedOut`, `unsubscribeTimedOut`.
    func tick(now: NIODeadline) throws(MQTTError) -> NIODeadline {
        guard let first = pending.min(by: { $0.deadline < $1.deadline }) else { return .distantFuture }
        guard now >= first.deadline else { return first.deadline }
        switch first.request {
        case .subscribe(let subscriptions): throw .subscribeTimedOut(filters: subscriptions.map(\.filter))
        case .unsubscribe(let filters): throw .unsubscribeTimedOut(filters: filters)
        }
    }

    /// What was asked on a connection is void with it.
    mutating func removeAll() { pending.removeAll() }

    private func index(of packetIdentifier: UInt16) -> Int? { pending.firstIndex { $0.packetIdentifier == packetIdentifier } }
}

import MQTT
import NIOCore
import Store

/// What a shard may do, by its leases.
struct ShardLease {
    /// Its writer's row; nil while it has none.
    var row: WriterRow?
    /// Nobody takes its sessions before this time.
    var confirmedUntil = NIODeadline.uptimeNanoseconds(0)
    /// The row is gone; what was under way is being left behind.
    var isRevoked = false
    /// No connections to the broker for now.
    var isSuspended = false
    /// Granted again before this shard has heard that they are given back.
    var grantedAgain: [LeasedSession] = []
    /// What the pool's sessions have been granted, while that is news.
    var grantedFilters: [String: Set<String>] = [:]
    var isAskingForFilters = false
}

/// Whom a shard tells about its leases. Called on the shard's event loop.
protocol ShardLeaseObserver: AnyObject {
    /// The shard has left its former row behind, and can be given a new one.
    func isReady(_ shard: Int)
    /// The database does not know the row any more.
    func lostRow(_ shard: Int, _ row: WriterRow)
    /// What the pool's sessions have been granted is to be told (`LeaseReport.filters`) with the next look.
    func asksForFilters(_ shard: Int)
}

extension Shard {
    /// Whether a session may connect: its lease is confirmed, so that no other process uses its client identifier.
    var mayConnect: Bool { lease.row != nil && !lease.isSuspended && !isDraining && eventLoop.now < lease.confirmedUntil }

    /// News of the leases.
    func take(_ report: LeaseReport) {
        switch report {
        case .enrolled(let row):
            precondition(lease.row == nil && isWriterIdle, "a row is given to a shard that is ready")
            lease = ShardLease(row: row)
            writer.enroll(row)
            changePlanIfIdle()
        case .confirmed(let until, let share, let held):
            guard let row = lease.row else { return }
            guard sessions.allSatisfy({ $0.map { $0.isReleasing || held.contains($0.clientIdentifier) } ?? true }) else {
                // Somebody has changed the rows beneath us, or a standby that was behind is the primary now.
                leases.lostRow(index, row)
                revoke()
                return
            }
            lease.confirmedUntil = until
            lease.isSuspended = false
            for case let session? in sessions { session.connectIfSuspended() }
            giveBack(downTo: share)
        case .granted(let granted):
            for session in granted where session.writer == lease.row { adopt(session) }
        case .revoked: revoke()
        case .filters(let granted):
            lease.isAskingForFilters = false
            lease.grantedFilters = granted
            for case let session? in sessions { session.otherSessionsSeen() }
            // Older news must end no subscription.
            lease.grantedFilters = [:]
        }
    }

    /// Whether a session of the pool, of whatever process, is just seen to have this filter.
    func hasGranted(_ filter: TopicFilter, toSession number: Int) -> Bool {
        lease.grantedFilters[settings.sessions[number].mqtt.clientIdentifier]?.contains(filter.description) ?? false
    }

    /// Asks what the pool's sessions have.
    func lookAtOtherSessions() {
        guard !lease.isAskingForFilters else { return }
        lease.isAskingForFilters = true
        leases.asksForFilters(index)
    }

    private func adopt(_ granted: LeasedSession) {
        guard let number = settings.sessions.firstIndex(where: { $0.mqtt.clientIdentifier == granted.record.clientIdentifier }) else {
            return
        }
        if let held = sessions[number] {
            if held.isReleasing { lease.grantedAgain.append(granted) }
            return
        }
        do {
            let session = try PoolSession(
                number: number, settings: settings.sessions[number], record: granted.record, shard: self, logger: logger)
            sessions[number] = session
            session.connect()
        } catch {
            logger.error("a session cannot be used", metadata: ["session": "\(granted.record.clientIdentifier)", "reason": "\(error)"])
        }
    }

    /// Other writers have fewer sessions than their share.
    private func giveBack(downTo share: Int) {
        let held = sessions.compactMap { $0 }.filter { !$0.isReleasing }
        guard held.count > share else { return }
        for session in held.suffix(held.count - share) { session.release() }
    }

    /// The session's lease is given back, durably.
    func released(_ session: PoolSession) {
        remove(session)
        let again = lease.grantedAgain
        lease.grantedAgain = []
        for granted in again { adopt(granted) }
    }

    /// Another process has declared this shard's writer dead, and its sessions belong to others. Nothing that is under way can commit any more, and
    /// none of it was acknowledged: the broker sends it to whoever has the session now.
    func revoke() {
        guard lease.row != nil else { return }
        logger.error("another process has taken over; the messages under way are left to it")
        lease = ShardLease(isRevoked: true)
        for case let session? in sessions { session.revoke() }
        for case let session? in sessions { remove(session) }
        dropOpenBatch()
        guard isWriterIdle else { return }
        finishRevocation()
        finishDrainingIfEmpty()
    }

    /// Both batches are here again.
    func finishRevocation() {
        guard lease.isRevoked else { return }
        lease.isRevoked = false
        dropOpenBatch()
        changePlanIfIdle()
        leases.isReady(index)
    }
}

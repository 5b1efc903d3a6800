import Logging
import MQTT
import NIOCore

/// The three ways in which a session leaves this process: given back, taken away, or with the process.
extension PoolSession {
    /// Takes nothing more in, and gives the lease back once everything is settled.
    func release() {
        guard case .none = ending else { return }
        ending = .releasing
        releaseIfSettled()
    }

    func releaseIfSettled() {
        guard case .releasing = ending, mqtt.pointee.unacknowledgedCount == 0 else { return }
        switch state {
        case .open(let handler):
            publishStatus(isOnline: false)
            handler.disconnect(because: "given to another process")
            return
        case .connecting: return
        case .waiting(let timer): timer.cancel()
        case .idle, .recording, .suspended: break
        case .ended: return
        }
        state = .ended
        logger.info("session given back")
        wishes.release(connecting: isConnectUnanswered || isInDoubt)
        shard.commitSoon()
    }

    /// Another process may hold the session: no connection any more, and no word to the broker.
    func revoke() {
        if case .waiting(let timer) = state { timer.cancel() }
        if case .open(let handler) = state { handler.end(because: "the session belongs to another process") }
        mqtt.pointee.connectionClosed()
        wishes.forgetReactions()
        retry?.cancel()
        state = .ended
        if case .stopping(let promise) = ending { promise.succeed() }
    }

    /// Says DISCONNECT (the broker keeps the session) and closes; what is unacknowledged stays with the broker.
    func stop() -> EventLoopFuture<Void> {
        let promise = shard.eventLoop.makePromise(of: Void.self)
        if case .stopping(let earlier) = ending {
            earlier.futureResult.cascade(to: promise)
            return promise.futureResult
        }
        ending = .stopping(promise)
        switch state {
        case .open(let handler):
            publishStatus(isOnline: false)
            handler.disconnect(because: "disconnected by us")
        case .waiting(let timer):
            timer.cancel()
            fallthrough
        case .idle, .recording, .suspended, .ended:
            state = .ended
            promise.succeed()
        case .connecting: break
        }
        return promise.futureResult
    }
}

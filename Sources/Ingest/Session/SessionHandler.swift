import Foundation
import Logging
import MQTT
import Mapping
import NIOCore
import NIOPosix

/// Carries one network connection: hands the bytes of each read to the MQTT session in place, the messages to the shard, and writes what the session
/// has to say, one buffer a loop turn.
///
/// It reads only when asked (`autoRead` is off): when the shard is full it stops, keeps what is parsed of the current read, and TCP's window
/// holds back the broker.
final class SessionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let pool: PoolSession
    private unowned let shard: Shard
    private let logger: Logger
    private let session: UnsafeMutablePointer<ClientSession>
    private var context: ChannelHandlerContext?
    /// Bytes that are not parsed yet: the beginning of a packet, or what waits for room in the shard.
    private var unparsed: ByteBuffer?
    /// Nothing is read: what comes next has no room in the shard, or deliveries of the former connection have not settled.
    private var isHeld = false
    private(set) var isEstablished = false
    /// CONNACK has come.
    private var isAnswered = false
    private var endReason: String?
    private var endError: MQTTError?
    /// The broker was reached, and has closed the connection before it has said a word.
    private var isSilence = false
    private var timer: Scheduled<Void>?
    /// Runs while the broker does not take what is written.
    private var unwritten: Scheduled<Void>?

    init(pool: PoolSession, shard: Shard, logger: Logger) {
        self.pool = pool
        self.shard = shard
        self.logger = logger
        session = pool.mqtt
    }

    private var now: NIODeadline { shard.eventLoop.now }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        // A WebSocket was active before it carried MQTT.
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) { begin(context) }

    private func begin(_ context: ChannelHandlerContext) {
        guard self.context == nil else { return }
        self.context = context
        guard pool.connectionOpened(self) else { return end(because: "the connection is not wanted any more") }
        session.pointee.connectionOpened(now: now)
        flush()
        tick()
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        unwritten?.cancel()
        self.context = nil
        if endReason == nil { isSilence = !isAnswered }
        isEstablished = false
        pool.connectionEnded(
            because: endReason ?? "the broker closed the connection", wasAnswered: !isSilence, error: endError)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isEndWithoutWord(error), endReason == nil { isSilence = !isAnswered }
        end(because: describeConnectFailure(error))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var read = unwrapInboundIn(data)
        if var waiting = unparsed {
            unparsed = nil
            waiting.writeBuffer(&read)
            parse(waiting)
        } else {
            parse(read)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        finishTurn()
    }

    // MARK: Reading

    /// Parses what is there; keeps what is not a whole packet yet, or has no room.
    private func parse(_ buffer: ByteBuffer) {
        let now = now
        let receivedMicroseconds = wallClockMicroseconds()
        var failure: MQTTError?
        let consumed = buffer.withUnsafeReadableBytes { bytes -> Int in
            var offset = 0
            do throws(MQTTError) {
                try takePackets(bytes, from: &offset, now: now, receivedMicroseconds: receivedMicroseconds)
            } catch {
                failure = error
            }
            return offset
        }
        if let failure { return end(failure) }
        guard consumed < buffer.readableBytes else { return }
        guard consumed > 0 else {
            // Not copied again and again while a long packet comes in small pieces.
            unparsed = buffer
            return
        }
        // A copy of the rest, so that a small beginning of a packet does not hold a whole read's memory.
        let rest = buffer.readableBytesView.dropFirst(consumed)
        var kept = shard.allocator.buffer(capacity: max(rest.count * 2, 4096))
        kept.writeBytes(rest)
        unparsed = kept
    }

    private func takePackets(
        _ bytes: UnsafeRawBufferPointer, from offset: inout Int, now: NIODeadline, receivedMicroseconds: Int64
    ) throws(MQTTError) {
        isHeld = false
        while true {
            if mustHold(bytes, offset) {
                isHeld = true
                return
            }
            switch try session.pointee.nextEvent(in: bytes, at: &offset, now: now) {
            case .publish(let publish, let sequence):
                shard.take(
                    MessageInput(
                        topic: publish.topic, payload: publish.payload, receivedMicroseconds: receivedMicroseconds,
                        qos: publish.qos.rawValue, isRetained: publish.isRetained, properties: publish.properties,
                        broker: pool.brokerName),
                    delivery: sequence, isDuplicate: publish.isDuplicate, from: pool)
                if publish.qos == .exactlyOnce { pool.identifiersChanged() }
            case .needsMoreBytes: return
            case .held:
                isHeld = true
                return
            case .released(_, let sequence):
                shard.cover(sequence, from: pool)
                pool.identifiersChanged()
            case .identifiersConfirmed: pool.identifiersConfirmed()
            case .identifiersFreed:
                isHeld = true
                pool.identifiersFreed()
                return
            case .connected(let presence): established(presence)
            case .subscribed(let results): pool.subscribed(results)
            case .unsubscribed(let results): pool.unsubscribed(results)
            case .publishRefused(_, let refusal): pool.publishRefused(refusal)
            case .acknowledged: pool.publishAcknowledged()
            case .repeated: break
            }
        }
    }

    /// Whether the packet at `offset` has to wait. A full shard still takes messages at QoS 0, in place of older ones, and everything that is no message.
    @inline(__always)
    private func mustHold(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Bool {
        guard shard.isPressed || pool.isReleasing, offset < bytes.count else { return false }
        let isPublish = bytes[offset] >> 4 == 3
        guard isPublish else { return shard.isDraining || pool.isReleasing }
        return shard.isDraining || shard.isSlowed || pool.isReleasing || bytes[offset] & 0b110 != 0
    }

    /// Ends a loop turn: what was taken goes to the writer if it is idle, what the session has to say goes out, and the next read is asked for.
    private func finishTurn() {
        shard.commitIfIdle()
        flush()
        // A broker that sends what has to be answered and reads no answer would make what waits to be written grow without end.
        if isHeld || context?.channel.isWritable == false {
            session.pointee.pauseReading()
        } else {
            session.pointee.resumeReading(now: now)
            context?.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unwritten?.cancel()
        unwritten = nil
        if context.channel.isWritable {
            if !isHeld { finishTurn() }
        } else {
            unwritten = shard.eventLoop.assumeIsolated().scheduleTask(in: unwrittenLimit) { [self] in
                end(because: "the broker has not taken what we write for too long")
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// While nothing is read, a PINGRESP that is missing is not missed: this is what notices a broker that takes nothing in.
    private var unwrittenLimit: TimeAmount {
        let configuration = session.pointee.configuration
        return .seconds(Int64(max(configuration.keepAliveSeconds, 1))) + configuration.pingTimeout
    }

    /// The shard has room again, or deliveries have settled: first what is already here, then the socket.
    func resumeReading() {
        guard isHeld, context != nil else { return }
        isHeld = false
        if let waiting = unparsed {
            unparsed = nil
            parse(waiting)
        }
        finishTurn()
    }

    // MARK: Session

    private func established(_ presence: SessionPresence) {
        isAnswered = true
        guard pool.isConnectionWanted() else { return disconnect(because: "the broker's version is looked for") }
        isEstablished = true
        timer?.cancel()
        tick()
        pool.sessionEstablished(presence)
    }

    /// Acknowledges the longest durable prefix, and sends whatever else the session has to say, in one write.
    func flush() {
        guard let context else { return }
        let before = session.pointee.unacknowledgedCount
        session.pointee.flushAcknowledgements()
        pool.acknowledged(before - session.pointee.unacknowledgedCount)
        guard let output = session.pointee.takeOutput(now: now) else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
    }

    /// Requests were written: they go out, and their time limits count.
    func requestsSent() { tick() }

    /// Keep alive and time limits.
    private func tick() {
        guard context != nil else { return }
        timer?.cancel()
        do throws(MQTTError) {
            let next = try session.pointee.tick(now: now)
            flush()
            guard next < .distantFuture else { return }
            timer = shard.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [self] in tick() }
        } catch {
            end(error)
        }
    }

    /// What went wrong, and what to do where the operator can do something.
    private static func words(_ error: MQTTError) -> String {
        guard case .connectionRefused(let code, _) = error else { return error.description }
        switch code {
        case .unsupportedProtocolVersion: return "\(error): set broker.version to one that it knows"
        case .badAuthenticationMethod: return "\(error): the broker wants enhanced authentication, which is not available here"
        case .badUserNameOrPassword, .notAuthorized:
            return "\(error): check broker.username and broker.password_file, and what the broker allows this user"
        case .clientIdentifierNotValid: return "\(error): choose another pool.client_id"
        default: return error.description
        }
    }

    // MARK: The end

    /// Ends the connection for what the broker did; from MQTT 5.0 on it is told.
    private func end(_ error: MQTTError) {
        if endError == nil { endError = error }
        if let output = session.pointee.takeOutput(now: now) { context?.writeAndFlush(wrapOutboundOut(output), promise: nil) }
        end(because: Self.words(error))
    }

    /// Ends the connection; nothing more is acknowledged on it.
    func end(because reason: String) {
        if endReason == nil { endReason = reason }
        unparsed = nil
        close()
    }

    func close() { context?.close(promise: nil) }

    /// Says DISCONNECT and closes.
    func disconnect(because reason: String) {
        if endReason == nil { endReason = reason }
        if session.pointee.isConnected {
            session.pointee.disconnect()
            guard let context, let output = session.pointee.takeOutput(now: now) else { return close() }
            context.writeAndFlush(wrapOutboundOut(output)).assumeIsolated().whenComplete { [self] _ in close() }
        } else {
            close()
        }
    }
}

/// The wall clock, in microseconds since 1970, UTC.
func wallClockMicroseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
}

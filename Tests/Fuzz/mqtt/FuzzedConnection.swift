import FuzzSupport
import MQTT
import NIOCore

/// A session with what its caller keeps for it: bytes that are not taken yet, and what it has to settle. All calls keep the preconditions of the
/// session, whatever the bytes make of it.
struct FuzzedConnection {
    /// What came of the bytes and the calls, in order.
    enum Entry: Equatable {
        case publish(
            topic: [UInt8], payload: [UInt8], properties: [UInt8], identifier: UInt16, qos: QoS, isRetained: Bool, isDuplicate: Bool,
            sequence: UInt64?)
        case repeated(UInt16, QoS)
        case released(UInt16, sequence: UInt64)
        case connected(SessionPresence)
        case subscribed([SubscriptionResult])
        case unsubscribed([UnsubscriptionResult])
        case acknowledged(UInt16)
        case refused(UInt16, ServerRefusal)
        case identifiersConfirmed
        case identifiersFreed
        case failed(MQTTError)
        case tickFailed(MQTTError)
        case published(PublishOutcome, inFlight: Int)
        case version(ProtocolVersion, inFlight: Int)
        case sent([UInt8])
        case held([ClosedRange<UInt16>])
    }

    private(set) var log: [Entry] = []

    private let setup: Setup
    private let memory: GuardedMemory
    private let isByteByByte: Bool
    private let topic: TopicName
    private let filters: [TopicFilter]
    private var session: ClientSession
    private var owed = OwedAnswers()
    /// Messages of ours that went out on this connection and have not been answered.
    private var underWay: Set<UInt16> = []
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var unread: [UInt8] = []
    private var bytesReceived = 0
    private var isPaused = false

    init(_ setup: Setup, memory: GuardedMemory, isByteByByte: Bool) {
        self.setup = setup
        self.memory = memory
        self.isByteByByte = isByteByByte
        var configuration = SessionConfiguration(clientIdentifier: "fuzz")
        configuration.version = setup.version
        configuration.cleanSession = setup.isClean
        configuration.keepAliveSeconds = setup.keepAliveSeconds
        configuration.maximumPacketBytes = setup.isTight ? 64 : 4096
        configuration.filtersPerPacket = 2
        configuration.maximumPublishesInFlight = 6
        configuration.receiveMaximum = setup.isTight ? 4 : .max
        configuration.topicAliasMaximum = setup.isTight ? 2 : 32
        guard let topic = try? TopicName("t"), let session = try? ClientSession(configuration: configuration),
            let filters = try? ["a", "b/#", "$share/g/+"].map({ try TopicFilter($0) })
        else { fatalError("the session of the fuzzer is not valid") }
        (self.topic, self.session, self.filters) = (topic, session, filters)
        if setup.loadsIdentifiers { self.session.loadStoredPacketIdentifiers([1...3, 8...8]) }
        open(isPresent: setup.isPresent, allowsLittle: false)
        for _ in 0..<setup.publishes { publish() }
        if setup.isPaused { pauseOrResume() }
    }

    // MARK: Connections

    /// - Parameter allowsLittle: from 5.0 the server takes one message at a time, at QoS 1, and small ones.
    private mutating func open(isPresent: Bool, allowsLittle: Bool) {
        owed.connectionOpened()
        underWay = []
        session.connectionOpened(now: now)
        send()
        guard setup.isConnected else { return }
        let flags: UInt8 = isPresent && !setup.isClean ? 1 : 0
        let properties: [UInt8] = allowsLittle ? [0x21, 0, 1, 0x24, 1, 0x25, 0, 0x27, 0, 0, 0, 12] : []
        receive(
            session.configuration.version.hasProperties
                ? [0x20, UInt8(3 + properties.count), flags, 0, UInt8(properties.count)] + properties : [0x20, 2, flags, 0])
        if isPresent, setup.confirmsIdentifiers { session.confirmPacketIdentifiers() }
        for _ in 0..<setup.subscribes { subscribe() }
        for _ in 0..<setup.unsubscribes { session.unsubscribe(filters, now: now) }
        send()
    }

    /// As one that a server does not take is changed for another.
    private mutating func changeVersion() {
        var configuration = session.configuration
        let versions = ProtocolVersion.allCases
        configuration.version = versions[(Int(configuration.version.rawValue) + 1) % versions.count]
        do throws(MQTTError) { try session.reconfigure(configuration) } catch { claim(false, "\(error)") }
        log.append(.version(configuration.version, inFlight: session.publishesInFlight))
    }

    private mutating func close() {
        session.connectionClosed()
        owed.connectionClosed()
        unread = []
        isPaused = false
    }

    // MARK: Bytes

    mutating func receive(_ bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty else { return }
        bytesReceived += bytes.count
        guard isByteByByte else {
            unread += bytes
            return read()
        }
        for byte in bytes {
            unread.append(byte)
            read()
        }
    }

    /// Everything that the bytes mean, up to an error.
    private mutating func read() {
        let bytes = unread.withUnsafeBytes { memory.lay($0) }
        var offset = 0
        var calls = 0
        do throws(MQTTError) {
            while true {
                let before = offset
                calls += 1
                claim(calls <= bytes.count + 16, "\(calls) events of \(bytes.count) bytes")
                let event = try session.nextEvent(in: bytes, at: &offset, now: now)
                claim(offset >= before && offset <= bytes.count, "from \(before) to \(offset) of \(bytes.count) bytes")
                guard take(event, bytes) else { break }
            }
        } catch {
            claim((0...bytes.count).contains(offset), "\(error) at \(offset) of \(bytes.count) bytes")
            log.append(.failed(error))
            offset = bytes.count
        }
        unread.removeFirst(offset)
        let bound = bytesReceived / 4 + 1
        claim(session.unacknowledgedCount <= bound, "\(session.unacknowledgedCount) packets of \(bytesReceived) bytes")
    }

    /// Takes one event down; false where no other can follow.
    private mutating func take(_ event: SessionEvent, _ bytes: UnsafeRawBufferPointer) -> Bool {
        switch event {
        case .needsMoreBytes, .held: return false
        case .identifiersFreed:
            log.append(.identifiersFreed)
            session.freedIdentifiersAreDurable()
            return true
        case .publish(let publish, let sequence):
            claim(bytes.holds(publish.payload) && bytes.holds(publish.properties.bytes), "a message outside the bytes")
            claim(session.configuration.version.hasProperties || bytes.holds(publish.topic), "a topic outside the bytes")
            check(publish.properties)
            claim(TopicName.isValid(publish.topic), "a topic that is none")
            claim(
                (publish.packetIdentifier == 0) == (publish.qos == .atMostOnce), "identifier \(publish.packetIdentifier) at \(publish.qos)")
            claim((sequence == nil) == (publish.qos == .atMostOnce), "sequence \(String(describing: sequence)) at \(publish.qos)")
            if let sequence { owed.received(sequence, publish.packetIdentifier, publish.qos) }
            log.append(
                .publish(
                    topic: Array(publish.topic), payload: Array(publish.payload), properties: Array(publish.properties.bytes),
                    identifier: publish.packetIdentifier, qos: publish.qos,
                    isRetained: publish.isRetained, isDuplicate: publish.isDuplicate, sequence: sequence))
        case .repeated(let identifier, let qos):
            if qos == .exactlyOnce { owed.repeated(identifier) }
            log.append(.repeated(identifier, qos))
        case .released(let identifier, let sequence):
            owed.released(sequence, identifier)
            log.append(.released(identifier, sequence: sequence))
        case .acknowledged(let identifier):
            underWay.remove(identifier)
            log.append(.acknowledged(identifier))
        case .publishRefused(let identifier, let refusal):
            underWay.remove(identifier)
            log.append(.refused(identifier, refusal))
        case .connected(let presence): log.append(.connected(presence))
        case .subscribed(let results): log.append(.subscribed(results))
        case .unsubscribed(let results): log.append(.unsubscribed(results))
        case .identifiersConfirmed: log.append(.identifiersConfirmed)
        }
        return true
    }

    private func check(_ properties: PublishProperties) {
        claim(PublishProperties(checking: properties.bytes) != nil, "properties that are none")
        let fields = [properties.contentType, properties.responseTopic, properties.correlationData]
        claim(fields.allSatisfy { $0.map(properties.bytes.holds) ?? true }, "a property outside the properties")
        properties.forEachUserProperty { name, value in
            claim(properties.bytes.holds(name) && properties.bytes.holds(value), "a user property outside the properties")
            claim(properties.userProperty(Array(name)) != nil, "a user property that is not found")
        }
    }

    // MARK: What the caller does

    mutating func take(_ step: Step) {
        switch step.action {
        case .nothing: break
        case .settleOldest: owed.takeOldest().map { settle($0) }
        case .settleNewest: owed.takeNewest().map { settle($0) }
        case .abandon:
            if let sequence = owed.takeFormer() {
                session.abandon(sequence..<sequence + 1)
                read()
            }
        case .flush: send()
        case .tick: tick()
        case .pauseOrResume: pauseOrResume()
        case .publish:
            publish()
            send()
        case .subscribe:
            subscribe()
            send()
        case .disconnect:
            session.disconnect()
            send()
        case .reconnect, .reconnectAbsent:
            close()
            if step.bytes & 2 != 0 { changeVersion() }
            open(isPresent: step.action == .reconnect, allowsLittle: step.bytes % 2 == 1)
        }
        held()
    }

    private mutating func settle(_ sequence: UInt64) {
        session.settle(sequence..<sequence + 1)
        // What was held may be read now.
        read()
    }

    private mutating func tick() {
        now = now + .seconds(7)
        do throws(MQTTError) {
            let next = try session.tick(now: now)
            claim(next > now || setup.keepAliveSeconds == 0, "the next tick is not in the future")
        } catch {
            log.append(.tickFailed(error))
        }
        send()
    }

    private mutating func pauseOrResume() {
        if isPaused { session.resumeReading(now: now) } else { session.pauseReading() }
        isPaused.toggle()
        claim(session.isReadingPaused == isPaused, "paused, or not")
    }

    private mutating func publish() {
        let qos: QoS = session.publishesInFlight.isMultiple(of: 2) ? .atLeastOnce : .exactlyOnce
        let outcome = session.publish(topic: topic, payload: [1, 2, 3], qos: qos, isRetained: true)
        log.append(.published(outcome, inFlight: session.publishesInFlight))
    }

    private mutating func subscribe() {
        session.subscribe(filters.map { Subscription(filter: $0, qos: .exactlyOnce) }, now: now)
    }

    /// Settles everything that came, and wants every answer for it.
    mutating func settleAll() {
        while let sequence = owed.takeNewest() { settle(sequence) }
        claim(!session.hasUnsettledDeliveriesOfFormerConnection, "all is settled, and something waits")
        send()
        guard session.isConnected else { return }
        claim(session.unacknowledgedCount == 0 && owed.isAnswered, "all is settled, and not all is answered")
        held()
    }

    private mutating func held() {
        let held = session.heldPacketIdentifiers
        claim(held.first?.lowerBound != 0, "0 is held")
        claim(zip(held, held.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound }, "held, in disorder: \(held)")
        claim(held.isEmpty == session.holdsNoPacketIdentifier, "held, and not held")
        log.append(.held(held))
    }

    /// Whole packets, and only answers that are owed.
    private mutating func send() {
        session.flushAcknowledgements()
        guard let output = session.takeOutput(now: now) else { return }
        var packets = Array(output.readableBytesView)[...]
        log.append(.sent(Array(packets)))
        // A connection that has failed allows what it did before.
        let allowed = session.capabilities
        while let first = packets.popFirst() {
            var count = 0
            var shift = 0
            while let byte = packets.popFirst() {
                count |= Int(byte & 0x7F) << shift
                shift += 7
                if byte & 0x80 == 0 { break }
            }
            claim(shift > 0 && count <= packets.count, "half a packet was written")
            let body = packets.prefix(count)
            packets = packets.dropFirst(count)
            let isLarge = [3, 8, 10].contains(first >> 4) && 1 + shift / 7 + count > allowed.maximumPacketBytes
            claim(!isLarge, "\(count) bytes and a header, to a server that takes \(allowed.maximumPacketBytes)")
            switch first >> 4 {
            case 3:
                let qos = first >> 1 & 3
                let number = body.dropFirst(2 + body.prefix(2).reduce(0) { $0 << 8 | Int($1) }).prefix(2)
                let identifier = qos > 0 ? number.reduce(0) { $0 << 8 | UInt16($1) } : 0
                check(first, allowed)
                guard qos > 0 else { continue }
                underWay.insert(identifier)
                claim(
                    underWay.count <= allowed.receiveMaximum, "\(underWay.count) messages, to a server that takes \(allowed.receiveMaximum)"
                )
            case 4...7:
                claim(body.count >= 2, "an answer of \(body.count) bytes")
                owed.sent(first >> 4, body.prefix(2).reduce(0) { $0 << 8 | UInt16($1) })
            default: break
            }
        }
    }

    /// What the server has said that it takes.
    private func check(_ firstByte: UInt8, _ allowed: ServerCapabilities) {
        let qos = firstByte >> 1 & 3
        claim(qos <= allowed.maximumQoS.rawValue, "QoS \(qos) to a server that has up to \(allowed.maximumQoS)")
        claim(firstByte & 1 == 0 || allowed.isRetainAvailable, "RETAIN to a server that has none")
    }
}

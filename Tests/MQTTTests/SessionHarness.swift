import NIOCore

@testable import MQTT

/// An event with its bytes copied out, so that a test can keep and compare it.
enum RecordedEvent: Equatable, CustomStringConvertible {
    case held
    case connected(SessionPresence)
    case publish(topic: String, payload: [UInt8], identifier: UInt16, qos: QoS, retained: Bool, duplicate: Bool, sequence: UInt64?)
    case repeated(UInt16, QoS)
    case released(UInt16, sequence: UInt64)
    case identifiersConfirmed
    case identifiersFreed
    case subscribed([SubscriptionResult])
    case unsubscribed([UnsubscriptionResult])
    case acknowledged(UInt16)
    case publishRefused(UInt16, ServerRefusal)
    case failed(MQTTError)

    init?(_ event: SessionEvent) {
        switch event {
        case .needsMoreBytes: return nil
        case .held: self = .held
        case .connected(let presence): self = .connected(presence)
        case .publish(let publish, let sequence):
            self = .publish(
                topic: String(decoding: publish.topic, as: UTF8.self), payload: Array(publish.payload),
                identifier: publish.packetIdentifier,
                qos: publish.qos, retained: publish.isRetained, duplicate: publish.isDuplicate, sequence: sequence)
        case .repeated(let identifier, let qos): self = .repeated(identifier, qos)
        case .released(let identifier, let sequence): self = .released(identifier, sequence: sequence)
        case .identifiersConfirmed: self = .identifiersConfirmed
        case .identifiersFreed: self = .identifiersFreed
        case .subscribed(let results): self = .subscribed(results)
        case .unsubscribed(let filters): self = .unsubscribed(filters)
        case .acknowledged(let identifier): self = .acknowledged(identifier)
        case .publishRefused(let identifier, let refusal): self = .publishRefused(identifier, refusal)
        }
    }

    var sequence: UInt64? {
        switch self {
        case .publish(_, _, _, _, _, _, let sequence): sequence
        case .released(_, let sequence): sequence
        default: nil
        }
    }

    var error: MQTTError? {
        guard case .failed(let error) = self else { return nil }
        return error
    }

    var description: String {
        switch self {
        case .failed(let error): "failed: \(error)"
        case .publish(let topic, let payload, let identifier, let qos, _, _, let sequence):
            "publish \(topic) \(payload.count) bytes, identifier \(identifier), \(qos), sequence \(sequence.map(String.init) ?? "none")"
        case .repeated(let identifier, let qos): "repeated \(identifier), \(qos)"
        case .released(let identifier, let sequence): "released \(identifier), sequence \(sequence)"
        case .acknowledged(let identifier): "acknowledged \(identifier)"
        case .publishRefused(let identifier, let refusal): "publish \(identifier) refused: \(refusal.code)"
        case .connected(let presence): "connected, session \(presence)"
        case .subscribed(let results): "subscribed \(results.count)"
        case .unsubscribed(let filters): "unsubscribed \(filters.count)"
        case .held: "held"
        case .identifiersConfirmed: "identifiers confirmed"
        case .identifiersFreed: "identifiers freed"
        }
    }
}

/// A session with the buffer that a connection would keep for it: bytes that no packet has taken stay in front of the next ones.
struct SessionHarness {
    var session: ClientSession
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var unread: [UInt8] = []

    /// What a PUBLISH would repeat, one by one.
    var heldIdentifiers: [UInt16] { Array(session.heldPacketIdentifiers.joined()) }

    init(_ change: (inout SessionConfiguration) -> Void = { _ in }) throws {
        var configuration = SessionConfiguration(clientIdentifier: "c")
        change(&configuration)
        session = try ClientSession(configuration: configuration)
    }

    /// A session that has sent CONNECT and received CONNACK.
    static func connected(
        sessionPresent: Bool = false, _ change: (inout SessionConfiguration) -> Void = { _ in }
    ) throws -> SessionHarness {
        var harness = try SessionHarness(change)
        harness.reconnect(sessionPresent: sessionPresent)
        return harness
    }

    /// Ends the connection, if there is one, and makes another.
    mutating func reconnect(sessionPresent: Bool) {
        close()
        session.connectionOpened(now: now)
        _ = takeOutput()
        _ = receive([0x20, hasProperties ? 3 : 2, sessionPresent ? 1 : 0, 0] + (hasProperties ? [0] : []))
    }

    private var hasProperties: Bool { session.configuration.version == .v5 }

    mutating func close() {
        session.connectionClosed()
        unread = []
    }

    /// Everything that the bytes mean, up to an error.
    mutating func receive(_ bytes: some Sequence<UInt8>) -> [RecordedEvent] {
        unread += bytes
        var events: [RecordedEvent] = []
        var offset = 0
        unread.withUnsafeBytes { buffer in
            do throws(MQTTError) {
                while let event = RecordedEvent(try session.nextEvent(in: buffer, at: &offset, now: now)) {
                    events.append(event)
                    if event == .held { break }
                }
            } catch {
                events.append(.failed(error))
            }
        }
        unread.removeFirst(offset)
        return events
    }

    mutating func receive(hex: String) -> [RecordedEvent] { receive(bytes(hex)) }

    /// What the session wants to send now.
    mutating func takeOutput() -> [UInt8] {
        guard let output = session.takeOutput(now: now) else { return [] }
        return Array(output.readableBytesView)
    }

    mutating func flush() -> [UInt8] {
        session.flushAcknowledgements()
        return takeOutput()
    }

    mutating func settle(_ sequence: UInt64) { session.settle(sequence..<sequence + 1) }
    mutating func settleRelease(_ number: UInt64) { settle(release(number)) }
}

/// The sequence of a session's release number so and so.
func release(_ number: UInt64) -> UInt64 { number | 1 << 63 }

/// The bytes that hexadecimal digits stand for; blanks are for the reader.
func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.compactMap { UInt8($0.description, radix: 16) }
    precondition(digits.count.isMultiple(of: 2), "half a byte in \(hex)")
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// A PUBLISH as a server sends it.
func publishPacket(
    topic: [UInt8], payload: [UInt8] = [], qos: UInt8 = 0, identifier: UInt16? = nil, retained: Bool = false, duplicate: Bool = false
) -> [UInt8] {
    var body = [UInt8(topic.count >> 8), UInt8(topic.count & 0xFF)] + topic
    if let identifier { body += [UInt8(identifier >> 8), UInt8(identifier & 0xFF)] }
    body += payload
    return [0x30 | (duplicate ? 8 : 0) | qos << 1 | (retained ? 1 : 0)] + remainingLength(body.count) + body
}

func publishPacket(_ topic: String, qos: UInt8 = 0, identifier: UInt16? = nil, duplicate: Bool = false) -> [UInt8] {
    publishPacket(topic: Array(topic.utf8), payload: [0x2A], qos: qos, identifier: identifier, duplicate: duplicate)
}

func remainingLength(_ count: Int) -> [UInt8] {
    var encoded: [UInt8] = []
    var rest = count
    repeat {
        encoded.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
        rest >>= 7
    } while rest > 0
    return encoded
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, told apart by the first byte.
func acknowledgementPacket(_ firstByte: UInt8, _ identifier: UInt16) -> [UInt8] {
    [firstByte, 2, UInt8(identifier >> 8), UInt8(identifier & 0xFF)]
}

/// A generator whose numbers follow from its seed, so that a failing round can be replayed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

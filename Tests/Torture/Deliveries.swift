import Synchronization

/// A message of the run: which device sent it, and its number there.
struct MessageKey: Hashable, Comparable {
    /// `q1-d0`: QoS and number of the device.
    var device: String
    var number: Int

    var qos: Int { Int(device.dropFirst().prefix(1)) ?? 0 }

    static func < (left: MessageKey, right: MessageKey) -> Bool { (left.device, left.number) < (right.device, right.number) }

    /// One in so many payloads cannot be decoded, and has to become a dead letter.
    static let undecodableEvery = 37
    var payload: String { number % Self.undecodableEvery == 0 ? "broken \(device) \(number)" : "{\"n\":\(number)}" }

    /// The key of a payload that cannot be decoded.
    init?(letter payload: String) {
        let words = payload.split(separator: " ")
        guard words.count == 3, let number = Int(words[2]) else { return nil }
        self.init(device: String(words[1]), number: number)
    }

    init(device: String, number: Int) {
        self.device = device
        self.number = number
    }
}

/// How often each message at QoS 1 and 2 was handed to any ingester.
final class DeliveryCounter: Sendable {
    private let counts = Mutex<[MessageKey: Int]>([:])

    func add(_ key: MessageKey) { counts.withLock { $0[key, default: 0] += 1 } }
    var all: [MessageKey: Int] { counts.withLock { $0 } }
}

/// Reads the packets that a broker sends on one connection, just far enough to know the messages.
struct DeliveryReader {
    private let counter: DeliveryCounter
    private var buffer: [UInt8] = []

    init(_ counter: DeliveryCounter) { self.counter = counter }

    mutating func forwarded(_ bytes: ArraySlice<UInt8>) {
        buffer += bytes
        var offset = 0
        while let (end, body) = packet(at: offset) {
            if buffer[offset] >> 4 == 3, buffer[offset] & 0b110 != 0 { count(Array(buffer[body..<end])) }
            offset = end
        }
        buffer.removeFirst(offset)
    }

    /// The end of the packet there and the start of its body; nil when it is not whole.
    private func packet(at offset: Int) -> (end: Int, body: Int)? {
        var length = 0
        var shift = 0
        var at = offset + 1
        while at < buffer.count, shift < 28 {
            length |= Int(buffer[at] & 0x7F) << shift
            shift += 7
            at += 1
            if buffer[at - 1] & 0x80 == 0 { return at + length <= buffer.count ? (at + length, at) : nil }
        }
        return nil
    }

    private func count(_ body: [UInt8]) {
        let topicLength = Int(body[0]) << 8 | Int(body[1])
        let device = String(decoding: body[2..<2 + topicLength], as: UTF8.self).split(separator: "/").last.map(String.init) ?? ""
        let payload = String(decoding: body[(4 + topicLength)...], as: UTF8.self)
        if let key = MessageKey(letter: payload) {
            counter.add(key)
        } else if let number = Int(payload.filter(\.isNumber)) {
            counter.add(MessageKey(device: device, number: number))
        }
    }
}

import MQTT
import Mapping

/// The messages of a batch as they came, one behind the other in one block of memory: what becomes a dead letter when PostgreSQL refuses the rows.
struct MessageLog: ~Copyable {
    struct Entry {
        var offset: Int
        var topicBytes: UInt32
        var payloadBytes: UInt32
        var propertyBytes: UInt32
        var brokerBytes: UInt32
        var receivedMicroseconds: Int64
        /// The session's number in the pool.
        var session: UInt32
        var qos: UInt8
        var isRetained: Bool
    }

    private(set) var entries: [Entry] = []
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var byteCount = 0

    /// The broker's address is kept with each message: a mapping stores it.
    private let keepsBroker: Bool

    init(capacity: Int = 64 * 1024, keepsBroker: Bool) {
        self.keepsBroker = keepsBroker
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    /// The number that the next message gets.
    var nextNumber: UInt32 { UInt32(truncatingIfNeeded: entries.count) }

    @inline(__always)
    mutating func append(_ message: borrowing MessageInput, session: Int) {
        let properties = message.properties.bytes
        let brokerBytes = keepsBroker ? message.broker.count : 0
        let bytes = message.topic.count + message.payload.count + properties.count + brokerBytes
        if _slowPath(capacity - byteCount < bytes) { grow(bytes) }
        entries.append(
            Entry(
                offset: byteCount, topicBytes: UInt32(truncatingIfNeeded: message.topic.count),
                payloadBytes: UInt32(truncatingIfNeeded: message.payload.count),
                propertyBytes: UInt32(truncatingIfNeeded: properties.count), brokerBytes: UInt32(truncatingIfNeeded: brokerBytes),
                receivedMicroseconds: message.receivedMicroseconds, session: UInt32(truncatingIfNeeded: session), qos: message.qos,
                isRetained: message.isRetained))
        if let topic = message.topic.baseAddress { (base + byteCount).copyMemory(from: topic, byteCount: message.topic.count) }
        if let payload = message.payload.baseAddress {
            (base + byteCount + message.topic.count).copyMemory(from: payload, byteCount: message.payload.count)
        }
        if let start = properties.baseAddress, !properties.isEmpty {
            (base + byteCount + message.topic.count + message.payload.count).copyMemory(from: start, byteCount: properties.count)
        }
        if let broker = message.broker.baseAddress, brokerBytes > 0 {
            (base + byteCount + bytes - brokerBytes).copyMemory(from: broker, byteCount: brokerBytes)
        }
        byteCount += bytes
    }

    /// A message; its pointers are valid until the log changes or goes.
    func message(_ number: Int) -> MessageInput {
        let entry = entries[number]
        let properties = UnsafeRawBufferPointer(
            start: base + entry.offset + Int(entry.topicBytes) + Int(entry.payloadBytes), count: Int(entry.propertyBytes))
        return MessageInput(
            topic: UnsafeRawBufferPointer(start: base + entry.offset, count: Int(entry.topicBytes)),
            payload: UnsafeRawBufferPointer(start: base + entry.offset + Int(entry.topicBytes), count: Int(entry.payloadBytes)),
            receivedMicroseconds: entry.receivedMicroseconds, qos: entry.qos, isRetained: entry.isRetained,
            properties: PublishProperties(checking: properties) ?? PublishProperties(),
            broker: UnsafeRawBufferPointer(
                start: base + entry.offset + Int(entry.topicBytes) + Int(entry.payloadBytes) + Int(entry.propertyBytes),
                count: Int(entry.brokerBytes)))
    }

    mutating func removeAll(keepingCapacityUpTo limit: Int) {
        entries.removeAll(keepingCapacity: true)
        byteCount = 0
        guard capacity > limit else { return }
        base.deallocate()
        base = .allocate(byteCount: limit, alignment: 16)
        capacity = limit
    }

    @inline(never)
    private mutating func grow(_ bytes: Int) {
        let wanted = max(capacity * 2, byteCount + bytes)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        larger.copyMemory(from: base, byteCount: byteCount)
        base.deallocate()
        base = larger
        capacity = wanted
    }
}

import Testing

@testable import MQTT

/// A stream as a server sends it after CONNECT, with a bit of everything.
private let stream: [[UInt8]] = [
    bytes("20 02 0100"),
    publishPacket("early", qos: 1, identifier: 1, duplicate: true),
    bytes("90 04 0001 01 80"),
    publishPacket(topic: Array("sensors/d1/state".utf8), payload: Array("{\"t\":21.5}".utf8), retained: true),
    bytes("D0 00"),
    publishPacket(topic: Array("täglich/ü".utf8), payload: [UInt8](repeating: 0xFF, count: 200), qos: 2, identifier: 0x1234),
    publishPacket(topic: Array("täglich/ü".utf8), qos: 2, identifier: 0x1234, duplicate: true),
    bytes("B0 02 0002"),
    bytes("62 02 0008"),
    bytes("62 02 0009"),
    bytes("D0 80 00"),
    bytes("40 02 0003"),
    publishPacket("/", qos: 1, identifier: 65_535),
    bytes("50 02 0004  70 02 0004"),
]

@Suite("A stream means the same however it is cut")
struct StreamTests {
    /// A session for which everything in the stream is right: it subscribed, published and has a stored identifier.
    private func expecting() throws -> SessionHarness {
        var harness = try SessionHarness.connected(sessionPresent: true)
        harness.session.loadStoredPacketIdentifiers([8...8])
        harness.session.subscribe(
            [Subscription(filter: try TopicFilter("a"), qos: .atLeastOnce), Subscription(filter: try TopicFilter("b"), qos: .atLeastOnce)],
            now: harness.now)
        harness.session.unsubscribe([try TopicFilter("c")], now: harness.now)
        _ = harness.session.publish(topic: try TopicName("p"), payload: [1], qos: .atLeastOnce)
        _ = harness.session.publish(topic: try TopicName("p"), payload: [2], qos: .exactlyOnce)
        _ = harness.takeOutput()
        return harness
    }

    private var packets: [[UInt8]] { Array(stream.dropFirst()) }

    @Test("Whole, it gives these events")
    func whole() throws {
        var harness = try expecting()
        let events = harness.receive(packets.flatMap { $0 })
        let subscriptions = [try TopicFilter("a"), try TopicFilter("b")].map { Subscription(filter: $0, qos: .atLeastOnce) }
        #expect(
            events == [
                .publish(topic: "early", payload: [0x2A], identifier: 1, qos: .atLeastOnce, retained: false, duplicate: true, sequence: 0),
                .subscribed([
                    SubscriptionResult(subscription: subscriptions[0], grantedQoS: .atLeastOnce),
                    SubscriptionResult(subscription: subscriptions[1], grantedQoS: nil, refusal: ServerRefusal(code: .unspecifiedError)),
                ]),
                .publish(
                    topic: "sensors/d1/state", payload: Array("{\"t\":21.5}".utf8), identifier: 0, qos: .atMostOnce, retained: true,
                    duplicate: false, sequence: nil),
                .publish(
                    topic: "täglich/ü", payload: [UInt8](repeating: 0xFF, count: 200), identifier: 0x1234, qos: .exactlyOnce,
                    retained: false, duplicate: false, sequence: 1),
                .repeated(0x1234, .exactlyOnce),
                .unsubscribed([UnsubscriptionResult(filter: try TopicFilter("c"))]),
                .released(8, sequence: release(0)),
                .acknowledged(3),
                .publish(
                    topic: "/", payload: [0x2A], identifier: 65_535, qos: .atLeastOnce, retained: false, duplicate: false, sequence: 3),
                .acknowledged(4),
            ])
        harness.session.settle(0..<4)
        harness.settleRelease(0)
        #expect(harness.flush() == bytes("62 02 0004  70 02 0008  70 02 0009  40 02 0001  50 02 1234  50 02 1234  40 02 FFFF"))
    }

    @Test("Cut in two at every byte")
    func cutInTwo() throws {
        let start = try expecting()
        var once = start
        let stream = packets.flatMap { $0 }
        let expected = once.receive(stream)
        for cut in 0...stream.count {
            var harness = start
            let events = harness.receive(stream[..<cut]) + harness.receive(stream[cut...])
            #expect(events == expected, "cut at \(cut)")
        }
    }

    @Test("Byte by byte, CONNACK included")
    func byteByByte() throws {
        var harness = try SessionHarness()
        harness.session.connectionOpened(now: harness.now)
        var events: [RecordedEvent] = []
        let stream = bytes("20 02 0100") + publishPacket("a", qos: 1, identifier: 1) + bytes("D0 00") + publishPacket("b")
        for byte in stream { events += harness.receive([byte]) }
        #expect(events.count == 3)
        #expect(events.first == .connected(.present))

        var whole = try expecting()
        var cut = whole
        let rest = packets.flatMap { $0 }
        #expect(rest.flatMap { cut.receive([$0]) } == whole.receive(rest))
    }
}

@Suite("Foreign bytes never trap: they mean something or end the connection")
struct MutationTests {
    private let filters: [TopicFilter]
    private let topic: TopicName

    init() throws {
        filters = try ["a", "b", "c"].map { try TopicFilter($0) }
        topic = try TopicName("p")
    }

    /// What the session says may be wrong for the bytes, but it goes on consistently: no trap, and each answer is asked for.
    private func run(_ stream: [UInt8], generator: inout SeededGenerator) throws {
        var harness = try SessionHarness { $0.maximumPacketBytes = 4096 }
        harness.session.connectionOpened(now: harness.now)
        _ = harness.takeOutput()
        var isPrepared = false
        var rest = stream[...]
        while !rest.isEmpty {
            // CONNACK alone, so that what it allows is done before the rest is read.
            let piece = rest.prefix(isPrepared ? Int.random(in: 1...64, using: &generator) : 4)
            rest = rest.dropFirst(piece.count)
            for event in harness.receive(piece) {
                if case .connected = event, !isPrepared {
                    isPrepared = true
                    harness.session.subscribe(
                        [
                            Subscription(filter: filters[0], qos: .atLeastOnce),
                            Subscription(filter: filters[1], qos: .atLeastOnce),
                        ], now: harness.now)
                    harness.session.unsubscribe([filters[2]], now: harness.now)
                    _ = harness.session.publish(topic: topic, payload: [1], qos: .atLeastOnce)
                    _ = harness.session.publish(topic: topic, payload: [2], qos: .exactlyOnce)
                }
                if let sequence = event.sequence, Bool.random(using: &generator) { harness.settle(sequence) }
                if event.error != nil { return }
            }
            _ = harness.flush()
        }
    }

    @Test("Valid streams with bytes changed, removed, inserted, packets swapped and cut", arguments: 0..<40)
    func mutated(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1_000 {
            var packets = stream
            if Int.random(in: 0..<4, using: &generator) == 0 { packets[1...].shuffle(using: &generator) }
            var bytes = packets.flatMap { $0 }
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
            }
            try run(bytes, generator: &generator)
        }
    }

    @Test("Noise after CONNACK", arguments: 0..<10)
    func noise(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let noise = (0..<Int.random(in: 1...60, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            try run([0x20, 2, 0, 0] + noise, generator: &generator)
        }
    }
}

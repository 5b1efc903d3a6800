import Foundation
import MQTT
import NIOCore
import Sandbox
import Testing

@testable import Fleet

@Suite("Publishing a fleet's messages", .timeLimit(.minutes(1)))
struct FleetPublisherTests {
    private func broker() async throws -> PrivateMosquitto {
        var options = PrivateMosquitto.Options()
        options.extraLines = ["log_type all"]
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        return broker
    }

    private func configuration(_ broker: PrivateMosquitto, devices: Int = 6) -> FleetConfiguration {
        FleetConfiguration(fleet: DeviceFleet(devices: devices), host: "127.0.0.1", port: broker.port)
    }

    /// PUBLISH packets that the broker says it has received.
    private func received(_ broker: PrivateMosquitto) -> Int {
        broker.log.components(separatedBy: "Received PUBLISH from fleet-").count - 1
    }

    @Test("brings each message to the broker and tells each as acknowledged", arguments: [QoS.atMostOnce, .atLeastOnce, .exactlyOnce])
    func count(qos: QoS) async throws {
        let broker = try await broker()
        var configuration = configuration(broker)
        configuration.qos = qos
        configuration.count = 3000
        let publisher = try FleetPublisher(configuration)
        let progress = try await publisher.run()
        #expect(progress.published == [.json: 1000, .csv: 1000, .binary: 1000])
        #expect(progress.acknowledged == progress.published)
        #expect(try await publisher.acknowledgedMessages() == Array(0..<3000))
        // What is written last at QoS 0 arrives as well.
        try await waitUntil { received(broker) == 3000 }
    }

    @Test("shares the devices among connections")
    func connections() async throws {
        let broker = try await broker()
        var configuration = configuration(broker, devices: 7)
        configuration.connections = 3
        configuration.count = 1000
        let publisher = try FleetPublisher(configuration)
        try await publisher.run()
        #expect(try await publisher.acknowledgedMessages() == Array(0..<1000))
        let clients = Set(broker.log.matches(of: #/PUBLISH from (fleet-[0-9]+-[0-9])/#).map { String($0.1) })
        #expect(clients.count == 3)
    }

    @Test("keeps the rate, and ends after the duration")
    func rate() async throws {
        let broker = try await broker()
        var configuration = configuration(broker)
        configuration.rate = 200
        configuration.duration = .seconds(1)
        configuration.connections = 2
        let progress = try await FleetPublisher(configuration).run()
        // On a machine that is busy fewer, or more where the end comes late; without a rate it would be tens of thousands.
        #expect((50...600).contains(progress.publishedTotal))
        #expect(progress.acknowledgedTotal == progress.publishedTotal)
    }

    @Test(
        "goes on when the broker has crashed and is back, and loses nothing that it told as acknowledged",
        arguments: [QoS.atLeastOnce, .exactlyOnce])
    func reconnecting(qos: QoS) async throws {
        let broker = try await broker()
        var configuration = configuration(broker)
        configuration.qos = qos
        // Six seconds: also on a machine that is busy the broker crashes before all is said.
        configuration.rate = 1000
        configuration.count = 6000
        configuration.reconnectLimit = .seconds(30)
        let publisher = try FleetPublisher(configuration)
        let running = Task { try await publisher.run() }
        try await waitUntil { try await publisher.progress().acknowledgedTotal > 500 }
        let before = try await publisher.progress().acknowledgedTotal
        try await broker.restart(.immediate)
        let progress = try await running.value
        // It was in the middle of it. (What the broker has logged may have gone with it.)
        #expect(before < 6000)
        #expect(progress.acknowledgedTotal == 6000)
        #expect(try await publisher.acknowledgedMessages() == Array(0..<6000))
        #expect(broker.log.contains("New client connected"))
    }

    @Test("fails when the broker goes away and nothing else was asked for")
    func lostConnection() async throws {
        let broker = try await broker()
        let publisher = try FleetPublisher(configuration(broker))
        let running = Task { try await publisher.run() }
        try await waitUntil { try await publisher.progress().acknowledgedTotal > 0 }
        await broker.stop(.immediate)
        await #expect(throws: FleetPublisher.Failure.self) { try await running.value }
    }

    @Test("fails at once where no broker listens, with the address")
    func unreachable() async throws {
        let broker = try await broker()
        await broker.stop()
        var configuration = configuration(broker)
        configuration.reconnectLimit = .seconds(30)
        let publisher = try FleetPublisher(configuration)
        let error = await #expect(throws: FleetPublisher.Failure.self) { try await publisher.run() }
        #expect(error?.description.contains("127.0.0.1:\(broker.port)") == true)
    }

    @Test("ends without an error when it is cancelled, and waits for what it had sent")
    func cancellation() async throws {
        let broker = try await broker()
        let publisher = try FleetPublisher(configuration(broker))
        let running = Task { try await publisher.run() }
        try await waitUntil { try await publisher.progress().acknowledgedTotal > 100 }
        running.cancel()
        let progress = try await running.value
        #expect(progress.acknowledgedTotal == progress.publishedTotal)
        #expect(try await publisher.acknowledgedMessages() == Array(0..<progress.publishedTotal))
        try await waitUntil { received(broker) == progress.publishedTotal }
    }

    @Test("does not wait for ever for a broker that answers no more")
    func silence() async throws {
        let broker = try await broker()
        var configuration = configuration(broker)
        configuration.window = 10
        configuration.acknowledgementLimit = .milliseconds(300)
        let publisher = try FleetPublisher(configuration)
        let running = Task { try await publisher.run() }
        try await waitUntil { try await publisher.progress().acknowledgedTotal > 0 }
        broker.suspend()
        // It writes until its window is full; what was on its way when the broker froze still comes in.
        var last = FleetProgress()
        var timesSeen = 0
        try await waitUntil {
            let progress = try await publisher.progress()
            timesSeen = progress == last ? timesSeen + 1 : 0
            last = progress
            return timesSeen == 20
        }
        #expect(last.publishedTotal == last.acknowledgedTotal + 10)
        publisher.stop()
        #expect(try await running.value == last)
    }

    @Test("ends at once when it is stopped before the broker has answered")
    func stopBeforeConnection() async throws {
        let broker = try await broker()
        broker.suspend()
        let publisher = try FleetPublisher(configuration(broker))
        let running = Task { try await publisher.run() }
        running.cancel()
        let started = ContinuousClock.now
        #expect(try await running.value == FleetProgress())
        #expect(ContinuousClock.now - started < .seconds(5))
    }
}

struct TimedOut: Error {}

/// Asks until the condition holds.
func waitUntil(within limit: Duration = .seconds(20), _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimedOut() }
        try await Task.sleep(for: .milliseconds(10))
    }
}

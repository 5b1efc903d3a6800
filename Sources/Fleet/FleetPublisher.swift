import MQTT
import NIOCore
import NIOPosix

/// Publishes a fleet's messages, and knows of each whether the broker has acknowledged it.
public final class FleetPublisher: Sendable {
    /// Why publishing ended early.
    public struct Failure: Error, CustomStringConvertible { public let description: String }

    private let connections: [FleetConnection]

    /// - Throws: `MQTTError.invalidConfiguration`, also for a window that is out of bounds.
    public init(_ configuration: FleetConfiguration) throws {
        precondition(configuration.connections > 0, "a fleet publishes over at least one connection")
        let count = min(configuration.connections, configuration.fleet.devices)
        let name = "fleet-\(UInt32.random(in: 0...UInt32.max))"
        connections = try (0..<count).map { index in
            try FleetConnection(
                configuration, share: FleetShare(index: index, connections: count, devices: configuration.fleet.devices),
                clientIdentifier: "\(name)-\(index)")
        }
    }

    /// Connects and publishes until count or duration is reached, or `stop` is called; then waits for the last acknowledgements, within bounds.
    ///
    /// A cancelled task ends as after `stop`, without an error.
    /// - Throws: `Failure`; the other connections then end as well.
    @discardableResult
    public func run() async throws -> FleetProgress {
        try await withTaskCancellationHandler {
            do {
                try await withThrowingTaskGroup { group in
                    for connection in connections { group.addTask { try await connection.run() } }
                    // Cancelled with the first that fails, they stop as for a caller who cancels.
                    try await group.waitForAll()
                }
            } catch let error as MQTTError {
                throw Failure(description: error.description)
            }
        } onCancel: {
            stop()
        }
        return try await progress()
    }

    /// Publishes no more; `run` returns when what is under way has been acknowledged.
    public func stop() { for connection in connections { connection.stop() } }

    public func progress() async throws -> FleetProgress {
        var progress = FleetProgress()
        for connection in connections { progress = progress + (try await connection.ask { $0.progress }) }
        return progress
    }

    /// The numbers of all messages that the broker has acknowledged, ascending.
    public func acknowledgedMessages() async throws -> [Int] {
        var messages: [Int] = []
        for connection in connections { messages += try await connection.ask { $0.acknowledgedMessages } }
        return connections.count == 1 ? messages : messages.sorted()
    }
}

/// One client identifier, and the event loop on which its session lives.
private final class FleetConnection: Sendable {
    private let loop: any EventLoop
    private let session: NIOLoopBound<PublishingSession>
    /// Discards the session at the broker, if that keeps one.
    private let discarding: NIOLoopBound<PublishingSession>?

    init(_ configuration: FleetConfiguration, share: FleetShare, clientIdentifier: String) throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        self.loop = loop
        var mqtt = SessionConfiguration(clientIdentifier: clientIdentifier)
        mqtt.credentials = configuration.credentials
        mqtt.maximumPublishesInFlight = configuration.window ?? (configuration.qos == .exactlyOnce ? 20 : 1024)
        mqtt.cleanSession = configuration.reconnectLimit == nil
        session = try Self.make(configuration, share, mqtt, on: loop)
        if mqtt.cleanSession {
            discarding = nil
        } else {
            mqtt.cleanSession = true
            var nothing = configuration
            nothing.count = 0
            nothing.reconnectLimit = nil
            discarding = try Self.make(nothing, share, mqtt, on: loop)
        }
    }

    private static func make(
        _ configuration: FleetConfiguration, _ share: FleetShare, _ mqtt: SessionConfiguration, on loop: any EventLoop
    ) throws -> NIOLoopBound<PublishingSession> {
        let session = try ClientSession(configuration: mqtt)
        return try loop.submit { NIOLoopBound(PublishingSession(configuration, share, session: session, loop: loop), eventLoop: loop) }
            .wait()
    }

    func run() async throws {
        try await withTaskCancellationHandler {
            try await loop.flatSubmit { [session] in session.value.start() }.get()
        } onCancel: {
            stop()
        }
        // All is published and told; a broker that is gone by now has nothing to discard for us.
        if let discarding { try? await loop.flatSubmit { discarding.value.start() }.get() }
    }

    func stop() { loop.execute { [session] in session.value.stop() } }

    func ask<Value: Sendable>(_ question: @escaping @Sendable (PublishingSession) -> Value) async throws -> Value {
        try await loop.submit { [session] in question(session.value) }.get()
    }
}

import MQTT
import NIOCore

/// How a fleet publishes.
public struct FleetConfiguration: Sendable {
    public var fleet: DeviceFleet
    public var host: String
    public var port: Int
    public var credentials: Credentials?
    public var qos = QoS.atLeastOnce
    /// Messages a second; 0 = as fast as the broker takes them.
    public var rate = 0
    /// How many messages; nil = until it is stopped.
    public var count: Int?
    /// How long; nil = until `count`, or it is stopped.
    public var duration: TimeAmount?
    /// Connections that share the devices; at least 1. A device's messages all take the same one, so that they keep their order.
    public var connections = 1
    /// Messages at QoS 1 and 2 that a connection may have unacknowledged; from 1 to 32,768. nil: 1024, and 20 at QoS 2.
    ///
    /// A mosquitto whose `max_queued_messages` is 0 takes no more than its `max_inflight_messages` at QoS 2, 20 by default, and resets the connection
    /// beyond; MQTT 3.1.1 has no way to tell the client.
    public var window: Int?
    /// How long a connection, once it stood, may be away before publishing fails; nil = not at all.
    ///
    /// What was not acknowledged is then sent again, in a session that the broker keeps meanwhile; at the end it is discarded.
    public var reconnectLimit: TimeAmount?
    /// How long the last acknowledgements are waited for.
    public var acknowledgementLimit = TimeAmount.seconds(10)

    public init(fleet: DeviceFleet, host: String, port: Int) {
        self.fleet = fleet
        self.host = host
        self.port = port
    }
}

/// What has been published so far.
public struct FleetProgress: Sendable, Equatable {
    /// Messages written to the broker, by format.
    public var published: [PayloadFormat: Int] = [:]
    /// Of these, acknowledged by the broker; at QoS 0 the same.
    public var acknowledged: [PayloadFormat: Int] = [:]

    public var publishedTotal: Int { published.values.reduce(0, +) }
    public var acknowledgedTotal: Int { acknowledged.values.reduce(0, +) }

    static func + (left: Self, right: Self) -> Self {
        Self(
            published: left.published.merging(right.published, uniquingKeysWith: +),
            acknowledged: left.acknowledged.merging(right.acknowledged, uniquingKeysWith: +))
    }
}

/// The devices of one connection, and the order of their messages.
struct FleetShare {
    /// Of the connection, from 0.
    let index: Int
    let connections: Int
    let devices: Int

    /// Devices of this connection.
    var ownDevices: Int { (devices - index + connections - 1) / connections }

    /// The part of the fleet's rate that falls to this connection.
    var part: Double { Double(ownDevices) / Double(devices) }

    /// The number, over the whole fleet, of the connection's nth message; it grows with n.
    func message(_ n: Int) -> Int { n / ownDevices * devices + index + n % ownDevices * connections }
}

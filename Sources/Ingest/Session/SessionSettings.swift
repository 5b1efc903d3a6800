import MQTT

/// What a session is told of its identity.
struct SessionSettings: Sendable {
    /// Client identifier, last will, bounds and time limits.
    var mqtt: SessionConfiguration

    /// What is published on the status topic.
    static let online = "online"
    static let offline = "offline"
}

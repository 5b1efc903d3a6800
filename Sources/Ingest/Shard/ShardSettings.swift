import Mapping
import NIOCore

/// What bounds a batch.
struct BatchLimits: Sendable {
    var maximumBytes: Int
    var maximumMessages: Int
    var linger: TimeAmount
}

/// What a shard is told at its start.
struct ShardSettings: Sendable {
    var limits: BatchLimits
    var decode: EvaluationLimits
    /// By number in the pool.
    var sessions: [SessionSettings]
    /// At the start; `Shard.change` brings others.
    var subscriptions: SubscriptionPlan
    /// With a session's number behind it, its client identifier.
    var clientIdentifierPrefix: String
    /// Dead letters of one mapping, in this shard.
    var lettersPerMinute: Double
    var floodPolicy: FloodPolicy
    /// Reports of dead letters of one mapping, in this shard.
    var reportsPerMinute: Double
    /// How long the database may be away before the messages under way are left to the broker.
    var giveUpAfter: TimeAmount
}

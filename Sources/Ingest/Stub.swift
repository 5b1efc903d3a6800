import CopyFormat
import Logging
import Mapping
import MQTT
import NIOCore
struct EvaluationLimits: Sendable {}
struct MessageInput { var topic: UnsafeRawBufferPointer; var payload: UnsafeRawBufferPointer; var receivedMicroseconds: Int64; var qos: UInt8; var isRetained: Bool }
struct MessageOutcome { var matchedCount = 0; var failureCount = 0; var writtenBytes = 0 }
struct MappingFailure { var mapping = 0 }
struct MappingCounters: Sendable {}
public final class MappingPlan: Sendable {
    struct Subscription: Sendable { var filter: TopicFilter; var qos: QoS; var needsRetained: Bool }
    struct Target: Sendable { var table: String }
    struct M: Sendable { var name: String }
    let targets: [Target] = []
    let mappings: [M] = []
    let subscriptions: [Subscription] = []
}
struct Evaluator: ~Copyable {
    init(plan: MappingPlan, limits: EvaluationLimits) {}
    var failures: [MappingFailure] { [] }
    mutating func process(_ m: borrowing MessageInput, into: UnsafeMutablePointer<CopyBuffer>) -> MessageOutcome { MessageOutcome() }
    func counterSnapshot() -> [MappingCounters] { [] }
}
extension CopyBuffer { mutating func appendLetter(_ m: borrowing MessageInput, failure: MappingFailure, mapping: String, clientIdentifier: String) {} }
public struct Configuration: Sendable {
    struct Pool: Sendable { var sessions = 8; var shards = 2; var distribution = Distribution.auto; var group = "" }
    struct Broker: Sendable { var endpoints: [BrokerEndpoint] = [] }
    var pool = Pool(); var broker = Broker(); var database = 1; var evaluationLimits = EvaluationLimits(); var batch = 1
}
struct BrokerEndpoint: Sendable, CustomStringConvertible { var host = ""; var port = 1; var description: String { host } }
extension BatchLimits { init(_ x: Int) { self.init(maximumBytes: 1, maximumMessages: 1, linger: .zero) } }
extension SessionSettings { init(_ c: Configuration, number: Int, subscriptions: [Subscription]) { fatalError() } }
final class DatabaseWriter: BatchWriter, Sendable {
    init(index: Int, settings: Int, logger: Logger) {}
    func write(_ batch: Batch) {}
    func start(report: @escaping @Sendable (Batch, BatchEnd) -> Void) {}
    func stop(waitingUpTo: Double) {}
}

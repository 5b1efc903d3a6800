import MQTT

/// A message as the evaluator takes it. Pointers are valid during the call.
public struct MessageInput {
    public var topic: UnsafeRawBufferPointer
    public var payload: UnsafeRawBufferPointer
    /// When it came, in microseconds since 1970, UTC.
    public var receivedMicroseconds: Int64
    public var qos: UInt8
    public var isRetained: Bool
    /// Properties of MQTT 5.0; empty where the message has none.
    public var properties: PublishProperties
    /// The address of the broker that handed it over, as UTF-8; empty where nobody knows.
    public var broker: UnsafeRawBufferPointer

    @inlinable public init(
        topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, receivedMicroseconds: Int64, qos: UInt8, isRetained: Bool,
        properties: PublishProperties = PublishProperties(), broker: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        self.topic = topic
        self.payload = payload
        self.receivedMicroseconds = receivedMicroseconds
        self.qos = qos
        self.isRetained = isRetained
        self.properties = properties
        self.broker = broker
    }
}

/// What became of a message: counts over all mappings that took it.
public struct MessageOutcome {
    /// Mappings whose patterns took the topic.
    public var matchedCount = 0
    public var rowCount = 0
    /// Mappings for which it is a dead letter; `Evaluator.failures` says why.
    public var failureCount = 0
    /// Bytes appended to COPY buffers.
    public var writtenBytes = 0
}

/// Why a message is a dead letter for a mapping.
public struct MappingFailure: Sendable {
    /// Index in `MappingPlan.names`.
    public var mapping: Int
    public var column: String?
    /// Where the mapping declares the column; nil where the message as a whole is wrong.
    public var mark: SourceMark?
    /// In words, with the value where there is one (bounded and escaped).
    public var reason: String
}

extension MappingFailure: CustomStringConvertible {
    /// `mappings/press.yaml:14:3: column 'v': 'x' is not a number`, or the reason alone.
    public var description: String { (mark.map { "\($0): " } ?? "") + reason }

    /// `press.yaml:14: column 'v': 'x' is not a number`, or the reason alone: what a dead letter says.
    public var letterText: String { (mark.map { "\($0.lineInFolder): " } ?? "") + reason }
}

/// What a mapping has counted.
public struct MappingCounters: Sendable, Equatable {
    public var received: UInt64 = 0
    /// Of these, at QoS 1.
    public var receivedAtLeastOnce: UInt64 = 0
    /// Of these, at QoS 2.
    public var receivedExactlyOnce: UInt64 = 0
    /// When the last one came, in microseconds since 1970, UTC; 0: none has.
    public var lastReceivedMicroseconds: Int64 = 0
    public var rows: UInt64 = 0
    /// Messages that the message filter, or no block, took.
    public var filtered: UInt64 = 0
    /// Rows not written because no nullable column had a value.
    public var noValues: UInt64 = 0
    public var retainedSkipped: UInt64 = 0
    public var emptySkipped: UInt64 = 0
    public var skippedRows: UInt64 = 0
    public var nulledColumns: UInt64 = 0
    public var failures: UInt64 = 0
    /// Copies of messages that came through another subscription than the one that serves the mapping.
    public var otherCopies: UInt64 = 0

    public init() {}

    /// Both together.
    public func adding(_ other: MappingCounters) -> MappingCounters {
        var sum = self
        sum.received += other.received
        sum.receivedAtLeastOnce += other.receivedAtLeastOnce
        sum.receivedExactlyOnce += other.receivedExactlyOnce
        sum.lastReceivedMicroseconds = max(sum.lastReceivedMicroseconds, other.lastReceivedMicroseconds)
        sum.rows += other.rows
        sum.filtered += other.filtered
        sum.noValues += other.noValues
        sum.retainedSkipped += other.retainedSkipped
        sum.emptySkipped += other.emptySkipped
        sum.skippedRows += other.skippedRows
        sum.nulledColumns += other.nulledColumns
        sum.failures += other.failures
        sum.otherCopies += other.otherCopies
        return sum
    }
}

/// Bounds of decoding.
public struct EvaluationLimits: Sendable {
    /// Larger payloads are dead letters.
    public var maximumPayloadBytes: Int
    public var maximumDepth: Int
    /// A message that makes more bytes of rows than this is a dead letter: loops can make far more of a payload than it has bytes.
    public var maximumRowBytes: Int
    /// Items that the loops of a message may come to. A payload of 8 MiB has at most 4 million: more come only from loops within loops, and one that is made
    /// for it would hold up all other messages for hours.
    public var maximumIterations = 16_000_000

    public init(maximumPayloadBytes: Int = 8 * 1024 * 1024, maximumDepth: Int = 64, maximumRowBytes: Int = 64 * 1024 * 1024) {
        self.maximumPayloadBytes = maximumPayloadBytes
        self.maximumDepth = maximumDepth
        self.maximumRowBytes = maximumRowBytes
    }
}

/// A step that went wrong, on its way up to the policy that decides about it.
struct EvaluationError: Error {
    var column: String?
    var mark: SourceMark?
    var reason: String

    static func because(_ reason: String) -> EvaluationError { EvaluationError(reason: reason) }

    func inColumn(_ details: ColumnDetails) -> EvaluationError {
        EvaluationError(column: details.name, mark: details.mark, reason: reason)
    }
}

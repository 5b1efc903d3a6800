import CopyFormat
import MQTT
import Payload
import Sparkplug

/// Rows as they would be stored, read back from the bytes of COPY.
public struct DecodedRows: Sendable {
    public var table: String
    public var columns: [(name: String, type: ColumnType)]
    public var rows: [[DecodedValue?]]
}

/// What a message becomes, through the production code: routing, decoding, COPY.
public struct Trial {
    public var outcome: MessageOutcome
    public var failures: [MappingFailure]
    public var counters: [MappingCounters]
    public var rows: [DecodedRows]

    /// Processes one message with all mappings of a plan.
    /// - Parameters:
    ///   - properties: as `PublishPropertiesWriter` makes them.
    ///   - broker: the address of the broker that handed it over; empty where there is none.
    ///   - births: what messages before this one have left.
    public init(
        _ plan: MappingPlan, topic: String, payload: [UInt8], receivedMicroseconds: Int64, qos: UInt8 = 0, isRetained: Bool = false,
        properties: [UInt8] = [], broker: String = "", limits: EvaluationLimits = EvaluationLimits(),
        births: SparkplugDecoder.Births = .seen(BirthRegistry())
    ) {
        var evaluator = Evaluator(plan: plan, limits: limits, births: births)
        let buffers = UnsafeMutablePointer<CopyBuffer>.allocate(capacity: max(plan.targets.count, 1))
        for index in plan.targets.indices { (buffers + index).initialize(to: CopyBuffer(capacity: 1024)) }
        defer {
            buffers.deinitialize(count: plan.targets.count)
            buffers.deallocate()
        }
        outcome = Array(topic.utf8).withUnsafeBytes { topic in
            payload.withUnsafeBytes { payload in
                properties.withUnsafeBytes { properties in
                    Array(broker.utf8).withUnsafeBytes { broker in
                        evaluator.process(
                            MessageInput(
                                topic: topic, payload: payload, receivedMicroseconds: receivedMicroseconds, qos: qos,
                                isRetained: isRetained, properties: PublishProperties(checking: properties) ?? PublishProperties(),
                                broker: broker),
                            into: buffers)
                    }
                }
            }
        }
        failures = evaluator.failures
        counters = evaluator.counters
        rows = []
        for (index, target) in plan.targets.enumerated() where !buffers[index].isEmpty {
            var reader = CopyReader(buffers[index])
            var decoded: [[DecodedValue?]] = []
            while let row = reader.nextRow() {
                let fields = row.suffix(target.columns.count)
                decoded.append(zip(fields, target.columns).map { field, column in field.map { DecodedValue($0, column.type) } })
            }
            rows.append(DecodedRows(table: target.table, columns: target.columns.map { ($0.name, $0.type) }, rows: decoded))
        }
    }
}

extension DecodedValue {
    /// As psql shows it with the time zone UTC, times as RFC 3339.
    public var shown: String {
        switch self {
        case .time(let microseconds): CivilTime.text(unixMicroseconds: microseconds)
        case .date(let days): String(CivilTime.text(unixMicroseconds: Int64(days) * CivilTime.microsecondsPerDay).prefix { $0 != "T" })
        case .array(let values): "{" + values.map { $0?.shown ?? "NULL" }.joined(separator: ",") + "}"
        default: text
        }
    }
}

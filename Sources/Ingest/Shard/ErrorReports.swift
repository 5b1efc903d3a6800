import Foundation
import MQTT
import Mapping
import NIOCore
import Store

/// A report of a dead letter to whoever sent the message (`report_errors_to`).
struct ErrorReport {
    /// The session on which the message came: it sends the report.
    var session: Int
    var topic: TopicName
    /// JSON.
    var payload: [UInt8]
}

/// Makes reports, no more than so many a minute and mapping: a device gone mad is told of it, and does not flood the broker through us.
///
/// A message on a topic to which some mapping reports is never reported itself, or a mapping that takes its own reports would report for ever.
struct ErrorReports {
    /// Bytes of the payload that a report shows.
    static let sampleBytesMaximum = 256
    /// Reports that wait for one commit.
    static let reportsPerBatchMaximum = 100
    /// What a report carries where the version has properties: it is JSON.
    static let properties: [UInt8] = {
        var writer = PublishPropertiesWriter()
        writer.payloadIsText()
        writer.contentType("application/json")
        return writer.bytes
    }()

    private let plan: MappingPlan
    private var gate: FloodGate

    /// - Parameter perMinute: of one mapping, in this shard.
    init(plan: MappingPlan, perMinute: Double) {
        self.plan = plan
        gate = FloodGate(perMinute: perMinute, policy: .drop)
    }

    /// A report of one failure; nil when the mapping wants none, or had enough of them in this minute.
    mutating func report(
        _ message: borrowing MessageInput, session: Int, mapping: Int, stage: DeadLetterStage, column: String?, sqlState: String?,
        error: String, now: NIODeadline
    ) -> ErrorReport? {
        guard plan.reportsErrors, let topic = plan.errorReportTopic(of: mapping, for: message.topic) else { return nil }
        guard gate.letter(of: mapping, now: now) != .drop else { return nil }
        var object: [String: Any] = [
            "topic": String(decoding: message.topic, as: UTF8.self), "mapping": plan.names[mapping], "stage": stage.rawValue,
            "time": Self.time(message.receivedMicroseconds), "error": error, "payload_bytes": message.payload.count,
        ]
        if let column { object["column"] = column }
        if let sqlState { object["sqlstate"] = sqlState }
        let sample = message.payload.prefix(Self.sampleBytesMaximum)
        if let text = Self.text(sample, isCut: message.payload.count > sample.count) {
            object["payload"] = text
        } else {
            object["payload_hex"] = hexadecimalDigits(of: sample)
        }
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]) else {
            return nil
        }
        return ErrorReport(session: session, topic: topic, payload: Array(data))
    }

    /// The sample as text, if it is some; a character that the cut has split is left out.
    private static func text(_ sample: Slice<UnsafeRawBufferPointer>, isCut: Bool) -> String? {
        for missing in 0...(isCut ? min(3, sample.count) : 0) {
            if let text = String(validating: sample.dropLast(missing), as: UTF8.self) { return text }
        }
        return nil
    }

    private static func time(_ microseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
        return date.formatted(.iso8601.year().month().day().timeZone(separator: .omitted).time(includingFractionalSeconds: true))
    }
}

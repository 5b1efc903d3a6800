import CopyFormat
import MQTT
import PostgreSQL

/// How dead letters go into `penstock.dead_letter`: rows of a COPY like any other, in the same transaction as the data.
public enum DeadLetterCopy {
    public static let statement = CopyStatement(
        table: "penstock.dead_letter",
        columns: [
            "received", "topic", "payload", "qos", "retain", "mapping", "stage", "column_name", "sqlstate", "error", "client_id",
            "properties",
        ])
}

/// Where a message failed.
public enum DeadLetterStage: String, Sendable, CaseIterable { case route, decode, row, table }

extension CopyBuffer {
    /// Appends one dead letter.
    ///
    /// The topic is valid UTF-8 without NUL (MQTT 3.1.1 [MQTT-1.5.3-2]); other texts are ours. A NUL in them would make the letter itself a bad row, so
    /// they are cut there.
    /// - Parameters:
    ///   - topic: the topic name's bytes.
    ///   - payload: as it came.
    ///   - receivedMicroseconds: since 1970, UTC.
    ///   - properties: of MQTT 5.0, if there are any.
    ///   - broker: the address of the broker that handed it over, where a mapping stores that; else empty.
    public mutating func appendDeadLetter(
        topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, receivedMicroseconds: Int64, qos: UInt8, isRetained: Bool,
        mapping: String?, stage: DeadLetterStage, column: String?, sqlState: String? = nil, error: String, clientIdentifier: String,
        properties: PublishProperties, broker: UnsafeRawBufferPointer
    ) {
        beginRow(fieldCount: 12)
        appendTimestamp(unixMicroseconds: receivedMicroseconds)
        appendText(topic)
        appendBytes(payload)
        append(Int16(qos))
        append(isRetained)
        appendText(mapping)
        appendText(stage.rawValue)
        appendText(column)
        appendText(sqlState)
        appendText(error)
        appendText(clientIdentifier)
        if let json = LetterProperties.json(properties, broker: broker) {
            Array(json.utf8).withUnsafeBytes { appendJSONB($0) }
        } else {
            appendNull()
        }
    }

    private mutating func appendText(_ text: String?) {
        guard let text else { return appendNull() }
        var utf8 = Array(text.utf8.prefix { $0 != 0 })
        utf8.withUnsafeMutableBytes { appendText(UnsafeRawBufferPointer($0)) }
    }
}

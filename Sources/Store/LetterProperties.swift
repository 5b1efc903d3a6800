import Foundation
import MQTT

/// The properties of a message in `penstock.dead_letter.properties`: JSON that a person can query, from which the message can be made again.
///
/// `content_type`, `response_topic`, `message_expiry` (seconds), `payload_is_text`; `correlation` where it is text, else `correlation_hex`; `user` as an
/// array of names and values, since a name may stand more than once. Beside them `broker`, where a mapping stores that.
enum LetterProperties {
    /// Nil when there is nothing to keep.
    static func json(_ properties: PublishProperties, broker: UnsafeRawBufferPointer) -> String? {
        guard !properties.isEmpty || !broker.isEmpty else { return nil }
        var object: [String: Any] = [:]
        if !broker.isEmpty { object["broker"] = text(broker) }
        func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
        if let type = properties.contentType { object["content_type"] = text(type) }
        if let topic = properties.responseTopic { object["response_topic"] = text(topic) }
        if let seconds = properties.messageExpirySeconds { object["message_expiry"] = Int(seconds) }
        if properties.isPayloadText { object["payload_is_text"] = true }
        if let data = properties.correlationData {
            if let text = String(validating: data, as: UTF8.self), !data.contains(0) {
                object["correlation"] = text
            } else {
                object["correlation_hex"] = hexadecimalDigits(of: data)
            }
        }
        var user: [[String]] = []
        properties.forEachUserProperty { name, value in user.append([text(name), text(value)]) }
        if !user.isEmpty { object["user"] = user }
        guard !object.isEmpty,
            let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    /// The properties as a message carries them; what cannot be read is left out.
    static func bytes(ofJSON text: String) -> [UInt8] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else { return [] }
        var writer = PublishPropertiesWriter()
        if object["payload_is_text"] as? Bool == true { writer.payloadIsText() }
        if let seconds = object["message_expiry"] as? Int, let seconds = UInt32(exactly: seconds) { writer.messageExpirySeconds(seconds) }
        if let type = object["content_type"] as? String { writer.contentType(type) }
        if let topic = object["response_topic"] as? String { writer.responseTopic(topic) }
        if let data = object["correlation"] as? String { writer.correlationData(Array(data.utf8)) }
        if let digits = object["correlation_hex"] as? String { writer.correlationData(bytes(ofHex: digits)) }
        for case let pair in object["user"] as? [[String]] ?? [] where pair.count == 2 { writer.userProperty(pair[0], pair[1]) }
        return writer.bytes
    }

    /// The address of the broker that handed the message over.
    static func broker(ofJSON text: String) -> String? {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])?["broker"] as? String
    }

    /// - Parameter text: pairs of digits; PostgreSQL or we wrote them.
    static func bytes(ofHex text: String) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count / 2)
        var high: UInt8?
        for digit in text.utf8 {
            let value = digit <= UInt8(ascii: "9") ? digit &- UInt8(ascii: "0") : (digit | 0x20) &- UInt8(ascii: "a") &+ 10
            if let first = high {
                result.append(first << 4 | value & 15)
                high = nil
            } else {
                high = value
            }
        }
        return result
    }
}

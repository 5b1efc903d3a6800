import Payload

/// Reads messages that something else has written down.
///
/// Two forms, line by line: a JSON object with `topic`, one of `payload`, `payload_hex` and `payload_base64`, and if known `received` or `tst` (RFC 3339,
/// or seconds since 1970), `qos`, `retain`, which is what `mosquitto_sub -F %j` prints; or the topic, a space and the payload, which is what
/// `mosquitto_sub -v` prints.
public enum CapturedMessages {
    /// What is wrong with a line, counted from 1.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        public var line: Int
        public var reason: String
        public var description: String { "line \(line): \(reason)" }
    }

    /// - Parameter now: microseconds since 1970, for messages that do not say when they were received.
    public static func read(_ bytes: [UInt8], now: Int64) throws(Fault) -> [ObservedMessage] {
        var messages: [ObservedMessage] = []
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            var line = line
            if line.last == 0x0D { line = line.dropLast() }
            guard let first = line.first else { continue }
            if first == UInt8(ascii: "{") {
                messages.append(try object(Array(line), index + 1, now))
            } else if let space = line.firstIndex(of: 0x20), space > line.startIndex {
                guard let topic = String(validating: line[..<space], as: UTF8.self) else {
                    throw Fault(line: index + 1, reason: "the topic is not UTF-8")
                }
                messages.append(ObservedMessage(topic: topic, payload: Array(line[(space + 1)...]), receivedMicroseconds: now))
            } else {
                throw Fault(line: index + 1, reason: "neither a JSON object with a topic nor a topic and a payload")
            }
        }
        return messages
    }

    private static func object(_ line: [UInt8], _ number: Int, _ now: Int64) throws(Fault) -> ObservedMessage {
        guard let object = SampleValue(json: line) else { throw Fault(line: number, reason: "the line is no JSON") }
        guard case .text(let topic)? = object.member("topic"), !topic.isEmpty else {
            throw Fault(line: number, reason: "there is no 'topic'")
        }
        var message = ObservedMessage(topic: topic, payload: try payload(object, number), receivedMicroseconds: now)
        if let value = object.member("received") ?? object.member("tst"), let time = time(value) { message.receivedMicroseconds = time }
        if let qos = object.member("qos")?.scalarText.flatMap({ UInt8($0) }) { message.qos = min(qos, 2) }
        if let retain = object.member("retain")?.scalarText { message.isRetained = retain == "1" || retain == "true" }
        return message
    }

    private static func payload(_ object: SampleValue, _ number: Int) throws(Fault) -> [UInt8] {
        typealias Step = (UnsafeRawBufferPointer, UnsafeMutableRawPointer) throws(Unpack.Fault) -> Int
        let steps: [(name: String, step: Step)] = [("payload_hex", Unpack.hex), ("payload_base64", Unpack.base64)]
        for (name, step) in steps {
            guard let text = object.member(name)?.scalarText else { continue }
            var target = [UInt8](repeating: 0, count: text.utf8.count + 3)
            let source = Array(text.utf8)
            let count = source.withUnsafeBytes { source in
                target.withUnsafeMutableBytes { target in target.baseAddress.flatMap { try? step(source, $0) } }
            }
            guard let count else { throw Fault(line: number, reason: "'\(name)' does not decode") }
            return Array(target[..<count])
        }
        switch object.member("payload") {
        case .text(let text)?: return Array(text.utf8)
        case .null?, nil: return []
        case let other?:
            throw Fault(
                line: number, reason: "'payload' is text, not \(other.isContainer ? "an object or a list" : "a number"): write payload_hex")
        }
    }

    private static func time(_ value: SampleValue) -> Int64? {
        switch value {
        case .number(let text): return Double(text).flatMap { $0 > 0 && $0 < 1e11 ? Int64($0 * 1e6) : nil }
        case .text(let text):
            // mosquitto_sub writes both: 12:00:00.000000Z+0100
            let bytes = Array(text.replacing("Z+", with: "+").replacing("Z-", with: "-").utf8)
            return bytes.withUnsafeBytes { try? RFC3339.microseconds($0, zone: try? TimeZoneRules("UTC")) }
        default: return nil
        }
    }
}

import Testing

@testable import Sparkplug

/// Encodes payloads field by field, without the decoder's own code.
enum Wire {
    static func varint(_ number: UInt64) -> [UInt8] {
        var rest = number
        var bytes: [UInt8] = []
        while rest > 127 {
            bytes.append(UInt8(rest % 128) + 128)
            rest /= 128
        }
        return bytes + [UInt8(rest)]
    }

    static func number(_ field: UInt64, _ number: UInt64) -> [UInt8] { varint(field << 3) + varint(number) }
    static func bytes(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] { varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes }
    static func text(_ field: UInt64, _ text: String) -> [UInt8] { bytes(field, Array(text.utf8)) }

    static func payload(seq: UInt64?, _ metrics: [[UInt8]], timestamp: UInt64 = 1_700_000_000_000) -> [UInt8] {
        number(1, timestamp) + metrics.flatMap { bytes(2, $0) } + (seq.map { number(3, $0) } ?? [])
    }

    /// A metric with a whole number, as births define and data carry it.
    static func metric(_ name: String? = nil, alias: UInt64? = nil, type: Datatype? = nil, int: UInt64? = nil) -> [UInt8] {
        var metric: [UInt8] = []
        if let name { metric += text(1, name) }
        if let alias { metric += number(2, alias) }
        if let type { metric += number(4, UInt64(type.rawValue)) }
        if let int { metric += number(10, int) }
        return metric
    }

    static func bdSeq(_ number: UInt64) -> [UInt8] { text(1, "bdSeq") + self.number(4, 4) + self.number(11, number) }
}

/// One decoder at a time, with a clock of its own.
struct Host: ~Copyable {
    var decoder: SparkplugDecoder
    var now: Int64 = 1_700_000_000_000_000
    var isWholeSeen = true

    init(_ births: SparkplugDecoder.Births = .seen(BirthRegistry()), maximumBytes: Int = 1 << 20) {
        decoder = SparkplugDecoder(births: births, maximumBytes: maximumBytes)
    }

    /// The text, or the error in words.
    mutating func receive(_ topic: String, _ payload: [UInt8]) -> String {
        let isWholeSeen = isWholeSeen
        return Array(topic.utf8).withUnsafeBytes { topic in
            payload.withUnsafeBytes { payload in
                do throws(SparkplugError) {
                    try decoder.decode(topic: topic, payload: payload, receivedMicroseconds: now) { _ in isWholeSeen }
                    return String(decoding: decoder.document, as: UTF8.self)
                } catch {
                    return "\(error)"
                }
            }
        }
    }

    /// What data say: `name=value` of each metric, or the error.
    mutating func read(_ topic: String, _ payload: [UInt8]) -> String {
        let text = receive(topic, payload)
        guard text.hasPrefix("{") else { return text }
        return text.split(separator: "{\"name\":\"").dropFirst().map { part in
            let name = part.prefix { $0 != "\"" }
            let value = part.split(separator: "\"value\":").dropFirst().first.map { $0.prefix { $0 != "}" && $0 != "," } } ?? "-"
            return "\(name)=\(value)"
        }.joined(separator: " ")
    }

    mutating func asks(_ topic: String) -> RebirthCommand? {
        Array(topic.utf8).withUnsafeBytes { decoder.rebirth(topic: $0, receivedMicroseconds: now) }
    }
}

import MQTT

/// A message that the world publishes; its number is in its payload, so that every copy is recognised.
struct Message: Equatable {
    var number: Int
    var qos: QoS
    /// Its payload cannot be decoded: it becomes a dead letter.
    var isUndecodable: Bool

    static let topic = "t/x"

    var payload: [UInt8] { Array((isUndecodable ? "broken \(number)" : "{\"n\":\(number)}").utf8) }

    /// The number in the payload of an undecodable message.
    static func number(inLetter payload: [UInt8]) -> Int? {
        String(decoding: payload, as: UTF8.self).split(separator: " ").last.flatMap { Int($0) }
    }
}

/// Something happened that must never happen.
struct Violation: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// The topic that a message is published to: validated once, its bytes ready for the packet (MQTT 3.1.1 §4.7).
public struct TopicName: Sendable, Hashable {
    /// The name in UTF-8, 1 to 65,535 bytes.
    public let bytes: [UInt8]

    /// Takes a topic name.
    ///
    /// - Throws: `invalidTopicName` when it is empty, longer than 65,535 bytes, or holds a wildcard or U+0000.
    public init(_ name: some StringProtocol) throws(MQTTError) {
        bytes = Array(name.utf8)
        if let fault = bytes.withUnsafeBytes(TextValidation.fault(inTopicName:)) { throw .invalidTopicName(String(name), fault) }
        guard bytes.count <= Int(UInt16.max) else { throw .invalidTopicName(String(name), .tooLong(bytes: bytes.count)) }
    }

    /// Whether bytes that came from elsewhere are a topic name: not empty, at most 65,535 bytes of well-formed UTF-8, without wildcards and
    /// U+0000.
    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count <= Int(UInt16.max) && TextValidation.fault(inTopicName: bytes) == nil
    }
}

extension TopicName: CustomStringConvertible {
    /// The name as text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}

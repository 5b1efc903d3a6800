/// The properties of a PUBLISH that belong to the application message (MQTT 5.0 §3.3.2.3), where they lie, as they came.
///
/// A message of 3.1 or 3.1.1 has none. Looking one up walks them all: they are few.
public struct PublishProperties: BitwiseCopyable {
    /// The properties as the packet carries them, without their length: checked, or empty. Valid as long as the message is.
    public let bytes: UnsafeRawBufferPointer

    /// No properties.
    @inlinable
    public init() { bytes = UnsafeRawBufferPointer(start: nil, count: 0) }

    /// Properties that were kept.
    ///
    /// Nil when they are none that a PUBLISH can carry.
    public init?(checking bytes: UnsafeRawBufferPointer) {
        do throws(PropertyFault) {
            try PropertyReader.forEach(in: bytes, allowed: .publish) { (_) throws(PropertyFault) in }
        } catch {
            return nil
        }
        self.bytes = bytes
    }

    /// - Parameter bytes: checked.
    @inline(__always)
    init(checked bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The message has none.
    @inlinable
    public var isEmpty: Bool { bytes.isEmpty }

    /// The MIME type that the publisher names; UTF-8.
    public var contentType: UnsafeRawBufferPointer? { first(.contentType)?.bytes }
    /// Where a response goes; UTF-8.
    public var responseTopic: UnsafeRawBufferPointer? { first(.responseTopic)?.bytes }
    /// What tells a requester which request a response is for; any bytes.
    public var correlationData: UnsafeRawBufferPointer? { first(.correlationData)?.bytes }
    /// Seconds after which the message is not to be delivered any more, less the time that it waited in the server ([MQTT-3.3.2-6]).
    public var messageExpirySeconds: UInt32? { first(.messageExpiryInterval)?.number }
    /// The publisher says that the payload is UTF-8.
    public var isPayloadText: Bool { first(.payloadFormatIndicator)?.number == 1 }

    /// The last value of a user property.
    public func userProperty(_ name: [UInt8]) -> UnsafeRawBufferPointer? {
        var found: UnsafeRawBufferPointer?
        forEachUserProperty { candidate, value in
            if candidate.elementsEqual(name) { found = value }
        }
        return found
    }

    /// Names and values in the order of the packet, which servers keep ([MQTT-3.3.2-18]); a name may stand more than once.
    public func forEachUserProperty(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        forEach { if $0.identifier == .userProperty { body($0.bytes, $0.value) } }
    }

    /// The subscriptions of ours that the message is for, as far as they have identifiers.
    public func forEachSubscriptionIdentifier(_ body: (UInt32) -> Void) {
        forEach { if $0.identifier == .subscriptionIdentifier { body($0.number) } }
    }

    private func first(_ identifier: PropertyIdentifier) -> Property? {
        var reader = PropertyReader(bytes)
        while let property = try? reader.next() {
            if property.identifier == identifier { return property }
        }
        return nil
    }

    private func forEach(_ body: (Property) -> Void) {
        var reader = PropertyReader(bytes)
        while let property = try? reader.next() { body(property) }
    }
}

/// Properties of a message that is made here, in the form in which a packet carries them.
public struct PublishPropertiesWriter {
    /// The properties so far, without their length.
    public private(set) var bytes: [UInt8] = []

    /// None yet.
    public init() {}

    /// What the payload is, usually a MIME type (§3.3.2.3.9).
    /// - Parameter text: at most 65,535 bytes; false, and nothing is written, when it is longer or holds U+0000.
    @discardableResult
    public mutating func contentType(_ text: String) -> Bool { append(.contentType, text: text) }

    /// Where an answer is to be published (§3.3.2.3.5).
    /// - Parameter text: a topic name ([MQTT-3.3.2-14]); false, and nothing is written, when it is none.
    @discardableResult
    public mutating func responseTopic(_ text: String) -> Bool {
        (try? TopicName(text)) != nil && append(.responseTopic, text: text)
    }

    /// What a requester tells its answers apart by (§3.3.2.3.6).
    /// - Parameter data: at most 65,535 bytes; false, and nothing is written, when there are more.
    @discardableResult
    public mutating func correlationData(_ data: [UInt8]) -> Bool {
        guard data.count <= Int(UInt16.max) else { return false }
        bytes.append(PropertyIdentifier.correlationData.rawValue)
        append(data)
        return true
    }

    /// A pair of a name and a value, one of any number (§3.3.2.3.7); a name may stand more than once.
    /// - Parameters:
    ///   - name: at most 65,535 bytes; false, and nothing is written, when it is longer or holds U+0000.
    ///   - value: the same holds for it.
    @discardableResult
    public mutating func userProperty(_ name: String, _ value: String) -> Bool {
        guard Self.isText(name), Self.isText(value) else { return false }
        bytes.append(PropertyIdentifier.userProperty.rawValue)
        append(Array(name.utf8))
        append(Array(value.utf8))
        return true
    }

    /// How long the server is to keep the message for subscribers that are away (§3.3.2.3.3).
    public mutating func messageExpirySeconds(_ seconds: UInt32) {
        bytes.append(PropertyIdentifier.messageExpiryInterval.rawValue)
        withUnsafeBytes(of: seconds.bigEndian) { bytes += $0 }
    }

    /// The payload is UTF-8 (§3.3.2.3.2).
    public mutating func payloadIsText() { bytes += [PropertyIdentifier.payloadFormatIndicator.rawValue, 1] }

    private mutating func append(_ identifier: PropertyIdentifier, text: String) -> Bool {
        guard Self.isText(text) else { return false }
        bytes.append(identifier.rawValue)
        append(Array(text.utf8))
        return true
    }

    private mutating func append(_ field: [UInt8]) {
        bytes += [UInt8(field.count >> 8), UInt8(field.count & 0xFF)] + field
    }

    private static func isText(_ text: String) -> Bool { text.utf8.count <= Int(UInt16.max) && !text.utf8.contains(0) }
}

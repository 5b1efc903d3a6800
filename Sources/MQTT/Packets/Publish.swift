/// A message that the server sent (PUBLISH, MQTT 3.1.1 §3.3), read in place.
///
/// `topic`, `payload` and `properties` point into the bytes handed to the session, or into what it keeps of topic aliases: they are valid until the
/// session's next event, and no longer than those bytes.
public struct Publish: BitwiseCopyable {
    /// The topic name: not empty, well-formed UTF-8, without wildcards and U+0000; at most 65,535 bytes. One that came as an alias is spelled out.
    public var topic: UnsafeRawBufferPointer
    /// The application message; may be empty.
    public var payload: UnsafeRawBufferPointer
    /// From 1 to 65,535; 0 at QoS 0, which has none.
    public var packetIdentifier: UInt16
    /// The quality of service with which the server delivers.
    public var qos: QoS
    /// The message was retained and comes because of a new subscription ([MQTT-3.3.1-8]).
    public var isRetained: Bool
    /// The server may have sent this packet before (DUP). It decides nothing by itself.
    public var isDuplicate: Bool
    /// What came with the application message (MQTT 5.0).
    public var properties: PublishProperties
    /// The number that stands for the topic; 0: none (MQTT 5.0 §3.3.2.3.4).
    var topicAlias: UInt16

    /// Checks what the first byte of a PUBLISH says.
    @inline(__always)
    static func check(flags: UInt8) throws(MQTTError) {
        let qos = flags & 0b0110
        guard qos != 0b0110 else { throw .invalidQoS }
        guard qos != 0 || flags & 0b1000 == 0 else { throw .duplicateAtQoS0 }
    }

    /// Reads the body of a PUBLISH whose flags were checked. No allocation: the topic is validated and pointed to where it lies.
    @inline(__always)
    static func read(_ body: UnsafeRawBufferPointer, flags: UInt8, version: ProtocolVersion) throws(MQTTError) -> Publish {
        guard let qos = QoS(rawValue: flags >> 1 & 0b11) else { throw .invalidQoS }
        guard let topicBytes = PacketIdentifier.readUInt16(body, at: 0) else { throw .truncatedPublish }
        let topicEnd = 2 + Int(topicBytes)
        guard topicEnd <= body.count else { throw .truncatedPublish }
        let topic = UnsafeRawBufferPointer(rebasing: body[2..<topicEnd])
        // An empty name stands for the topic of an alias, which is looked at behind the properties.
        if !version.hasProperties || topicBytes > 0, let fault = TextValidation.fault(inTopicName: topic) {
            throw .malformedTopicName(fault)
        }

        var payloadStart = topicEnd
        var packetIdentifier: UInt16 = 0
        if qos != .atMostOnce {
            guard let identifier = PacketIdentifier.readUInt16(body, at: topicEnd) else { throw .truncatedPublish }
            guard identifier != 0 else { throw .zeroPacketIdentifier(.publish) }
            packetIdentifier = identifier
            payloadStart += 2
        }
        var publish = Publish(
            topic: topic, payload: UnsafeRawBufferPointer(rebasing: body[payloadStart..<body.count]),
            packetIdentifier: packetIdentifier, qos: qos, isRetained: flags & 0b0001 != 0, isDuplicate: flags & 0b1000 != 0,
            properties: PublishProperties(), topicAlias: 0)
        if version.hasProperties { try publish.takeProperties() }
        return publish
    }

    /// Moves the properties from the front of the payload to where they belong.
    @inline(__always)
    private mutating func takeProperties() throws(MQTTError) {
        var offset = 0
        do throws(PropertyFault) {
            let block = try PropertyReader.block(in: payload, at: &offset)
            if !block.isEmpty { try take(block) }
        } catch {
            throw .malformedProperties(.publish, error)
        }
        if topic.isEmpty, topicAlias == 0 { throw .malformedTopicName(.empty) }
        payload = UnsafeRawBufferPointer(rebasing: payload[offset...])
    }

    @inline(never)
    private mutating func take(_ block: UnsafeRawBufferPointer) throws(PropertyFault) {
        var alias: UInt16 = 0
        try PropertyReader.forEach(in: block, allowed: .publish) { (property) throws(PropertyFault) in
            if property.identifier == .topicAlias { alias = UInt16(truncatingIfNeeded: property.number) }
        }
        topicAlias = alias
        properties = PublishProperties(checked: block)
    }
}

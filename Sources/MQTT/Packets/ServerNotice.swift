/// A reason code with what the server says beside it: the end of PUBACK, PUBREC, PUBREL and PUBCOMP, and all of DISCONNECT and AUTH (MQTT 5.0 §3.4,
/// §3.14, §3.15). A packet may leave out the properties, and then the reason code too, which is success ([MQTT-3.4.2-1] and others).
struct ServerNotice {
    var code = ReasonCode.success
    var statement = ServerStatement()

    /// - Parameters:
    ///   - offset: where the reason code stands.
    ///   - properties: those that the packet may carry.
    init(
        _ body: UnsafeRawBufferPointer, from offset: Int, of type: PacketType, version: ProtocolVersion, properties allowed: PropertySet
    ) throws(MQTTError) {
        guard version.hasProperties, offset < body.count else { return }
        guard let code = ReasonCode(rawValue: body[offset]) else { throw .unknownReasonCode(type, body[offset]) }
        guard code.isAllowed(in: type) else { throw .misplacedReasonCode(type, code) }
        self.code = code
        var cursor = offset + 1
        guard cursor < body.count else { return }
        do throws(PropertyFault) {
            let block = try PropertyReader.block(in: body, at: &cursor)
            guard cursor == body.count else { throw .truncated }
            try PropertyReader.forEach(in: block, allowed: allowed) { (property) throws(PropertyFault) in statement.take(property) }
        } catch {
            throw .malformedProperties(type, error)
        }
    }
}

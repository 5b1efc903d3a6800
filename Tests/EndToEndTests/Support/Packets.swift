/// The packets that a test sends, as bytes; those of 3.1.1 where no version is named.
enum Packets {
    static let pingResponse: [UInt8] = [0xD0, 0]
    static let disconnect: [UInt8] = [0xE0, 0]

    /// - Parameter level: 4 is MQTT 3.1.1, 5 is 5.
    static func connect(
        client: String, cleanSession: Bool = true, credentials: LoadPublisher.Credentials? = nil, level: UInt8 = 4
    ) -> [UInt8] {
        let flags: UInt8 = (cleanSession ? 2 : 0) | (credentials == nil ? 0 : 0xC0)
        let secrets = credentials.map { text($0.username) + text($0.password) } ?? []
        return packet(0x10, text("MQTT") + [level, flags, 0, 0] + (level == 5 ? [0] : []) + text(client) + secrets)
    }

    /// CONNACK.
    /// - Parameters:
    ///   - code: the return code, or the reason code.
    ///   - properties: from 5.0, without their length.
    static func connectionAcknowledgement(
        _ version: WireVersion, isSessionPresent: Bool = false, code: UInt8 = 0, properties: [UInt8] = []
    ) -> [UInt8] {
        packet(0x20, [isSessionPresent ? 1 : 0, code] + self.properties(properties, version))
    }

    /// - Parameters:
    ///   - packetIdentifier: nil at QoS 0.
    ///   - properties: from 5.0, without their length.
    static func publish(
        topic: [UInt8], payload: [UInt8], packetIdentifier: UInt16?, qos: UInt8 = 1, isDuplicate: Bool = false,
        version: WireVersion = .v3_1_1, properties: [UInt8] = []
    ) -> [UInt8] {
        let head: UInt8 = 0x30 | (packetIdentifier == nil ? 0 : qos << 1) | (isDuplicate ? 8 : 0)
        return packet(head, counted(topic) + (packetIdentifier.map(big) ?? []) + self.properties(properties, version) + payload)
    }

    static func publishAcknowledgement(_ packetIdentifier: UInt16) -> [UInt8] { [0x40, 2] + big(packetIdentifier) }

    /// PUBREL.
    static func release(_ packetIdentifier: UInt16) -> [UInt8] { [0x62, 2] + big(packetIdentifier) }

    static func subscriptionGranted(packetIdentifier: UInt16, codes: [UInt8], version: WireVersion = .v3_1_1) -> [UInt8] {
        packet(0x90, big(packetIdentifier) + properties([], version) + codes)
    }

    /// Any packet: the first byte, the remaining length as it has to be, the body.
    static func packet(_ head: UInt8, _ body: [UInt8]) -> [UInt8] { [head] + variableByteInteger(body.count) + body }

    static func big(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xFF)] }
    static func text(_ text: String) -> [UInt8] { counted(Array(text.utf8)) }
    static func counted(_ bytes: [UInt8]) -> [UInt8] { big(UInt16(bytes.count)) + bytes }

    static func variableByteInteger(_ number: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = number
        repeat {
            let digit = UInt8(rest % 128)
            rest /= 128
            bytes.append(rest > 0 ? digit | 0x80 : digit)
        } while rest > 0
        return bytes
    }

    /// Properties with their length, where the version has them.
    static func properties(_ properties: [UInt8], _ version: WireVersion) -> [UInt8] {
        version.hasProperties ? variableByteInteger(properties.count) + properties : []
    }
}

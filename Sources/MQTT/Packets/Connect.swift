import NIOCore

/// CONNECT (MQTT 3.1.1 §3.1, MQTT 5.0 §3.1).
struct Connect {
    var configuration: SessionConfiguration

    private var version: ProtocolVersion { configuration.version }

    private var connectFlags: UInt8 {
        var flags: UInt8 = configuration.cleanSession ? 0b0000_0010 : 0
        if let will = configuration.will {
            flags |= 0b0000_0100 | will.qos.rawValue << 3 | (will.isRetained ? 0b0010_0000 : 0)
        }
        if let credentials = configuration.credentials {
            flags |= (credentials.username == nil ? 0 : 0b1000_0000) | (credentials.password == nil ? 0 : 0b0100_0000)
        }
        return flags
    }

    /// What 5.0 says behind the keep alive (§3.1.2.11).
    private var properties: ByteBuffer {
        var buffer = ByteBuffer()
        func write(_ identifier: PropertyIdentifier, _ number: some FixedWidthInteger) {
            buffer.writeInteger(identifier.rawValue)
            buffer.writeInteger(number)
        }
        if !configuration.cleanSession { write(.sessionExpiryInterval, configuration.sessionExpirySeconds) }
        if configuration.receiveMaximum < .max { write(.receiveMaximum, configuration.receiveMaximum) }
        if configuration.maximumPacketBytes < FixedHeader.remainingBytesMaximum + 5 {
            write(.maximumPacketSize, UInt32(clamping: configuration.maximumPacketBytes))
        }
        if configuration.topicAliasMaximum > 0 { write(.topicAliasMaximum, configuration.topicAliasMaximum) }
        return buffer
    }

    private func willProperties(_ will: Will) -> ByteBuffer {
        var buffer = ByteBuffer()
        if will.delaySeconds > 0 {
            buffer.writeInteger(PropertyIdentifier.willDelayInterval.rawValue)
            buffer.writeInteger(will.delaySeconds)
        }
        return buffer
    }

    /// Appends the packet.
    ///
    /// - Precondition: the configuration is valid.
    func write(to buffer: inout ByteBuffer) {
        var body = ByteBuffer()
        body.writeField(version.protocolName.withUTF8Buffer { Array($0) })
        body.writeInteger(version.protocolLevel)
        body.writeInteger(connectFlags)
        body.writeInteger(configuration.keepAliveSeconds)
        if version.hasProperties { body.writeProperties(properties) }
        // The payload has its order ([MQTT-3.1.3-1]).
        body.writeField(Array(configuration.clientIdentifier.utf8))
        if let will = configuration.will {
            if version.hasProperties { body.writeProperties(willProperties(will)) }
            body.writeField(will.topic.bytes)
            body.writeField(will.payload)
        }
        if let credentials = configuration.credentials {
            if let username = credentials.username { body.writeField(Array(username.utf8)) }
            if let password = credentials.password { body.writeField(password) }
        }
        buffer.writeFixedHeader(firstByte: PacketType.connect.firstByte, remainingBytes: body.readableBytes)
        buffer.writeBuffer(&body)
    }
}

extension ByteBuffer {
    /// Writes properties behind their length.
    fileprivate mutating func writeProperties(_ properties: ByteBuffer) {
        writeVariableByteInteger(properties.readableBytes)
        writeImmutableBuffer(properties)
    }
}

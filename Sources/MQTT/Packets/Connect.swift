import NIOCore

/// CONNECT (MQTT 3.1.1 §3.1).
struct Connect {
    var configuration: SessionConfiguration

    /// The fields of CONNECT that have a length of their own, in their order ([MQTT-3.1.3-1]).
    private var payload: [[UInt8]] {
        var fields = [Array(configuration.clientIdentifier.utf8)]
        if let will = configuration.will { fields += [will.topic.bytes, will.payload] }
        if let credentials = configuration.credentials {
            fields.append(Array(credentials.username.utf8))
            if let password = credentials.password { fields.append(password) }
        }
        return fields
    }

    private var connectFlags: UInt8 {
        var flags: UInt8 = configuration.cleanSession ? 0b0000_0010 : 0
        if let will = configuration.will {
            flags |= 0b0000_0100 | will.qos.rawValue << 3 | (will.isRetained ? 0b0010_0000 : 0)
        }
        if let credentials = configuration.credentials {
            flags |= 0b1000_0000 | (credentials.password == nil ? 0 : 0b0100_0000)
        }
        return flags
    }

    /// Appends the packet.
    ///
    /// - Precondition: the configuration is valid.
    func write(to buffer: inout ByteBuffer) {
        let name = configuration.version.protocolName.withUTF8Buffer { Array($0) }
        let fields = payload
        let remainingBytes = 2 + name.count + 4 + fields.reduce(0) { $0 + 2 + $1.count }
        buffer.writeFixedHeader(firstByte: PacketType.connect.firstByte, remainingBytes: remainingBytes)
        buffer.writeField(name)
        buffer.writeInteger(configuration.version.protocolLevel)
        buffer.writeInteger(connectFlags)
        buffer.writeInteger(configuration.keepAliveSeconds)
        for field in fields { buffer.writeField(field) }
    }
}

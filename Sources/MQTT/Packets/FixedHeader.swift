/// The fixed header of a packet that a server sent (MQTT 3.1.1 §2.2), with everything checked that it alone can tell.
struct FixedHeader {
    /// The largest remaining length that four bytes can say (MQTT 3.1.1 §2.2.3).
    static let remainingBytesMaximum = 268_435_455

    var type: PacketType
    var flags: UInt8
    /// Where the body begins in the bytes handed in, and where the packet ends: possibly beyond them.
    var bodyStart: Int
    var packetEnd: Int

    /// Reads the header at `offset`; nil while it is not whole. What is wrong is said at the first byte that shows it, before any body is waited for.
    ///
    /// MQTT 3.1.1 does not demand the shortest form of the remaining length, so a padded one is taken; 5.0 does.
    @inline(__always)
    static func read(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, version: ProtocolVersion, packetBytesMaximum: Int
    ) throws(MQTTError) -> FixedHeader? {
        guard offset < bytes.count else { return nil }
        let first = bytes[offset]
        let flags = first & 0x0F
        let type: PacketType
        if first >> 4 == PacketType.publish.rawValue {
            type = .publish
            try Publish.check(flags: flags)
        } else {
            type = try otherType(first, version: version)
        }

        var remainingBytes = 0
        var cursor = offset + 1
        var shift = 0
        while true {
            guard cursor < bytes.count else { return nil }
            let byte = bytes[cursor]
            cursor += 1
            remainingBytes |= Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 {
                guard byte != 0 || shift == 0 || !version.wantsShortestLengths else { throw .paddedRemainingLength }
                break
            }
            shift += 7
            guard shift < 28 else { throw .remainingLengthTooLong }
        }
        // At most 2^28 + 5, so nothing here can overflow.
        let packetBytes = cursor - offset + remainingBytes
        guard packetBytes <= packetBytesMaximum else {
            throw .packetTooLarge(packetBytes: packetBytes, maximumBytes: packetBytesMaximum)
        }
        guard type.remainingBytesAllowed(version).contains(remainingBytes) else {
            throw .wrongRemainingLength(type, remainingBytes: remainingBytes)
        }
        return FixedHeader(type: type, flags: flags, bodyStart: cursor, packetEnd: cursor + remainingBytes)
    }

    /// The type that the first byte says, if it is not PUBLISH.
    @inline(never)
    private static func otherType(_ first: UInt8, version: ProtocolVersion) throws(MQTTError) -> PacketType {
        let flags = first & 0x0F
        guard let type = PacketType(rawValue: first >> 4), type != .authentication || version.hasProperties else {
            throw .reservedPacketType(first >> 4)
        }
        guard type.isForClients(version) else { throw .packetTypeNotForClients(type) }
        guard flags == type.reservedFlags || !version.fixesReservedFlags else { throw .reservedFlags(type, flags: flags) }
        return type
    }
}

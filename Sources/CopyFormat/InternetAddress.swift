/// An address of IPv4 or IPv6 with the length of its network's prefix: what inet and cidr hold.
public struct InternetAddress: Equatable, Sendable {
    /// In network order; an address of IPv4 is the upper four bytes.
    public var bits: UInt128
    public var isVersion6: Bool
    /// 0 to 32, or to 128.
    public var prefixLength: UInt8

    /// Why a text is no address.
    public enum Fault: Error, Equatable, Sendable {
        case malformed
        /// More than 32, or than 128.
        case prefixTooLong
        /// `fe80::1%eth0`: inet has no place for the zone.
        case hasZone
    }

    public init(bits: UInt128, isVersion6: Bool, prefixLength: UInt8) {
        self.bits = bits
        self.isVersion6 = isVersion6
        self.prefixLength = prefixLength
    }

    /// How many bits an address has.
    public var width: UInt8 { isVersion6 ? 128 : 32 }

    /// Whether nothing stands behind the prefix, as cidr wants it.
    public var isNetwork: Bool { prefixLength == 128 || bits << UInt128(prefixLength) == 0 }

    // MARK: Reading

    /// Reads `192.168.1.5`, `10.0.0.0/8` and the forms of RFC 4291 §2.2, with a dotted end too: `::ffff:1.2.3.4`. No allocation.
    public init(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        var address = bytes[...]
        var prefix: Int?
        if let slash = bytes.firstIndex(of: UInt8(ascii: "/")) {
            address = bytes[..<slash]
            guard let length = Self.number(bytes[(slash + 1)...], digitsMax: 3) else { throw .malformed }
            prefix = length
        }
        if address.contains(UInt8(ascii: "%")) { throw .hasZone }
        isVersion6 = address.contains(UInt8(ascii: ":"))
        guard let bits = isVersion6 ? Self.version6(address) : Self.version4(address).map({ UInt128($0) << 96 }) else { throw .malformed }
        self.bits = bits
        let width = isVersion6 ? 128 : 32
        guard prefix ?? 0 <= width else { throw .prefixTooLong }
        prefixLength = UInt8(truncatingIfNeeded: prefix ?? width)
    }

    private static func number(_ bytes: Slice<UnsafeRawBufferPointer>, digitsMax: Int) -> Int? {
        guard !bytes.isEmpty, bytes.count <= digitsMax else { return nil }
        var value = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    /// Four decimal numbers; zeros in front are read as PostgreSQL does, in decimal.
    private static func version4(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt32? {
        var value: UInt32 = 0
        var rest = bytes
        for part in 0..<4 {
            let end = part == 3 ? rest.endIndex : (rest.firstIndex(of: UInt8(ascii: ".")) ?? rest.endIndex)
            guard let number = number(rest[rest.startIndex..<end], digitsMax: 3), number <= 255 else { return nil }
            guard part == 3 || end < rest.endIndex else { return nil }
            value = value << 8 | UInt32(number)
            if part < 3 { rest = rest[(end + 1)...] }
        }
        return value
    }

    /// Eight groups of up to four digits; `::` once for groups of zeros, the last two groups also as IPv4.
    private static func version6(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt128? {
        let colon = UInt8(ascii: ":")
        var groups: UInt128 = 0
        var count = 0
        /// How many groups stood before `::`.
        var gap: Int?
        var place = bytes.startIndex
        let end = bytes.endIndex
        if place + 1 < end, bytes[place] == colon {
            guard bytes[place + 1] == colon else { return nil }
            gap = 0
            place += 2
        }
        while place < end {
            let stop = bytes[place...].firstIndex(of: colon) ?? end
            if stop == end, bytes[place...].contains(UInt8(ascii: ".")) {
                guard count <= 6, let tail = version4(bytes[place...]) else { return nil }
                groups = groups << 32 | UInt128(tail)
                count += 2
                break
            }
            guard count < 8, let group = group(bytes[place..<stop]) else { return nil }
            groups = groups << 16 | UInt128(group)
            count += 1
            guard stop < end else { break }
            place = stop + 1
            guard place < end else { return nil }
            if bytes[place] == colon {
                guard gap == nil else { return nil }
                gap = count
                place += 1
            }
        }
        guard let gap else { return count == 8 ? groups : nil }
        // `::` stands for one group at least.
        guard count < 8 else { return nil }
        let behind = UInt128((count - gap) * 16)
        let low = groups & ((UInt128(1) << behind) - 1)
        let high = groups >> behind
        return (gap == 0 ? 0 : high << UInt128((8 - gap) * 16)) | low
    }

    private static func group(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt16? {
        guard !bytes.isEmpty, bytes.count <= 4 else { return nil }
        var value: UInt16 = 0
        for byte in bytes {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt16(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt16(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt16(byte - 0x57)
            default: return nil
            }
        }
        return value
    }
}

extension InternetAddress: CustomStringConvertible {
    /// As PostgreSQL shows an inet: the prefix only where it is shorter than the address.
    public var description: String { address + (prefixLength == width ? "" : "/\(prefixLength)") }

    /// As PostgreSQL shows a cidr.
    public var network: String { "\(address)/\(prefixLength)" }

    private var address: String {
        guard isVersion6 else { return Self.dotted(UInt32(truncatingIfNeeded: bits >> 96)) }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - $0 * 16)) }
        // The longest run of zeros, the first of equal ones, and none of a single group.
        var gap = 0..<0
        var start = 0
        while start < 8 {
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(gap.count, 1) { gap = start..<end }
            start = max(end, start + 1)
        }
        // ::a.b.c.d and ::ffff:a.b.c.d
        if gap.lowerBound == 0, gap.count == 6 || (gap.count == 5 && groups[5] == 0xFFFF) {
            let tail = Self.dotted(UInt32(groups[6]) << 16 | UInt32(groups[7]))
            return gap.count == 6 ? "::" + tail : "::ffff:" + tail
        }
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard !gap.isEmpty else { return text(groups[...]) }
        return text(groups[..<gap.lowerBound]) + "::" + text(groups[gap.upperBound...])
    }

    private static func dotted(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
    }
}

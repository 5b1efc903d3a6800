import Glibc

/// A zone of the system's time zone database, for local times without an offset.
///
/// A local time that comes twice (autumn) is taken as its first occurrence; one that never comes (spring) has the offset from before the gap.
public final class TimeZoneRules: Sendable {
    /// Local seconds since 1970 from which on `offsets[i]` holds; sorted.
    private let thresholds: [Int64]
    /// Seconds east of UTC; one more than thresholds: the first holds before all of them.
    private let offsets: [Int32]
    /// The same by seconds since 1970, UTC.
    private let transitions: [Transition]
    public let name: String

    /// Why there are no rules.
    public enum Fault: Error, Equatable {
        /// The system has no time zone database (package tzdata).
        case noDatabase(String)
        case unknownZone
        case malformed
    }

    /// Reads a zone.
    /// - Parameter name: an IANA name: `Europe/Berlin`.
    public init(_ name: String) throws(Fault) {
        self.name = name
        let folder = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
        let isName = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "/_+-".utf8.contains(byte)
        }
        guard isName, !name.isEmpty, !name.hasPrefix("/"), !name.hasSuffix("/") else { throw .unknownZone }
        guard access(folder, R_OK) == 0 else { throw .noDatabase(folder) }
        guard let bytes = Self.readFile(folder + "/" + name) else { throw .unknownZone }
        var (transitions, first) = try Self.parse(bytes)
        transitions.sort { $0.at < $1.at }
        var thresholds: [Int64] = []
        var offsets = [first]
        for transition in transitions {
            let before = offsets[offsets.count - 1]
            guard transition.offset != before else { continue }
            let threshold = transition.at + Int64(max(before, transition.offset))
            if let last = thresholds.last, threshold <= last {
                offsets[offsets.count - 1] = transition.offset
            } else {
                thresholds.append(threshold)
                offsets.append(transition.offset)
            }
        }
        self.thresholds = thresholds
        self.offsets = offsets
        self.transitions = transitions
    }

    /// Seconds east of UTC at a moment, in seconds since 1970.
    public func offset(atUTC seconds: Int64) -> Int32 {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? offsets[0] : transitions[low - 1].offset
    }

    /// Seconds east of UTC at a local time, in seconds since 1970.
    public func offset(atLocal seconds: Int64) -> Int32 {
        var low = 0
        var high = thresholds.count
        while low < high {
            let middle = (low + high) / 2
            if thresholds[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return offsets[low]
    }

    // MARK: TZif (RFC 8536)

    private static func readFile(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256 * 1024)
        let count = fread(&bytes, 1, bytes.count, file)
        guard count > 44, count < bytes.count else { return nil }
        return Array(bytes[..<count])
    }

    struct Transition {
        var at: Int64
        var offset: Int32
    }

    private static func parse(_ bytes: [UInt8]) throws(Fault) -> ([Transition], Int32) {
        func number(_ at: Int, _ count: Int) -> Int64 {
            var value: Int64 = bytes[at] & 0x80 != 0 ? -1 : 0
            for offset in 0..<count { value = value << 8 | Int64(bytes[at + offset]) }
            return value
        }
        func header(_ at: Int) -> (isutc: Int, isstd: Int, leap: Int, times: Int, types: Int, characters: Int)? {
            guard at + 44 <= bytes.count, bytes[at..<at + 4].elementsEqual("TZif".utf8) else { return nil }
            let counts = (0..<6).map { Int(number(at + 20 + $0 * 4, 4)) }
            guard counts.allSatisfy({ $0 >= 0 && $0 < 100_000 }) else { return nil }
            return (counts[0], counts[1], counts[2], counts[3], counts[4], counts[5])
        }
        guard let old = header(0), bytes[4] >= UInt8(ascii: "2") else { throw .malformed }
        // The first body has times of 32 bits; the second one, behind a header of its own, of 64.
        let second = 44 + old.times * 5 + old.types * 6 + old.characters + old.leap * 8 + old.isstd + old.isutc
        guard let counts = header(second), counts.types > 0 else { throw .malformed }
        let times = second + 44
        let indexes = times + counts.times * 8
        let types = indexes + counts.times
        let footer = types + counts.types * 6 + counts.characters + counts.leap * 12 + counts.isstd + counts.isutc
        guard footer <= bytes.count else { throw .malformed }
        func offset(_ type: Int) -> Int32 { Int32(truncatingIfNeeded: number(types + type * 6, 4)) }
        var transitions: [Transition] = []
        for index in 0..<counts.times {
            let type = Int(bytes[indexes + index])
            guard type < counts.types else { throw .malformed }
            transitions.append(Transition(at: number(times + index * 8, 8), offset: offset(type)))
        }
        let rule = bytes[footer...].drop { $0 == 0x0A }.prefix { $0 != 0x0A }
        if !rule.isEmpty {
            guard let rules = PosixZone(String(decoding: rule, as: UTF8.self)) else { throw .malformed }
            // Behind the last transition the footer's rule goes on; it is written out as far as telemetry reaches.
            let last = transitions.last?.at ?? Int64.min
            transitions += rules.transitions(years: 1970...2200).filter { $0.at > last }
        }
        return (transitions, offset(0))
    }
}

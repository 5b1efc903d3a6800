/// A time of day as text: `14:05`, `14:05:30` or `14:05:30.25`.
public enum TimeOfDay {
    public static let microsecondsMaximum: Int64 = 86_400_000_000

    /// Microseconds since midnight; digits of the fraction beyond the sixth are cut. No allocation.
    ///
    /// `24:00:00` is the end of the day, and a leap second the beginning of the next minute, as PostgreSQL has both.
    /// - Parameter bytes: without surrounding white space.
    public static func microseconds(_ bytes: UnsafeRawBufferPointer) throws(TimeError) -> Int64 {
        guard bytes.count == 5 || bytes.count >= 8, bytes[2] == UInt8(ascii: ":") else { throw .malformed }
        let hour = try pair(bytes, 0)
        let minute = try pair(bytes, 3)
        var second: Int64 = 0
        var fraction: Int64 = 0
        if bytes.count > 5 {
            guard bytes[5] == UInt8(ascii: ":") else { throw .malformed }
            second = try pair(bytes, 6)
        }
        if bytes.count > 8 {
            guard bytes[8] == UInt8(ascii: "."), bytes.count > 9 else { throw .malformed }
            var unit: Int64 = 100_000
            for byte in bytes[9...] {
                guard (0x30...0x39).contains(byte) else { throw .malformed }
                fraction += Int64(byte - 0x30) * unit
                unit /= 10
            }
        }
        guard minute < 60, second <= 60 else { throw .nonexistent }
        let time = (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
        guard time <= microsecondsMaximum else { throw .nonexistent }
        return time
    }

    private static func pair(_ bytes: UnsafeRawBufferPointer, _ place: Int) throws(TimeError) -> Int64 {
        guard (0x30...0x39).contains(bytes[place]), (0x30...0x39).contains(bytes[place + 1]) else { throw .malformed }
        return Int64(bytes[place] - 0x30) * 10 + Int64(bytes[place + 1] - 0x30)
    }
}

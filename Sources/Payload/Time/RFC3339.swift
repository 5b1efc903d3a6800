/// Times as RFC 3339 writes them, and a little more: a space for the `T`, an offset without its colon, or no offset where a zone is known.
public enum RFC3339 {
    /// Microseconds since 1970, UTC; digits of the fraction beyond the sixth are cut. No allocation.
    /// A leap second, `:60`, is the first second of the next minute, as PostgreSQL takes it.
    /// - Parameters:
    ///   - bytes: without surrounding white space; years 0001 to 9999.
    ///   - zone: for a text without offset.
    public static func microseconds(_ bytes: UnsafeRawBufferPointer, zone: TimeZoneRules?) throws(TimeError) -> Int64 {
        guard bytes.count >= 19 else { throw .malformed }
        guard bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " ") || bytes[10] == UInt8(ascii: "t")
        else { throw .malformed }
        let century = pair(bytes, 0)
        let yearOfCentury = pair(bytes, 2)
        let month = pair(bytes, 5)
        let day = pair(bytes, 8)
        let hour = pair(bytes, 11)
        let minute = pair(bytes, 14)
        let second = pair(bytes, 17)
        guard century | yearOfCentury | month | day | hour | minute | second >= 0 else { throw .malformed }
        let year = century &* 100 &+ yearOfCentury
        guard year >= 1, month >= 1, month <= 12, day >= 1, day <= CivilTime.days(inMonth: month, of: year), hour < 24, minute < 60,
            second <= 60
        else { throw .nonexistent }
        let seconds = CivilTime.days(year: year, month: month, day: day) &* 86_400 &+ hour &* 3600 &+ minute &* 60 &+ second

        var place = 19
        var fraction = 0
        if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
            place &+= 1
            let start = place
            var unit = 100_000
            while place < bytes.count {
                let digit = Int(bytes[place]) &- 0x30
                guard digit >= 0, digit <= 9 else { break }
                fraction &+= digit &* unit
                unit /= 10
                place &+= 1
            }
            guard place > start else { throw .malformed }
        }
        while place < bytes.count, bytes[place] == UInt8(ascii: " ") { place &+= 1 }
        let local = Int64(seconds)
        guard place < bytes.count else {
            guard let zone else { throw .noOffset }
            return (local &- Int64(zone.offset(atLocal: local))) &* 1_000_000 &+ Int64(fraction)
        }
        let offset = try offsetSeconds(UnsafeRawBufferPointer(rebasing: bytes[place...]))
        return (local &- Int64(offset)) &* 1_000_000 &+ Int64(fraction)
    }

    /// `Z`, `+01:00` or `+0100`.
    @inline(__always)
    private static func offsetSeconds(_ bytes: UnsafeRawBufferPointer) throws(TimeError) -> Int {
        let sign = bytes[0]
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") {
            guard bytes.count == 1 else { throw .malformed }
            return 0
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { throw .malformed }
        let hasColon = bytes.count == 6 && bytes[3] == UInt8(ascii: ":")
        guard hasColon || bytes.count == 5 else { throw .malformed }
        let hours = pair(bytes, 1)
        let minutes = pair(bytes, hasColon ? 4 : 3)
        guard hours | minutes >= 0 else { throw .malformed }
        guard hours < 24, minutes < 60 else { throw .nonexistent }
        let seconds = hours &* 3600 &+ minutes &* 60
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }

    /// Two digits, or a negative number.
    @inline(__always)
    private static func pair(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Int {
        let tens = Int(bytes[place]) &- 0x30
        let ones = Int(bytes[place &+ 1]) &- 0x30
        return (tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9) ? tens &* 10 &+ ones : -1
    }
}

import Glibc

/// Writes a tree as JSON text (RFC 8259) into scratch memory, one item after the other; commas and colons come by themselves.
///
/// What would be over the limit is not written, and `isOverLimit` says so: who writes asks it now and then, and before the text is used.
/// Nothing is allocated once scratch memory has grown to what messages need, but for the text of a double of more than 15 characters.
struct TreeWriter: ~Copyable {
    /// What an item is: an element or a member's value, or a member's name.
    enum Role { case value, name }

    private var bytes: GrowingBytes
    private var needsComma = false
    /// Whether something did not fit; the text is of no use then.
    private(set) var isOverLimit = false

    /// How many bytes are written.
    var count: Int { bytes.count }

    private init(in scratch: UnsafeMutablePointer<ScratchMemory>, capacity: Int, bytesMax: Int) {
        bytes = GrowingBytes(in: scratch, capacity: capacity, bytesMax: bytesMax)
    }

    /// Calls `body` with a writer and gives the text, which stays until `scratch` is reset; where `body` throws, nothing is taken of it.
    /// - Parameters:
    ///   - inputBytes: what the tree has now; the text is taken to have about three times as many.
    ///   - body: throws where the writer is over its limit.
    static func text<Failure: Error>(
        in scratch: inout ScratchMemory, inputBytes: Int, limits: TreeLimits, _ body: (inout TreeWriter) throws(Failure) -> Void
    ) throws(Failure) -> UnsafeRawBufferPointer {
        let mark = scratch.mark
        do throws(Failure) {
            return try withUnsafeMutablePointer(to: &scratch) { scratch throws(Failure) in
                var writer = TreeWriter(in: scratch, capacity: inputBytes &* 3 &+ 64, bytesMax: limits.maximumTextBytes)
                try body(&writer)
                return writer.bytes.finish()
            }
        } catch {
            scratch.release(to: mark)
            throw error
        }
    }

    // MARK: Bytes

    private mutating func append(byte: UInt8) {
        guard bytes.reserve(1) else { return isOverLimit = true }
        bytes.end.storeBytes(of: byte, as: UInt8.self)
        bytes.advance(by: 1)
    }

    private mutating func append(_ text: UnsafeRawBufferPointer) {
        guard let base = text.baseAddress else { return }
        guard bytes.reserve(text.count) else { return isOverLimit = true }
        bytes.end.copyMemory(from: base, byteCount: text.count)
        bytes.advance(by: text.count)
    }

    private mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Up to `room` bytes, as many as `body` says it has written.
    private mutating func append(room: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        guard bytes.reserve(room) else { return isOverLimit = true }
        bytes.advance(by: body(bytes.end))
    }

    // MARK: Containers

    mutating func beginArray() { begin(UInt8(ascii: "[")) }
    mutating func endArray() { end(UInt8(ascii: "]")) }
    mutating func beginObject() { begin(UInt8(ascii: "{")) }
    mutating func endObject() { end(UInt8(ascii: "}")) }

    private mutating func begin(_ bracket: UInt8) {
        if needsComma { append(byte: UInt8(ascii: ",")) }
        append(byte: bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        append(byte: bracket)
        needsComma = true
    }

    // MARK: Scalars

    private mutating func open(_ role: Role, quoted: Bool) {
        if needsComma { append(byte: UInt8(ascii: ",")) }
        if quoted || role == .name { append(byte: UInt8(ascii: "\"")) }
    }

    private mutating func close(_ role: Role, quoted: Bool) {
        if quoted || role == .name { append(byte: UInt8(ascii: "\"")) }
        if role == .name { append(byte: UInt8(ascii: ":")) }
        needsComma = role == .value
    }

    mutating func null() { word("null") }

    mutating func boolean(_ value: Bool, as role: Role = .value) { word(value ? "true" : "false", as: role) }

    /// `true`, `null`, a number: text of JSON that needs no quotes.
    mutating func word(_ text: StaticString, as role: Role = .value) {
        open(role, quoted: false)
        append(text)
        close(role, quoted: false)
    }

    mutating func integer(_ value: Int64, as role: Role = .value) { integer(value.magnitude, isNegative: value < 0, as: role) }

    mutating func integer(_ magnitude: UInt64, isNegative: Bool = false, as role: Role = .value) {
        open(role, quoted: false)
        if isNegative { append(byte: UInt8(ascii: "-")) }
        digits(magnitude)
        close(role, quoted: false)
    }

    /// At least `width` digits, with zeros in front.
    private mutating func digits(_ value: UInt64, width: Int = 1) {
        let count = max(PowersOfTen.digitCount(UInt128(value)), width)
        append(room: count) { target in
            var rest = value
            for place in (0..<count).reversed() {
                target.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: place, as: UInt8.self)
                rest /= 10
            }
            return count
        }
    }

    /// The shortest text that reads back as the same double, without a point where it is whole; "nan", "inf" or "-inf" as text, which is
    /// how `null_if` names what no number of JSON is.
    mutating func double(_ value: Double) {
        guard value.isFinite else { return text(value.isNaN ? "nan" : value < 0 ? "-inf" : "inf") }
        open(.value, quoted: false)
        var text = value.description
        text.withUTF8 { written in
            let bytes = UnsafeRawBufferPointer(written)
            let isWhole = bytes.count > 2 && bytes[bytes.count - 2] == UInt8(ascii: ".") && bytes[bytes.count - 1] == UInt8(ascii: "0")
            append(UnsafeRawBufferPointer(rebasing: bytes[..<(isWhole ? bytes.count - 2 : bytes.count)]))
        }
        close(.value, quoted: false)
    }

    mutating func decimal(_ value: DecimalNumber) {
        open(.value, quoted: false)
        append(room: DecimalNumber.textBytesMax) { value.write(into: $0) }
        close(.value, quoted: false)
    }

    /// Decimal digits, times a power of ten: as `DecimalNumber` writes it where it holds so many.
    mutating func decimal(isNegative: Bool, digits: [UInt8], exponent: Int64) {
        let significand = digits.count <= DecimalNumber.digitsMax ? digits.reduce(UInt128(0)) { $0 * 10 + UInt128($1 &- 0x30) } : nil
        if let significand, let exponent = Int32(exactly: exponent),
            let number = DecimalNumber(isNegative: isNegative, significand: significand, exponent: exponent)
        {
            return decimal(number)
        }
        open(.value, quoted: false)
        if isNegative { append(byte: UInt8(ascii: "-")) }
        digits.withUnsafeBytes { append($0) }
        if exponent != 0 {
            append(byte: UInt8(ascii: "e"))
            if exponent < 0 { append(byte: UInt8(ascii: "-")) }
            self.digits(exponent.magnitude)
        }
        close(.value, quoted: false)
    }

    /// A value that JSON's own decoder has accepted, as it stands; nothing for one that has no text.
    mutating func json(_ value: Value, as role: Role = .value) {
        switch value.kind {
        case .true, .false: boolean(value.kind == .true, as: role)
        case .string, .escapedString:
            open(role, quoted: true)
            append(value.bytes)
            close(role, quoted: true)
        case .number, .object, .array:
            open(role, quoted: false)
            append(value.bytes)
            close(role, quoted: false)
        case .null: null()
        default: break
        }
    }

    // MARK: Text

    mutating func text(_ text: StaticString, as role: Role = .value) {
        self.text(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), as: role)
    }

    /// - Parameter text: valid UTF-8.
    mutating func text(_ text: UnsafeRawBufferPointer, as role: Role = .value) {
        openText(as: role)
        appendText(text)
        closeText(as: role)
    }

    /// What comes until `closeText` is one text.
    mutating func openText(as role: Role = .value) { open(role, quoted: true) }

    mutating func closeText(as role: Role = .value) { close(role, quoted: true) }

    /// Part of a text, escaped where JSON asks for it (RFC 8259 §7).
    /// - Parameter text: valid UTF-8.
    mutating func appendText(_ text: UnsafeRawBufferPointer) {
        var start = 0
        var place = 0
        while place < text.count {
            let byte = text[place]
            if _slowPath(byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")) {
                append(UnsafeRawBufferPointer(rebasing: text[start..<place]))
                appendEscaped(byte)
                start = place + 1
            }
            place += 1
        }
        append(UnsafeRawBufferPointer(rebasing: text[start...]))
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        append(byte: UInt8(ascii: "\\"))
        guard byte < 0x20 else { return append(byte: byte) }
        append("u00")
        append(byte: 0x30 + (byte >> 4))
        append(byte: byte & 0xF < 10 ? 0x30 + (byte & 0xF) : 0x57 + (byte & 0xF))
    }

    /// Text of JSON with its escapes decoded, as part of a text whose characters need none in JSON.
    /// - Parameter accepts: whether the decoded bytes are such a text; nothing is written where they are not.
    mutating func appendPlain(_ value: Value, where accepts: (UnsafeRawBufferPointer) -> Bool) {
        append(room: Int(value.count)) { target in
            let count = JSON.unescape(value, into: target)
            return accepts(UnsafeRawBufferPointer(start: target, count: count)) ? count : 0
        }
    }

    // MARK: Bytes as text

    mutating func binary(_ content: UnsafeRawBufferPointer, _ notation: BinaryNotation = .base64, as role: Role = .value) {
        openText(as: role)
        var encoder = BinaryTextEncoder(notation)
        appendBinary(content, &encoder)
        finishBinary(&encoder)
        closeText(as: role)
    }

    /// Part of a byte string, within `openText` and `closeText`.
    mutating func appendBinary(_ content: UnsafeRawBufferPointer, _ encoder: inout BinaryTextEncoder) {
        append(room: encoder.letterCount(of: content.count)) { encoder.encode(content, into: $0) }
    }

    mutating func finishBinary(_ encoder: inout BinaryTextEncoder) {
        append(room: encoder.lastLetterCount) { encoder.finish(into: $0) }
    }

    // MARK: Times

    /// A time in UTC as RFC 3339 writes it, the fraction as short as it is exact.
    /// - Parameters:
    ///   - seconds: since 1970-01-01T00:00:00Z.
    ///   - nanoseconds: 0 to 999,999,999, in the direction of the future.
    /// - Returns: false, with nothing written, outside of years 1 to 9999.
    mutating func time(seconds: Int64, nanoseconds: Int) -> Bool {
        guard seconds >= -62_135_596_800, seconds <= 253_402_300_799, (0..<1_000_000_000).contains(nanoseconds) else { return false }
        var (days, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        if second < 0 {
            days -= 1
            second += 86_400
        }
        let (year, month, day) = CivilTime.date(days: Int(days))
        openText()
        let parts: [(Int64, Int, StaticString)] = [
            (Int64(year), 4, "-"), (Int64(month), 2, "-"), (Int64(day), 2, "T"), (second / 3600, 2, ":"), (second / 60 % 60, 2, ":"),
            (second % 60, 2, ""),
        ]
        for (number, width, mark) in parts {
            digits(number.magnitude, width: width)
            append(mark)
        }
        if nanoseconds > 0 {
            var (fraction, width) = (nanoseconds, 9)
            while fraction % 10 == 0 {
                fraction /= 10
                width -= 1
            }
            append(byte: UInt8(ascii: "."))
            digits(UInt64(fraction), width: width)
        }
        append(byte: UInt8(ascii: "Z"))
        closeText()
        return true
    }
}

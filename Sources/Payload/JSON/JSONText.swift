import Glibc

extension JSON {
    /// How many bytes of UTF-8 a text value holds once its escapes are decoded; at most `value.count`.
    public static func unescapedCount(_ value: Value) -> Int {
        guard value.kind == .escapedString, let base = value.bytes.baseAddress else { return value.bytes.count }
        var place = base.assumingMemoryBound(to: UInt8.self)
        let end = place + Int(value.count)
        var count = 0
        while place < end {
            let plain = plainBytes(from: place, to: end)
            place += plain
            count += plain
            if place < end { count += JSONEscape.decode(&place, end: end).count }
        }
        return count
    }

    /// Writes the text of a value, its escapes decoded, and gives its length.
    /// - Parameter target: has room for `value.count` bytes: no escape is shorter than what it stands for.
    public static func unescape(_ value: Value, into target: UnsafeMutableRawPointer) -> Int {
        let bytes = value.bytes
        guard let base = bytes.baseAddress else { return 0 }
        guard value.kind == .escapedString else {
            target.copyMemory(from: base, byteCount: bytes.count)
            return bytes.count
        }
        var place = base.assumingMemoryBound(to: UInt8.self)
        let end = place + bytes.count
        var written = 0
        while place < end {
            let plain = plainBytes(from: place, to: end)
            (target + written).copyMemory(from: place, byteCount: plain)
            place += plain
            written += plain
            guard place < end else { break }
            var escape = JSONEscape.decode(&place, end: end)
            for _ in 0..<escape.count {
                target.storeBytes(of: UInt8(truncatingIfNeeded: escape.word), toByteOffset: written, as: UInt8.self)
                escape.word &>>= 8
                written += 1
            }
        }
        return written
    }

    /// Whether a NUL character is anywhere in a value, as a byte or as `\u0000`, in names and nested values too: no text and no jsonb of
    /// PostgreSQL holds one.
    public static func containsNUL(_ value: Value) -> Bool {
        let bytes = value.bytes
        guard let base = bytes.baseAddress, value.kind != .bytes else { return false }
        if value.kind == .string { return UTF8Text.containsNUL(bytes) }
        // In validated JSON a backslash stands only in strings, and always before its escape.
        var place = base.assumingMemoryBound(to: UInt8.self)
        let end = place + bytes.count
        while true {
            place += plainBytes(from: place, to: end)
            guard end - place >= 2 else { return false }
            if end - place >= 6, place[1] == UInt8(ascii: "u"), (2..<6).allSatisfy({ place[$0] == UInt8(ascii: "0") }) { return true }
            place += 2
        }
    }

    /// Bytes before the next backslash.
    private static func plainBytes(from place: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>) -> Int {
        guard place < end, let backslash = memchr(place, CInt(UInt8(ascii: "\\")), end - place) else { return end - place }
        return UnsafeRawPointer(backslash) - UnsafeRawPointer(place)
    }

    // MARK: Values as JSON text

    /// Room that `writeText` and `writeRest` need for a value, in bytes.
    public static func textBytesMax(of value: Value) -> Int {
        let count = value.bytes.count
        return switch value.kind {
        case .string: 2 + 6 * count
        case .escapedString: 2 + count
        // Base64 has 4 for every 3, and its quotes.
        case .bytes: 2 + (count + 2) / 3 * 4
        // A bare nan of 3 bytes becomes a null of 4.
        case .object, .array: count + count / 3
        default: max(count, 32)
        }
    }

    /// Writes a value as JSON text and gives its length; nil for what has none (`missing`, `timestamp`).
    ///
    /// Objects and arrays are copied as they stand, with null for bare nan and infinity, so where those are not allowed `value.bytes` is
    /// the same text. A `double` that is not finite is null; `bytes` are base64 (RFC 4648 §4).
    /// - Parameter target: has room for `textBytesMax(of:)` bytes.
    public static func writeText(of value: Value, into target: UnsafeMutableRawPointer) -> Int? {
        var writer = JSONTextWriter(target)
        switch value.kind {
        case .missing, .timestamp: return nil
        case .bytes: writer.appendBase64(value.bytes)
        case .null: writer.append("null")
        case .false: writer.append("false")
        case .true: writer.append("true")
        case .integer: writer.append(description: Int64(bitPattern: value.word))
        case .unsigned: writer.append(description: value.word)
        case .double:
            let number = Double(bitPattern: value.word)
            if !number.isFinite {
                writer.append("null")
            } else if value.count == 4 {
                writer.append(description: Float(number))
            } else {
                writer.append(description: number)
            }
        case .number: writer.append(value.bytes)
        case .string: writer.appendQuoted(value.bytes)
        case .escapedString:
            writer.append(byte: UInt8(ascii: "\""))
            writer.append(value.bytes)
            writer.append(byte: UInt8(ascii: "\""))
        case .object, .array: writer.append(replacingNaN: value.bytes)
        }
        return writer.count
    }
}

/// Appends JSON text to memory that its caller has measured with `JSON.textBytesMax(of:)`.
struct JSONTextWriter {
    private let target: UnsafeMutableRawPointer
    /// Bytes written; set back to take them away.
    var count = 0

    init(_ target: UnsafeMutableRawPointer) { self.target = target }

    mutating func append(byte: UInt8) {
        target.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        (target + count).copyMemory(from: base, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The shortest text that reads back as the same number. Swift writes it in JSON's grammar.
    mutating func append(description number: some CustomStringConvertible) {
        var text = number.description
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// RFC 8259 §7: quotes, backslashes and control characters are escaped, at most 6 bytes for one.
    mutating func appendQuoted(_ bytes: UnsafeRawBufferPointer) {
        append(byte: UInt8(ascii: "\""))
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(byte: UInt8(ascii: "\\"))
                append(byte: byte)
            case 0..<0x20:
                append("\\u00")
                append(byte: 0x30 + (byte >> 4))
                append(byte: byte & 0xF < 10 ? 0x30 + (byte & 0xF) : 0x57 + (byte & 0xF))
            default: append(byte: byte)
            }
        }
        append(byte: UInt8(ascii: "\""))
    }

    /// Validated JSON with null for every bare nan and infinity; no tail of true, false or null reads as one of those.
    mutating func append(replacingNaN bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        var place = base.assumingMemoryBound(to: UInt8.self)
        let end = place + bytes.count
        var copied = place
        var isInString = false
        while place < end {
            let byte = place.pointee
            if isInString {
                if byte == UInt8(ascii: "\\") { place += 1 } else if byte == UInt8(ascii: "\"") { isInString = false }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == UInt8(ascii: "-") || (byte | 0x20) &- 0x61 < 26 {
                let letters = place + (byte == UInt8(ascii: "-") ? 1 : 0)
                if let length = JSONScanner.notFiniteLetters(at: letters, end: end) {
                    append(UnsafeRawBufferPointer(start: copied, count: place - copied))
                    append("null")
                    place = letters + length
                    copied = place
                    continue
                }
            }
            place += 1
        }
        append(UnsafeRawBufferPointer(start: copied, count: end - copied))
    }
}

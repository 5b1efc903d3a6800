/// RFC 8259 said a second time, as plainly as can be: what the scanner accepts must be what this accepts.
struct ReferenceJSON {
    let text: [UInt8]
    let maximumDepth: Int
    let allowsNaN: Bool
    private var place = 0

    static func accepts(_ text: UnsafeRawBufferPointer, maximumDepth: Int, allowsNaN: Bool) -> Bool {
        guard String(validating: text, as: UTF8.self) != nil else { return false }
        var reader = ReferenceJSON(text: Array(text), maximumDepth: maximumDepth, allowsNaN: allowsNaN)
        return reader.value(depth: 0) && reader.place == text.count
    }

    private init(text: [UInt8], maximumDepth: Int, allowsNaN: Bool) {
        self.text = text
        self.maximumDepth = maximumDepth
        self.allowsNaN = allowsNaN
    }

    private var byte: UInt8? { place < text.count ? text[place] : nil }

    private mutating func take(_ wanted: String) -> Bool {
        guard text[place...].starts(with: wanted.utf8) else { return false }
        place += wanted.utf8.count
        return true
    }

    private mutating func skipSpace() { while let byte, " \n\r\t".utf8.contains(byte) { place += 1 } }

    private mutating func value(depth: Int) -> Bool {
        skipSpace()
        let isRead =
            switch byte {
            case UInt8(ascii: "{"): depth < maximumDepth && container(end: "}", depth: depth)
            case UInt8(ascii: "["): depth < maximumDepth && container(end: "]", depth: depth)
            case UInt8(ascii: "\""): string()
            default: take("true") || take("false") || take("null") || notFinite() || number()
            }
        skipSpace()
        return isRead
    }

    private mutating func container(end: String, depth: Int) -> Bool {
        place += 1
        skipSpace()
        if take(end) { return true }
        repeat {
            if end == "}" {
                skipSpace()
                guard byte == UInt8(ascii: "\""), string() else { return false }
                skipSpace()
                guard take(":") else { return false }
            }
            guard value(depth: depth + 1) else { return false }
        } while take(",")
        return take(end)
    }

    private mutating func string() -> Bool {
        place += 1
        while let byte {
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"):
                guard let letter = self.byte else { return false }
                place += 1
                if letter == UInt8(ascii: "u") {
                    guard let unit = unit(), !UTF16.isTrailSurrogate(unit) else { return false }
                    guard !UTF16.isLeadSurrogate(unit) || (take("\\u") && self.unit().map(UTF16.isTrailSurrogate) == true) else {
                        return false
                    }
                } else if !"\"\\/bfnrt".utf8.contains(letter) {
                    return false
                }
            case 0..<0x20: return false
            default: break
            }
        }
        return false
    }

    private mutating func unit() -> UInt16? {
        guard text.count - place >= 4, text[place..<place + 4].allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }) else {
            return nil
        }
        place += 4
        return UInt16(String(decoding: text[place - 4..<place], as: UTF8.self), radix: 16)
    }

    private mutating func digits() -> Bool {
        let first = place
        while let byte, (0x30...0x39).contains(byte) { place += 1 }
        return place > first
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0"), !digits() { return false }
        if take("."), !digits() { return false }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            return digits()
        }
        return true
    }

    private mutating func notFinite() -> Bool {
        let first = place
        if allowsNaN {
            _ = take("-")
            for word in ["infinity", "inf", "nan"] {
                let end = place + word.utf8.count
                guard end <= text.count, text[place..<end].map({ $0 | 0x20 }) == Array(word.utf8) else { continue }
                place = end
                return true
            }
        }
        place = first
        return false
    }
}

/// Makes JSON texts: every form of value, white space, escape and number that RFC 8259 has, and now and then one with a wrong byte.
struct JSONDocuments {
    private var random: SeededRandomness
    private var text: [UInt8] = []

    /// What a case of a run is made of.
    struct Document {
        var text: [UInt8]
        /// Whether something was done to it after it was made, so that it need not be JSON any more.
        var isDamaged: Bool
    }

    static func document(seed: UInt64, index: Int) -> Document {
        var documents = JSONDocuments(random: SeededRandomness(seed: seed, index: index))
        documents.space()
        documents.value(depth: 0)
        documents.space()
        let isDamaged = documents.random.oneIn(5)
        if isDamaged { documents.damage() }
        return Document(text: documents.text, isDamaged: isDamaged)
    }

    private init(random: SeededRandomness) { self.random = random }

    // MARK: Structure

    private mutating func append(_ string: String) { text += Array(string.utf8) }

    private mutating func space() {
        guard random.oneIn(4) else { return }
        for _ in 0...random.below(3) { append(random.pick([" ", "\n", "\t", "\r"])) }
    }

    private mutating func value(depth: Int) {
        switch random.below(depth == 0 ? 12 : depth < 5 ? 10 : 6) {
        case 0: append(random.pick(["null", "true", "false"]))
        case 1, 2, 3: number(isAlone: depth == 0)
        case 4, 5: string()
        case 6, 10: array(depth: depth)
        default: object(depth: depth)
        }
    }

    private mutating func array(depth: Int) {
        append("[")
        space()
        for index in 0..<random.below(random.oneIn(20) ? 40 : 6) {
            if index > 0 { append(",") }
            space()
            value(depth: depth + 1)
            space()
        }
        append("]")
    }

    /// Names are told apart as Swift tells strings apart, as the other reading keeps its members by name.
    private mutating func object(depth: Int) {
        append("{")
        space()
        var names: Set<String> = []
        for index in 0..<random.below(random.oneIn(20) ? 30 : 6) {
            var name = characters()
            while !names.insert(name).inserted { name += "x" }
            if index > 0 { append(",") }
            space()
            quoted(name)
            space()
            append(":")
            space()
            value(depth: depth + 1)
            space()
        }
        append("}")
    }

    // MARK: Strings

    private mutating func string() { quoted(characters()) }

    private mutating func characters() -> String {
        if random.oneIn(3) {
            return random.pick(["temperature", "ts", "v", "a", "b", "0", "humidity_inside_of_the_box", "", "id", "größe"])
        }
        var scalars = String.UnicodeScalarView()
        for _ in 0..<random.below(random.oneIn(10) ? 70 : 12) {
            let code: UInt32 =
                switch random.below(12) {
                case 0: UInt32(random.below(0x20))
                case 1: UInt32(random.pick([0x22, 0x5C, 0x2F, 0x7F, 0x2C, 0x7B, 0x5D]))
                case 2: UInt32(0x80 + random.below(0x780))
                case 3: UInt32(0x800 + random.below(0xF800))
                case 4: UInt32(0x10000 + random.below(0x10_0000))
                case 5: UInt32(random.pick([0xFEFF, 0xFFFE, 0xFFFF, 0x2028, 0x2029, 0xD7FF, 0xE000, 0x10FFFF, 0x301, 0xA0]))
                default: UInt32(0x20 + random.below(0x5F))
                }
            if let scalar = Unicode.Scalar(code) { scalars.append(scalar) }
        }
        return String(scalars)
    }

    private mutating func quoted(_ characters: String) {
        append("\"")
        for scalar in characters.unicodeScalars {
            let short: [UInt32: String] = [
                0x22: "\\\"", 0x5C: "\\\\", 0x2F: "\\/", 0x08: "\\b", 0x0C: "\\f", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t",
            ]
            let mustEscape = scalar.value < 0x20 || scalar.value == 0x22 || scalar.value == 0x5C
            if mustEscape || random.oneIn(12) {
                if let escape = short[scalar.value], !random.oneIn(3) {
                    append(escape)
                } else {
                    for unit in UTF16.encode(scalar) ?? Unicode.UTF16.encodedReplacementCharacter { append(escape(unit)) }
                }
            } else {
                append(String(Character(scalar)))
            }
        }
        append("\"")
    }

    private mutating func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16, uppercase: random.oneIn(2))
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    // MARK: Numbers

    private mutating func digits(_ count: Int) -> String { String((0..<count).map { _ in random.pick(Array("0123456789")) }) }

    /// One that no double reaches, or that a double takes for 0, stands alone: there Foundation refuses the whole text.
    private mutating func number(isAlone: Bool) {
        var text = numberText()
        while !isAlone, Self.isBeyondDouble(text) { text = numberText() }
        append(text)
    }

    static func isBeyondDouble(_ text: String) -> Bool {
        guard let number = Double(text), number.isFinite else { return true }
        // Foundation takes a digit of the exponent for one of the number: it refuses 0e5.
        return number == 0 && text.contains { ("1"..."9").contains($0) }
    }

    private mutating func numberText() -> String {
        let sign = random.oneIn(3) ? "-" : ""
        return switch random.below(12) {
        case 0: sign + random.pick(["0", "1", "0.0", "1.0", "10", "1e0", "0.0e5", "0E-0", "1E+2", "100e-2", "0.1", "0.30000000000000004"])
        case 1: sign + String(random.below(1000))
        case 2: sign + String(random.next() >> UInt64(random.below(64)))
        case 3: sign + whole(1 + random.below(30))
        case 4: sign + whole(1 + random.below(4)) + "." + digits(1 + random.below(4))
        case 5: sign + whole(1 + random.below(25)) + "." + digits(1 + random.below(25))
        case 6: sign + whole(1 + random.below(20)) + exponent(300)
        case 7: sign + whole(1 + random.below(20)) + "." + digits(1 + random.below(30)) + exponent(340)
        case 8, 9: finite(random.next()).description
        case 10: halfWay()
        default:
            random.pick([
                "9007199254740993", "9007199254740992.5", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
                "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1.7976931348623157e308",
                "1.7976931348623158e308", "4.9406564584124654e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
                "2.2250738585072011e-308", "2.2250738585072014e-308", "1e23", "8.5e22", "-0", "-0.0", "-0e0", "1e-400", "123e-340",
                "0.000000000000000000000000000000000000001", "1e308", "179769313486231570000e289", "0e999999999",
            ])
        }
    }

    private mutating func whole(_ count: Int) -> String {
        let text = digits(count).drop { $0 == "0" }
        return text.isEmpty ? "0" : String(text)
    }

    private mutating func exponent(_ magnitude: Int) -> String {
        let letter = random.pick(["e", "E"])
        let number = random.oneIn(3) ? random.below(8) : random.below(magnitude)
        return letter + random.pick(["", "+", "-"]) + (random.oneIn(8) ? "00" : "") + String(number)
    }

    private func finite(_ bits: UInt64) -> Double {
        let number = Double(bitPattern: bits)
        return number.isFinite ? number : Double(bitPattern: bits & ~(1 << 62))
    }

    /// All the digits of the middle of two doubles, and a last one more or less: where rounding is hard.
    private mutating func halfWay() -> String {
        let exponent = 40 + random.below(24)
        let whole = (UInt64(1) << 53 | random.next() >> 11) &>> UInt64(random.below(3))
        // An odd number of 54 bits and more, with zeros behind it, is halfway between two doubles.
        let (middle, isTooLarge) = UInt64(whole << 1 | 1).multipliedReportingOverflow(by: 1 << UInt64(exponent % 9))
        let tail = random.pick(["", ".0", ".000000000000000000000000000000000001", ".00000000000000000000", ".5"])
        return String(isTooLarge ? whole : middle) + tail
    }

    // MARK: Damage

    /// One byte taken away, put in, or changed; or the text cut off.
    private mutating func damage() {
        let place = random.below(text.count)
        let byte =
            random.oneIn(3)
            ? UInt8(truncatingIfNeeded: random.next()) : random.pick(Array("\"\\{}[],:0123456789.eE+-ntfu \n/'".utf8))
        switch random.below(4) {
        case 0 where !text.isEmpty: text.remove(at: place)
        case 1: text.insert(byte, at: place)
        case 2 where !text.isEmpty: text[place] = byte
        default: text.removeSubrange(place...)
        }
    }
}

import MQTT

/// Writes scalars of YAML so that they are read back as they were.
enum YAMLText {
    /// A scalar that may stand anywhere, also inside `{ }` and `[ ]`.
    static func scalar(_ text: String) -> String {
        if isPlain(text) { return text }
        if text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value < 0x7F }) { return "'" + text.replacing("'", with: "''") + "'" }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default:
                // Printable and of one width in every editor: as it is. The rest by its number.
                if scalar.value >= 0x20 && scalar.value < 0x7F
                    || (scalar.properties.isAlphabetic || scalar == "°" || scalar == "µ") && scalar.value < 0x2000
                {
                    quoted.unicodeScalars.append(scalar)
                } else {
                    quoted += escape(scalar.value)
                }
            }
        }
        return quoted + "\""
    }

    private static func escape(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        func padded(_ count: Int) -> String { String(repeating: "0", count: max(0, count - digits.count)) + digits }
        return value <= 0xFF ? "\\x" + padded(2) : value <= 0xFFFF ? "\\u" + padded(4) : "\\U" + padded(8)
    }

    /// A text that no reader takes for anything else.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 200, text != "null", text != "~", text != "Null", text != "NULL" else {
            return false
        }
        let isLetter = { (byte: UInt8) in (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") }
        guard isLetter(first) || first == UInt8(ascii: "$") || (first == UInt8(ascii: "-") && text.utf8.count > 1) else { return false }
        if first == UInt8(ascii: "-"), text.utf8.dropFirst().first.map({ !(0x30...0x39).contains($0) }) ?? true { return false }
        let more: Set<UInt8> = Set("$-./@*+()%".utf8)
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where !isLetter(byte) && !more.contains(byte) {
            // A colon inside a word, a space between words.
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0x20
            guard byte == UInt8(ascii: ":") || byte == 0x20, isLetter(next) else { return false }
        }
        return true
    }

    /// The words of a comment: on one line, and with nothing in them that is not seen.
    static func comment(_ text: String) -> String { ForeignText(text.utf8, maximumCharacters: 2000).description }

    /// A name of a path, quoted where the path's own grammar asks for it.
    static func segment(_ name: String) -> String? {
        let isBare =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: "-") || byte >= 0x80
            }
        if isBare { return name }
        return name.contains("\"") ? nil : "\"\(name)\""
    }

    /// `root.a.b`; nil where a name cannot be written.
    static func path(_ root: String, _ names: [String]) -> String? {
        var text = root
        for name in names {
            guard let segment = segment(name) else { return nil }
            text += "." + segment
        }
        return text
    }
}

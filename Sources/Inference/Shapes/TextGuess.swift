import Payload

/// What a text looks like.
enum TextGuess {
    /// A number as the numeric columns take it: no `+`, no empty text.
    static func isNumber(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first), text.utf8.count <= 40 else {
            return false
        }
        return DecimalNumber(String(text)) != nil
    }

    /// `12,5`
    static func isDecimalCommaNumber(_ text: some StringProtocol) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, parts[1].allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        let whole = parts[0].first == UInt8(ascii: "-") ? parts[0].dropFirst() : parts[0]
        return !whole.isEmpty && whole.count <= 15 && whole.allSatisfy { (0x30...0x39).contains($0) }
    }

    static func isWhole(_ number: some StringProtocol) -> Bool {
        let digits = number.utf8.first == UInt8(ascii: "-") ? number.utf8.dropFirst() : number.utf8[...]
        return !digits.isEmpty && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Bare or signed nan and infinities, as firmware prints them.
    static func isNaN(_ text: some StringProtocol) -> Bool { ["nan", "-nan", "inf", "-inf"].contains(text.lowercased()) }

    /// Pairs of words that say yes and no; PostgreSQL reads each of them as a boolean.
    static let booleanWords: [(yes: String, no: String)] = [("on", "off"), ("true", "false"), ("yes", "no")]

    /// The pair that a text is of; its place in `booleanWords`.
    static func booleanPair(_ text: some StringProtocol) -> Int? {
        guard text.utf8.count <= 5 else { return nil }
        let word = text.lowercased()
        return booleanWords.firstIndex { $0.yes == word || $0.no == word }
    }

    /// 8-4-4-4-12 hexadecimal digits.
    static func isUUID(_ text: some StringProtocol) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy(isHexDigit) }
    }

    /// Six pairs of hexadecimal digits with `:` or `-` between.
    static func isMAC(_ text: some StringProtocol) -> Bool {
        guard text.utf8.count == 17 else { return false }
        let parts = text.utf8.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "-") }
        return parts.count == 6 && parts.allSatisfy { $0.count == 2 && $0.allSatisfy(isHexDigit) }
    }

    /// At least six hexadecimal digits, letters and digits of 0 to 9 both among them.
    static func isHexID(_ text: some StringProtocol) -> Bool {
        guard text.utf8.count >= 6, text.utf8.allSatisfy(isHexDigit) else { return false }
        let decimals = text.utf8.filter { (0x30...0x39).contains($0) }.count
        return decimals > 0 && (decimals < text.utf8.count || decimals >= 10)
    }

    static func isDigits(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    static func isHexDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20) }
}

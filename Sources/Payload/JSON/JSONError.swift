/// Why a text is not JSON (RFC 8259), and at which byte.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What can be met.
    public enum Reason: Hashable, Sendable {
        case unexpectedEnd
        /// A byte that cannot stand here, and what could.
        case unexpected(UInt8, Expectation)
        case byteOrderMark
        /// A byte other than white space after the value.
        case trailing(UInt8)
        case tooDeep(levels: UInt16)
        case leadingZero
        /// Bare nan or infinity where the options do not allow it.
        case bareNaN
        case bareInfinity
        /// An unescaped control character inside a string.
        case controlCharacter(UInt8)
        case invalidUTF8
        case invalidEscape
        /// Half of a UTF-16 pair, written `\uXXXX`, without its other half.
        case loneSurrogate(UInt16)
        /// 4 GiB or more.
        case tooLong
    }

    /// What could have stood at the place of an unexpected byte.
    public enum Expectation: UInt8, Hashable, Sendable {
        case value
        case name
        case nameOrEnd
        case colon
        case commaOrBrace
        case commaOrBracket
        case digit

        var words: String {
            switch self {
            case .value: "a value"
            case .name: "a member's name in quotes"
            case .nameOrEnd: "a member's name in quotes or '}'"
            case .colon: "':'"
            case .commaOrBrace: "',' or '}'"
            case .commaOrBracket: "',' or ']'"
            case .digit: "a digit"
            }
        }
    }

    /// What was met.
    public var reason: Reason
    /// Where, counted from the first byte of the text, from 0.
    public var byteOffset: Int

    /// An error of that reason at that byte.
    public init(_ reason: Reason, byteOffset: Int) {
        self.reason = reason
        self.byteOffset = byteOffset
    }

    /// What was met and where, on one line; foreign bytes appear as printable ASCII or as hexadecimal.
    public var description: String { "\(words) at byte \(byteOffset)" }

    private var words: String {
        switch reason {
        case .unexpectedEnd: "unexpected end of the text"
        case .unexpected(let byte, let expectation): "\(Self.name(byte)) instead of \(expectation.words)"
        case .byteOrderMark: "a byte order mark, which JSON does not allow,"
        case .trailing(let byte): "\(Self.name(byte)) after the end of the value"
        case .tooDeep(let levels): "nested deeper than \(levels) levels"
        case .leadingZero: "a number with a leading zero"
        case .bareNaN: "bare nan is not JSON (set json: {allow_nan: true})"
        case .bareInfinity: "bare infinity is not JSON (set json: {allow_nan: true})"
        case .controlCharacter(let byte): "an unescaped control character \(Self.name(byte)) in a string"
        case .invalidUTF8: "bytes that are not UTF-8"
        case .invalidEscape: "an invalid escape in a string"
        case .loneSurrogate(let unit): "a lone surrogate \\u\(Self.hexadecimal(UInt64(unit), digits: 4))"
        case .tooLong: "a text of 4 GiB or more"
        }
    }

    private static func name(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "0x\(hexadecimal(UInt64(byte), digits: 2))"
    }

    private static func hexadecimal(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

import Payload

/// How a payload is to be decoded, as far as one topic's messages show it.
struct PayloadForm: Hashable, Sendable {
    enum Family: Hashable, Sendable {
        /// An object a message, of JSON or of what else gives objects (`decoder`).
        case object
        /// A JSON array.
        case list
        /// Newline-delimited JSON.
        case lines
        /// One value: a number, on or off, a word.
        case scalar
        case csv(CSVForm)
        case binary
        /// Nothing that fits all messages; UTF-8 all the same, or not.
        case mixed(isText: Bool)
    }

    var family: Family
    /// Steps before the decoder.
    var unpack: [String] = []
    /// `json`, `msgpack` or `cbor`: what gives objects and lists.
    var decoder = "json"
    var allowsNaN = false

    /// Whether one mapping can read both.
    func fits(_ other: PayloadForm) -> Bool { family == other.family && unpack == other.unpack && decoder == other.decoder }
}

/// The first look at a payload, before its neighbours are asked.
enum PayloadLook: Equatable {
    case empty
    case document(SampleValue, decoder: String, allowsNaN: Bool)
    case lines([SampleValue])
    case text(String)
    case bytes

    init(_ payload: [UInt8], _ opener: PayloadOpener) {
        guard let first = payload.first else {
            self = .empty
            return
        }
        if let value = SampleValue(json: payload) {
            self = .document(value, decoder: "json", allowsNaN: false)
        } else if let lines = SampleValue.lines(of: payload) {
            self = .lines(lines)
        } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), let value = SampleValue(json: payload, allowsNaN: true) {
            self = .document(value, decoder: "json", allowsNaN: true)
        } else if let text = String(validating: payload, as: UTF8.self), !Self.hasControls(payload) {
            self = .text(text)
        } else if let (value, decoder) = Self.tree(payload, opener) {
            self = .document(value, decoder: decoder, allowsNaN: false)
        } else {
            self = .bytes
        }
    }

    private static func hasControls(_ payload: [UInt8]) -> Bool {
        payload.contains { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D || $0 == 0x7F }
    }

    /// A map of MessagePack or CBOR; the first byte says which it could be.
    private static func tree(_ payload: [UInt8], _ opener: PayloadOpener) -> (SampleValue, String)? {
        let decoder: String
        switch payload.first ?? 0 {
        case 0x80...0x9F, 0xDC...0xDF: decoder = "msgpack"
        case 0xA0...0xBF, 0xD9: decoder = "cbor"
        default: return nil
        }
        guard let value = opener.document(payload, decode: decoder), !value.members.isEmpty || value.items.count > 1 else { return nil }
        return (value, decoder)
    }
}

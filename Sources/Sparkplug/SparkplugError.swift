/// Why a payload is no Sparkplug B payload, or cannot be read without a guess.
public enum SparkplugError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A field, or the number that says what it is, reaches beyond its end.
    case truncated(offset: Int)
    /// A number of more than ten bytes.
    case longNumber(offset: Int)
    /// Groups and wire types that Protocol Buffers does not have.
    case wireType(UInt8, offset: Int)
    /// Field number 0.
    case fieldNumber(offset: Int)
    /// A field of the schema that is encoded as something else.
    case fieldEncoding(String)
    case notUTF8(String)
    /// Templates or property sets within each other.
    case tooDeep(levels: Int)
    /// The document would be larger.
    case tooLarge(bytes: Int)
    case nameless(metric: Int)
    case unknownDatatype(String, UInt32)
    /// Without a datatype a whole number may or may not be signed, and bytes may be anything.
    case noDatatype(String, Doubt)
    /// A value that its datatype does not have.
    case wrongValue(String, Datatype)
    /// Names and values, or columns, types and cells, that are not as many as each other.
    case uneven(String)
    case unknownAlias(UInt64, of: String, Doubt)
    case tooManyBirths(String)
    /// A birth certificate gives one alias to two metrics.
    case aliasTwice(UInt64)
    /// On spBv1.0/STATE/…
    case stateMessage

    public var description: String {
        switch self {
        case .truncated(let offset): "the payload ends within the field at byte \(offset)"
        case .longNumber(let offset): "the number at byte \(offset) is too long"
        case .wireType(let type, let offset): "wire type \(type) at byte \(offset) is not one of Sparkplug B"
        case .fieldNumber(let offset): "a field without a number at byte \(offset)"
        case .fieldEncoding(let name): "\(name) is not encoded as Sparkplug B has it"
        case .notUTF8(let name): "\(name) is not valid UTF-8"
        case .tooDeep(let levels): "templates or property sets lie more than \(levels) levels deep"
        case .tooLarge(let bytes): "the payload makes more than \(bytes) bytes of text"
        case .nameless(let index): "metric \(index) has neither a name nor an alias"
        case .unknownDatatype(let name, let number): "\(name): there is no datatype \(number)"
        case .noDatatype(let name, let doubt): "\(name) comes without its datatype: \(doubt)"
        case .wrongValue(let name, let datatype): "\(name): the value is not one of datatype \(datatype.name)"
        case .uneven(let name): "\(name)"
        case .unknownAlias(let alias, let place, let doubt): "alias \(alias) of \(place) is not known: \(doubt)"
        case .tooManyBirths(let reason): "the birth certificate is not kept: \(reason)"
        case .aliasTwice(let alias): "the birth certificate gives alias \(alias) to two metrics"
        case .stateMessage: "STATE messages are JSON: take them with a mapping of their own (decode: json)"
        }
    }

    /// Whether a birth certificate would help.
    public var asksForBirth: Bool {
        switch self {
        case .noDatatype, .unknownAlias: true
        default: false
        }
    }
}

/// Why a birth certificate cannot be used, or does not help.
public enum Doubt: Hashable, Sendable, CustomStringConvertible {
    /// The topic is not that of an edge node's message.
    case noNode
    case noBirth
    /// Sequence numbers are missing.
    case gap
    /// Not all messages of the node are seen, and the connection to the broker was lost since its birth.
    case interruption
    /// Of dead letters: no birth is stored, or only one of a later time that may define something else.
    case notStored
    case laterBirth
    /// The one that was in doubt when the message came.
    case earlierBirth
    /// There is a birth certificate that is certain.
    case notInBirth

    public var description: String {
        switch self {
        case .noNode: "the topic is not spBv1.0/{group}/{type}/{node}"
        case .noBirth: "no birth certificate was seen"
        case .gap: "messages are missing since the birth certificate, and another one may be among them"
        case .interruption: "the connection was lost since the birth certificate, and another one may have been missed"
        case .notStored: "no birth certificate is stored"
        case .laterBirth: "the birth certificate that is stored is a later one"
        case .earlierBirth: "the birth certificate that is stored came before, and none has come since that would make it certain"
        case .notInBirth: "the birth certificate does not have it"
        }
    }
}

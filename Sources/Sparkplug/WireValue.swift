/// What stands in a `value` of the schema: one of several fields, the last one that comes.
enum WireValue {
    case none
    case int(UInt32)
    case long(UInt64)
    case float(Float)
    case double(Double)
    case boolean(Bool)
    case string(UnsafeRawBufferPointer)
    case bytes(UnsafeRawBufferPointer)
    case dataSet(UnsafeRawBufferPointer)
    case template(UnsafeRawBufferPointer)
    case propertySet(UnsafeRawBufferPointer)
    case propertySetList(UnsafeRawBufferPointer)
    /// Somebody's own.
    case `extension`

    var isNone: Bool { if case .none = self { true } else { false } }

    /// The six kinds that metrics, parameters, properties and cells share, in the order of their field numbers.
    /// - Parameter first: the field number of the first of them.
    init?(_ field: ProtobufReader.Field, first: UInt32, _ name: @autoclosure () -> String) throws(SparkplugError) {
        guard field.number >= first, field.number < first + 6 else { return nil }
        switch field.number - first {
        case 0: self = .int(UInt32(truncatingIfNeeded: try field.number(name())))
        case 1: self = .long(try field.number(name()))
        case 2:
            guard case .fixed32(let bits) = field.content else { throw .fieldEncoding(name()) }
            self = .float(Float(bitPattern: bits))
        case 3:
            guard case .fixed64(let bits) = field.content else { throw .fieldEncoding(name()) }
            self = .double(Double(bitPattern: bits))
        case 4: self = .boolean(try field.flag(name()))
        default: self = .string(try field.bytes(name()))
        }
    }
}

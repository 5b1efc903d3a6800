import Payload

/// Single values, each as its datatype has it (Sparkplug 3.0.0 §6.4.16): the wire does not tell signed from unsigned.
extension DocumentWriter {
    /// - Parameters:
    ///   - datatype: nil where nothing says it. Then only kinds that can be but one thing are taken.
    ///   - name: of what has the value, for words about it.
    mutating func write(_ value: WireValue, as datatype: Datatype?, _ name: @autoclosure () -> String) throws(SparkplugError) {
        guard let datatype else { return try writeUntyped(value, name()) }
        switch (datatype, value) {
        case (.int8, .int), (.int8, .long): try writeSigned(value, bits: 8, datatype, name())
        case (.int16, .int), (.int16, .long): try writeSigned(value, bits: 16, datatype, name())
        case (.int32, .int), (.int32, .long): try writeSigned(value, bits: 32, datatype, name())
        case (.int64, .long(let number)): try output.append(Int64(bitPattern: number))
        case (.int64, .int(let number)): try output.append(UInt64(number))
        case (.uint8, .int), (.uint8, .long): try writeUnsigned(value, bits: 8, datatype, name())
        case (.uint16, .int), (.uint16, .long): try writeUnsigned(value, bits: 16, datatype, name())
        case (.uint32, .int), (.uint32, .long): try writeUnsigned(value, bits: 32, datatype, name())
        case (.uint64, .long(let number)), (.dateTime, .long(let number)): try output.append(number)
        case (.uint64, .int(let number)), (.dateTime, .int(let number)): try output.append(UInt64(number))
        case (.float, .float(let number)), (.double, .float(let number)): try output.append(Double(number))
        case (.float, .double(let number)), (.double, .double(let number)): try output.append(number)
        case (.boolean, .boolean(let isTrue)): try output.append(isTrue)
        case (.string, .string(let text)), (.text, .string(let text)), (.uuid, .string(let text)): try writeText(text, name())
        case (.bytes, .bytes(let bytes)), (.file, .bytes(let bytes)): try output.append(base64: bytes)
        case (.dataSet, .dataSet(let bytes)): try writeDataSet(bytes, name())
        case (.template, .template(let bytes)): try writeTemplate(bytes, name())
        case (.propertySet, .propertySet(let bytes)): try writePropertySet(bytes, name())
        case (.propertySetList, .propertySetList(let bytes)): try writePropertySetList(bytes, name())
        case (_, .bytes(let bytes)) where datatype.rawValue >= Datatype.int8Array.rawValue:
            try writeArray(bytes, as: datatype, name())
        default: throw .wrongValue(name(), datatype)
        }
    }

    private mutating func writeUntyped(_ value: WireValue, _ name: @autoclosure () -> String) throws(SparkplugError) {
        switch value {
        case .float(let number): try output.append(Double(number))
        case .double(let number): try output.append(number)
        case .boolean(let isTrue): try output.append(isTrue)
        case .string(let text): try writeText(text, name())
        case .dataSet(let bytes): try writeDataSet(bytes, name())
        case .template(let bytes): try writeTemplate(bytes, name())
        case .propertySet(let bytes): try writePropertySet(bytes, name())
        case .propertySetList(let bytes): try writePropertySetList(bytes, name())
        case .none, .extension: try output.append("null")
        case .int, .long, .bytes: throw .noDatatype(name(), doubt)
        }
    }

    /// Negative numbers come as two's complement, filled up to the field's 32 or 64 bits by some encoders and cut to the datatype's own by others.
    private mutating func writeSigned(
        _ value: WireValue, bits: UInt64, _ datatype: Datatype, _ name: @autoclosure () -> String
    ) throws(SparkplugError) {
        let carried: UInt64
        switch value {
        case .int(let number): carried = UInt64(number)
        case .long(let number): carried = number
        default: throw .wrongValue(name(), datatype)
        }
        let limit = Int64(1) << Int64(bits - 1)
        let number: Int64
        if carried >> bits == 0 {
            number = Int64(bitPattern: carried << (64 - bits)) >> Int64(64 - bits)
        } else if carried >> 32 == 0 {
            number = Int64(Int32(truncatingIfNeeded: carried))
        } else {
            number = Int64(bitPattern: carried)
        }
        guard number >= -limit, number < limit else { throw .wrongValue(name(), datatype) }
        try output.append(number)
    }

    private mutating func writeUnsigned(
        _ value: WireValue, bits: UInt64, _ datatype: Datatype, _ name: @autoclosure () -> String
    ) throws(SparkplugError) {
        let number: UInt64
        switch value {
        case .int(let carried): number = UInt64(carried)
        case .long(let carried): number = carried
        default: throw .wrongValue(name(), datatype)
        }
        guard number >> bits == 0 else { throw .wrongValue(name(), datatype) }
        try output.append(number)
    }

    mutating func writeText(_ text: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        guard UTF8Text.isValid(text) else { throw .notUTF8(name()) }
        try output.append(quoted: text)
    }
}

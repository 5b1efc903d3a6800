import Payload

/// Properties (Sparkplug 3.0.0 §6.4.8, §6.4.9): an object with a member for each key; lists of sets are arrays of such objects.
extension DocumentWriter {
    mutating func writePropertySet(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        try descend()
        try output.append(byte: UInt8(ascii: "{"))
        // Keys and values stand in two lists; both are walked side by side.
        var keys = ProtobufReader(bytes)
        var values = ProtobufReader(bytes)
        var isFirst = true
        while true {
            let key = try Self.next(1, of: &keys)
            let value = try Self.next(2, of: &values)
            guard key != nil || value != nil else { break }
            guard let key, let value else { throw .uneven("\(name()): a property set has not as many keys as values") }
            if !isFirst { try output.append(byte: UInt8(ascii: ",")) }
            isFirst = false
            try writeText(key, "\(name()): a property's key")
            try output.append(byte: UInt8(ascii: ":"))
            try writeProperty(value, "\(name()): property '\(String(decoding: key, as: UTF8.self))'")
        }
        try output.append(byte: UInt8(ascii: "}"))
        depth -= 1
    }

    mutating func writePropertySetList(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        try descend()
        try writeList(bytes, field: 1) { writer, set throws(SparkplugError) in try writer.writePropertySet(set, name()) }
        depth -= 1
    }

    private static func next(_ number: UInt32, of reader: inout ProtobufReader) throws(SparkplugError) -> UnsafeRawBufferPointer? {
        while let field = try reader.next() {
            if field.number == number { return try field.bytes(number == 1 ? "a property's key" : "a property") }
        }
        return nil
    }

    private mutating func writeProperty(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        var type: UInt32?
        var isNull = false
        var value = WireValue.none
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: type = UInt32(truncatingIfNeeded: try field.number("a property's type"))
            case 2: isNull = try field.flag("a property's is_null")
            case 9: value = .propertySet(try field.bytes("a property's set"))
            case 10: value = .propertySetList(try field.bytes("a property's sets"))
            case 11: value = .extension
            default:
                if let scalar = try WireValue(field, first: 3, "a property's value") { value = scalar }
            }
        }
        switch value {
        case .none, .extension: try output.append("null")
        case _ where isNull: try output.append("null")
        default: try write(value, as: try Self.datatype(type, name()), name())
        }
    }
}

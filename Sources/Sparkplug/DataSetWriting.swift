import Payload

/// DataSets (Sparkplug 3.0.0 §6.4.10): `{"columns": […], "types": […], "rows": [[…], …]}`.
extension DocumentWriter {
    mutating func writeDataSet(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        var types: [Datatype] = []
        var columnCount = 0
        try output.append("{\"columns\":[")
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 2:
                if columnCount > 0 { try output.append(byte: UInt8(ascii: ",")) }
                try writeText(try field.bytes("a column's name"), "\(name()): a column's name")
                columnCount += 1
            case 3: try Self.appendTypes(field, to: &types, name())
            default: continue
            }
        }
        guard types.count == columnCount else {
            throw .uneven("\(name()): the data set has \(columnCount) columns and \(types.count) types")
        }
        try output.append("],\"types\":[")
        for (index, type) in types.enumerated() {
            if index > 0 { try output.append(byte: UInt8(ascii: ",")) }
            try writeQuoted(type.text)
        }
        try output.append("],\"rows\":[")
        try writeRows(bytes, types, name())
        try output.append("]}")
    }

    /// Numbers one by one, or packed into one field: readers take both.
    private static func appendTypes(
        _ field: ProtobufReader.Field, to types: inout [Datatype], _ name: @autoclosure () -> String
    ) throws(SparkplugError) {
        func append(_ number: UInt64) throws(SparkplugError) {
            let number = UInt32(truncatingIfNeeded: number)
            guard let type = Datatype(number) else { throw .unknownDatatype(name(), number) }
            types.append(type)
        }
        guard case .bytes(let packed) = field.content else { return try append(try field.number("a column's type")) }
        var reader = ProtobufReader(packed)
        while !reader.isAtEnd { try append(try reader.varint()) }
    }

    private mutating func writeRows(
        _ bytes: UnsafeRawBufferPointer, _ types: [Datatype], _ name: @autoclosure () -> String
    ) throws(SparkplugError) {
        var isFirst = true
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            guard field.number == 4 else { continue }
            if !isFirst { try output.append(byte: UInt8(ascii: ",")) }
            isFirst = false
            try output.append(byte: UInt8(ascii: "["))
            var count = 0
            var cells = ProtobufReader(try field.bytes("a row"))
            while let cell = try cells.next() {
                guard cell.number == 1 else { continue }
                guard count < types.count else { throw .uneven("\(name()): a row has more cells than there are columns") }
                if count > 0 { try output.append(byte: UInt8(ascii: ",")) }
                try writeCell(try cell.bytes("a cell"), types[count], name())
                count += 1
            }
            guard count == types.count else { throw .uneven("\(name()): a row has \(count) cells, and there are \(types.count) columns") }
            try output.append(byte: UInt8(ascii: "]"))
        }
    }

    private mutating func writeCell(
        _ bytes: UnsafeRawBufferPointer, _ type: Datatype, _ name: @autoclosure () -> String
    ) throws(SparkplugError) {
        var value = WireValue.none
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            if let scalar = try WireValue(field, first: 1, "a cell's value") {
                value = scalar
            } else if field.number == 7 {
                value = .extension
            }
        }
        // A cell without a value is how encoders write null.
        switch value {
        case .none, .extension: try output.append("null")
        default: try write(value, as: type, "\(name()): a cell")
        }
    }
}

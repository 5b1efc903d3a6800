import Payload

/// Templates (Sparkplug 3.0.0 §6.4.13): `{"version", "template_ref", "is_definition", "parameters": […], "metrics": […]}`.
extension DocumentWriter {
    mutating func writeTemplate(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        try descend()
        let outer = members
        members = 0
        try output.append(byte: UInt8(ascii: "{"))
        var metrics = 0
        var parameters = 0
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1:
                try member("version")
                try writeText(try field.bytes("a template's version"), "\(name()): the template's version")
            case 2: metrics += 1
            case 3: parameters += 1
            case 4:
                try member("template_ref")
                try writeText(try field.bytes("template_ref"), "\(name()): template_ref")
            case 5:
                try member("is_definition")
                try output.append(try field.flag("is_definition"))
            default: continue
            }
        }
        if parameters > 0 {
            try member("parameters")
            try writeList(bytes, field: 3) { writer, parameter throws(SparkplugError) in try writer.writeParameter(parameter, name()) }
        }
        if metrics > 0 {
            try member("metrics")
            var index = 0
            try writeList(bytes, field: 2) { writer, metric throws(SparkplugError) in
                try writer.writeMetric(metric, index: index, isMember: true)
                index += 1
            }
        }
        try output.append(byte: UInt8(ascii: "}"))
        members = outer
        depth -= 1
    }

    private mutating func writeParameter(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        var own = UnsafeRawBufferPointer(start: nil, count: 0)
        var type: UInt32?
        var value = WireValue.none
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: own = try field.bytes("a parameter's name")
            case 2: type = UInt32(truncatingIfNeeded: try field.number("a parameter's type"))
            case 9: value = .extension
            default:
                if let scalar = try WireValue(field, first: 3, "a parameter's value") { value = scalar }
            }
        }
        members = 0
        try output.append(byte: UInt8(ascii: "{"))
        try member("name")
        try writeText(own, "\(name()): a parameter's name")
        let datatype = try Self.datatype(type, name())
        if let datatype {
            try member("datatype")
            try writeQuoted(datatype.text)
        }
        try member("value")
        switch value {
        case .none, .extension: try output.append("null")
        default: try write(value, as: datatype, "\(name()): parameter '\(String(decoding: own, as: UTF8.self))'")
        }
        try output.append(byte: UInt8(ascii: "}"))
    }

    /// `[…]` of one repeated field.
    mutating func writeList(
        _ bytes: UnsafeRawBufferPointer, field number: UInt32,
        _ write: (inout DocumentWriter, UnsafeRawBufferPointer) throws(SparkplugError) -> Void
    ) throws(SparkplugError) {
        let outer = members
        try output.append(byte: UInt8(ascii: "["))
        var isFirst = true
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            guard field.number == number else { continue }
            if !isFirst { try output.append(byte: UInt8(ascii: ",")) }
            isFirst = false
            try write(&self, try field.bytes("a repeated field"))
        }
        try output.append(byte: UInt8(ascii: "]"))
        members = outer
    }
}

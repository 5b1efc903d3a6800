import Payload

/// Writes a Sparkplug B payload as JSON text, in one walk over its bytes.
///
/// The text is `{"timestamp", "seq", "uuid", "seq_gap", "metrics": [{"name", "alias", "timestamp", "datatype", "value", "is_null", "is_historical",
/// "is_transient", "metadata", "properties"}], "body"}`; what a payload does not have is left out, but for `metrics`. Times are milliseconds since 1970.
struct DocumentWriter: ~Copyable {
    /// Templates and property sets within each other. Each level makes three of JSON.
    static let depthMaximum = 16

    var output: JSONOutput
    /// What aliases stand for, and the datatypes that data leaves out.
    var births: BirthTable?
    /// Why `births` is nil, or what it means that it does not have a metric.
    var doubt = Doubt.noBirth
    /// Whose metrics they are, for words about them.
    var topic: SparkplugTopic?
    /// Written so far of the object at hand.
    var members = 0
    var depth = 0

    init(maximumBytes: Int) { output = JSONOutput(maximumBytes: maximumBytes) }

    /// - Parameter header: of the same payload.
    mutating func write(_ payload: UnsafeRawBufferPointer, _ header: PayloadHeader, hasGap: Bool) throws(SparkplugError) {
        output.removeAll()
        members = 0
        depth = 0
        try output.append(byte: UInt8(ascii: "{"))
        if let timestamp = header.timestamp { try member("timestamp", timestamp) }
        if let seq = header.seq { try member("seq", seq) }
        if hasGap { try member("seq_gap", true) }
        if let uuid = header.uuid {
            try member("uuid")
            try writeText(uuid, "uuid")
        }
        try member("metrics")
        var index = 0
        try writeList(payload, field: 2) { writer, metric throws(SparkplugError) in
            try writer.writeMetric(metric, index: index, isMember: false)
            index += 1
        }
        if let body = header.body {
            try member("body")
            try output.append(base64: body)
        }
        try output.append(byte: UInt8(ascii: "}"))
    }

    /// - Parameter isMember: of a template, whose metrics have names and no aliases of their own.
    mutating func writeMetric(_ bytes: UnsafeRawBufferPointer, index: Int, isMember: Bool) throws(SparkplugError) {
        let metric = try MetricFields(bytes)
        var name = metric.name
        var number = metric.datatype
        // Held here: the name may lie in it.
        let births = births
        if !isMember {
            if name.isEmpty {
                guard let alias = metric.alias else { throw .nameless(metric: index) }
                guard let definition = births?.metric(alias: alias) else {
                    throw .unknownAlias(alias, of: topic?.place ?? "the payload", doubt)
                }
                name = definition.name
                number = number ?? definition.datatype
            } else if number == nil {
                number = births?.metric(named: name)?.datatype
            }
        }
        func named() -> String { "metric '\(String(decoding: name.prefix(200), as: UTF8.self))'" }
        let datatype = try Self.datatype(number, named())
        members = 0
        try output.append(byte: UInt8(ascii: "{"))
        try member("name")
        try writeText(name, "a metric's name")
        if let alias = metric.alias { try member("alias", alias) }
        if let timestamp = metric.timestamp { try member("timestamp", timestamp) }
        if let datatype {
            try member("datatype")
            try writeQuoted(datatype.text)
        }
        if metric.isNull == true {
            try member("value")
            try output.append("null")
        } else if !metric.value.isNone {
            try member("value")
            let outer = members
            try write(metric.value, as: datatype, named())
            members = outer
        }
        if let flag = metric.isNull { try member("is_null", flag) }
        if let flag = metric.isHistorical { try member("is_historical", flag) }
        if let flag = metric.isTransient { try member("is_transient", flag) }
        if let metadata = metric.metadata {
            try member("metadata")
            try writeMetadata(metadata, named())
        }
        if let properties = metric.properties {
            try member("properties")
            try writePropertySet(properties, named())
        }
        try output.append(byte: UInt8(ascii: "}"))
        withExtendedLifetime(births) {}
    }

    /// Of bytes, files and parts of them (Sparkplug 3.0.0 §6.4.7).
    private mutating func writeMetadata(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws(SparkplugError) {
        let outer = members
        members = 0
        try output.append(byte: UInt8(ascii: "{"))
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            let key: StaticString
            switch field.number {
            case 1:
                try member("is_multi_part", try field.flag("is_multi_part"))
                continue
            case 3:
                try member("size", try field.number("a metadata's size"))
                continue
            case 4:
                try member("seq", try field.number("a metadata's seq"))
                continue
            case 2: key = "content_type"
            case 5: key = "file_name"
            case 6: key = "file_type"
            case 7: key = "md5"
            case 8: key = "description"
            default: continue
            }
            try member(key)
            try writeText(try field.bytes("metadata"), "\(name()): metadata")
        }
        try output.append(byte: UInt8(ascii: "}"))
        members = outer
    }

    // MARK: Parts

    static func datatype(_ number: UInt32?, _ name: @autoclosure () -> String) throws(SparkplugError) -> Datatype? {
        guard let number, number != 0 else { return nil }
        guard let datatype = Datatype(number) else { throw .unknownDatatype(name(), number) }
        return datatype
    }

    mutating func member(_ key: StaticString) throws(SparkplugError) {
        if members > 0 { try output.append(byte: UInt8(ascii: ",")) }
        members += 1
        try writeQuoted(key)
        try output.append(byte: UInt8(ascii: ":"))
    }

    private mutating func member(_ key: StaticString, _ number: UInt64) throws(SparkplugError) {
        try member(key)
        try output.append(number)
    }

    private mutating func member(_ key: StaticString, _ flag: Bool) throws(SparkplugError) {
        try member(key)
        try output.append(flag)
    }

    mutating func writeQuoted(_ plain: StaticString) throws(SparkplugError) {
        try output.append(byte: UInt8(ascii: "\""))
        try output.append(plain)
        try output.append(byte: UInt8(ascii: "\""))
    }

    mutating func descend() throws(SparkplugError) {
        guard depth < Self.depthMaximum else { throw .tooDeep(levels: Self.depthMaximum) }
        depth += 1
    }
}

extension Datatype {
    init?(_ number: UInt32) {
        guard let number = UInt8(exactly: number) else { return nil }
        self.init(rawValue: number)
    }
}

/// The fields of one metric (Sparkplug 3.0.0 §6.4.6), found in one pass and not yet written: what a value is may come after it.
struct MetricFields {
    /// Empty and nil are the same: a name of no length names nothing.
    var name = UnsafeRawBufferPointer(start: nil, count: 0)
    var alias: UInt64?
    var timestamp: UInt64?
    var datatype: UInt32?
    var isHistorical: Bool?
    var isTransient: Bool?
    var isNull: Bool?
    var metadata: UnsafeRawBufferPointer?
    var properties: UnsafeRawBufferPointer?
    var value = WireValue.none

    init(_ bytes: UnsafeRawBufferPointer) throws(SparkplugError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try field.bytes("a metric's name")
            case 2: alias = try field.number("a metric's alias")
            case 3: timestamp = try field.number("a metric's timestamp")
            case 4: datatype = UInt32(truncatingIfNeeded: try field.number("a metric's datatype"))
            case 5: isHistorical = try field.flag("is_historical")
            case 6: isTransient = try field.flag("is_transient")
            case 7: isNull = try field.flag("is_null")
            case 8: metadata = try field.bytes("a metric's metadata")
            case 9: properties = try field.bytes("a metric's properties")
            case 16: value = .bytes(try field.bytes("a metric's bytes_value"))
            case 17: value = .dataSet(try field.bytes("a metric's dataset_value"))
            case 18: value = .template(try field.bytes("a metric's template_value"))
            case 19: value = .extension
            default:
                if let scalar = try WireValue(field, first: 10, "a metric's value") { value = scalar }
            }
        }
    }
}

/// What a payload says beside its metrics (Sparkplug 3.0.0 §6.4.5), and the number by which a birth and a death belong together.
struct PayloadHeader {
    var timestamp: UInt64?
    var seq: UInt64?
    var uuid: UnsafeRawBufferPointer?
    var body: UnsafeRawBufferPointer?
    /// The metric `bdSeq` of births and deaths of a node; read only where asked.
    var bdSeq: UInt64?

    init(_ payload: UnsafeRawBufferPointer, readingBdSeq: Bool = false) throws(SparkplugError) {
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            switch field.number {
            case 1: timestamp = try field.number("timestamp")
            case 2:
                let bytes = try field.bytes("a metric")
                guard readingBdSeq, bdSeq == nil else { continue }
                let metric = try MetricFields(bytes)
                guard metric.name.elementsEqual("bdSeq".utf8) else { continue }
                switch metric.value {
                case .int(let number): bdSeq = UInt64(number)
                case .long(let number): bdSeq = number
                default: continue
                }
            case 3: seq = try field.number("seq")
            case 4: uuid = try field.bytes("uuid")
            case 5: body = try field.bytes("body")
            default: continue
            }
        }
    }
}

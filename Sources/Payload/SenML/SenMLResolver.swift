/// Carries the base fields of a pack from record to record, and writes the records resolved (RFC 8428 §4.6).
struct SenMLResolver {
    private let isCBOR: Bool
    private let received: DecimalNumber
    private var baseName = Value.missing
    private var baseUnit = Value.missing
    private var baseTime: DecimalNumber?
    private var baseValue: DecimalNumber?
    private var baseSum: DecimalNumber?

    /// Times below it count from the time of receipt (§4.5.3).
    private static let absoluteSecondsMin = DecimalNumber(1 << 28 as Int64)
    /// The version that RFC 8428 describes (§4.4).
    private static let versionMax: Int64 = 10

    init(receivedMicroseconds: Int64, isCBOR: Bool) {
        self.isCBOR = isCBOR
        var received = DecimalNumber(receivedMicroseconds)
        received.exponent = -6
        self.received = received.normalized
    }

    /// Takes the base fields of a record over and writes its measurement, if it has one.
    mutating func resolve(_ item: Value, into writer: inout TreeWriter) throws(SenMLError.Fault) {
        let record = try SenMLRecord(item, isCBOR: isCBOR)
        try takeBase(of: record)
        guard !record.hasOnlyBaseFields else { return }
        let others = [record.text, record.boolean, record.data].filter { $0.kind != .missing }
        guard others.count + (record.value.kind == .missing ? 0 : 1) <= 1 else { throw .severalValues }
        // §4.5.4: a base value alone counts with a value of 0, unless the record's value is of another type.
        let value = others.isEmpty ? try sum(record.value, baseValue, field: "v") : nil
        let sum = try sum(record.sum, baseSum, field: "s")
        guard value != nil || sum != nil || !others.isEmpty else { return }
        let time = try time(of: record)

        writer.beginObject()
        try writeName(of: record, into: &writer)
        write("u", record.unit.kind == .missing ? baseUnit : record.unit, into: &writer)
        write("v", value, record.value, into: &writer)
        write("vs", record.text, into: &writer)
        write("vb", record.boolean, into: &writer)
        write("vd", record.data, into: &writer)
        write("s", sum, record.sum, into: &writer)
        writer.text("t", as: .name)
        writer.decimal(time)
        write("ut", record.updateTime, into: &writer)
        writer.endObject()
    }

    private mutating func takeBase(of record: SenMLRecord) throws(SenMLError.Fault) {
        if record.baseVersion.kind != .missing {
            guard let version = try? NumberText.int64(record.baseVersion.bytes), (1...Self.versionMax).contains(version) else {
                throw .version
            }
        }
        if record.baseName.kind != .missing { baseName = record.baseName }
        if record.baseUnit.kind != .missing { baseUnit = record.baseUnit }
        if record.baseTime.kind != .missing { baseTime = try exact(record.baseTime, field: "bt") }
        if record.baseValue.kind != .missing { baseValue = try exact(record.baseValue, field: "bv") }
        if record.baseSum.kind != .missing { baseSum = try exact(record.baseSum, field: "bs") }
    }

    // MARK: Numbers

    private func exact(_ value: Value, field: String) throws(SenMLError.Fault) -> DecimalNumber {
        guard let number = DecimalNumber(value.bytes), number.isExact else { throw .inexact(field: field) }
        return number
    }

    /// The sum of what is there; nil where nothing is, and where there is nothing to add: the number stays as it stands then.
    private func sum(_ value: Value, _ base: DecimalNumber?, field: String) throws(SenMLError.Fault) -> Total? {
        guard let base else { return value.kind == .missing ? nil : .asWritten }
        guard value.kind != .missing else { return .number(base) }
        guard let sum = try exact(value, field: field).adding(base) else { throw .inexact(field: field) }
        return .number(sum)
    }

    private enum Total {
        case asWritten
        case number(DecimalNumber)
    }

    private func time(of record: SenMLRecord) throws(SenMLError.Fault) -> DecimalNumber {
        var time = baseTime ?? DecimalNumber(0 as Int64)
        if record.time.kind != .missing {
            guard let sum = try exact(record.time, field: "t").adding(time) else { throw .inexact(field: "t") }
            time = sum
        }
        guard time < Self.absoluteSecondsMin else { return time }
        guard let sum = time.adding(received) else { throw .inexact(field: "t") }
        return sum
    }

    // MARK: Writing

    private func write(_ name: StaticString, _ value: Value, into writer: inout TreeWriter) {
        guard value.kind != .missing else { return }
        writer.text(name, as: .name)
        writer.json(value)
    }

    private func write(_ name: StaticString, _ total: Total?, _ written: Value, into writer: inout TreeWriter) {
        guard let total else { return }
        writer.text(name, as: .name)
        switch total {
        case .asWritten: writer.json(written)
        case .number(let number): writer.decimal(number)
        }
    }

    /// The base name and the name together (§4.5.1), which need no escapes.
    private func writeName(of record: SenMLRecord, into writer: inout TreeWriter) throws(SenMLError.Fault) {
        writer.text("n", as: .name)
        writer.openText()
        var isFirst = true
        var unfit: UInt8?
        for part in [baseName, record.name] where part.kind != .missing {
            writer.appendPlain(part) { bytes in
                for byte in bytes {
                    if !Self.isNameByte(byte, isFirst: isFirst) {
                        unfit = byte
                        return false
                    }
                    isFirst = false
                }
                return true
            }
            if let unfit { throw .nameByte(unfit) }
        }
        guard !isFirst || writer.isOverLimit else { throw .noName }
        writer.closeText()
    }

    private static func isNameByte(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "_"): !isFirst
        default: false
        }
    }
}

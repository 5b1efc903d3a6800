/// The fields of one record as they stand in it (RFC 8428 §4.3); `missing` where they do not.
struct SenMLRecord {
    var baseVersion = Value.missing
    var baseName = Value.missing
    var baseTime = Value.missing
    var baseUnit = Value.missing
    var baseValue = Value.missing
    var baseSum = Value.missing
    var name = Value.missing
    var unit = Value.missing
    var value = Value.missing
    var text = Value.missing
    var boolean = Value.missing
    var data = Value.missing
    var sum = Value.missing
    var time = Value.missing
    var updateTime = Value.missing

    enum FieldType {
        case number, text, boolean

        var words: String {
            switch self {
            case .number: "a number"
            case .text: "text"
            case .boolean: "true or false"
            }
        }

        func fits(_ value: Value) -> Bool {
            switch self {
            case .number: value.kind == .number
            case .text: value.kind == .string || value.kind == .escapedString
            case .boolean: value.kind == .true || value.kind == .false
            }
        }
    }

    struct Field: Sendable {
        let label: StaticString
        /// The text of the number that CBOR has instead (§6).
        let number: StaticString
        let type: FieldType
        let place: WritableKeyPath<SenMLRecord, Value> & Sendable
    }

    static let fields: [Field] = [
        Field(label: "bver", number: "-1", type: .number, place: \.baseVersion),
        Field(label: "bn", number: "-2", type: .text, place: \.baseName),
        Field(label: "bt", number: "-3", type: .number, place: \.baseTime),
        Field(label: "bu", number: "-4", type: .text, place: \.baseUnit),
        Field(label: "bv", number: "-5", type: .number, place: \.baseValue),
        Field(label: "bs", number: "-6", type: .number, place: \.baseSum),
        Field(label: "n", number: "0", type: .text, place: \.name),
        Field(label: "u", number: "1", type: .text, place: \.unit),
        Field(label: "v", number: "2", type: .number, place: \.value),
        Field(label: "vs", number: "3", type: .text, place: \.text),
        Field(label: "vb", number: "4", type: .boolean, place: \.boolean),
        Field(label: "vd", number: "8", type: .text, place: \.data),
        Field(label: "s", number: "5", type: .number, place: \.sum),
        Field(label: "t", number: "6", type: .number, place: \.time),
        Field(label: "ut", number: "7", type: .number, place: \.updateTime),
    ]

    /// - Parameter isCBOR: whether numbers are labels too.
    init(_ object: Value, isCBOR: Bool) throws(SenMLError.Fault) {
        guard object.kind == .object else { throw .noObject }
        var members = JSON.Items(object)
        var (key, value) = (Value.missing, Value.missing)
        while members.next(key: &key, item: &value) {
            guard let field = Self.field(key, isCBOR: isCBOR) else {
                guard !Self.mustBeUnderstood(key) else { throw .mustUnderstand }
                continue
            }
            guard field.type.fits(value) else { throw .type(field: "\(field.label)", needs: field.type.words) }
            self[keyPath: field.place] = value
        }
    }

    private static func field(_ key: Value, isCBOR: Bool) -> Field? {
        func spells(_ text: StaticString) -> Bool {
            JSON.isText(key, equalTo: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
        return fields.first { spells($0.label) || (isCBOR && spells($0.number)) }
    }

    private static func mustBeUnderstood(_ key: Value) -> Bool {
        guard key.kind == .escapedString else { return key.bytes.last == UInt8(ascii: "_") }
        return withUnsafeTemporaryAllocation(byteCount: Int(key.count) + 1, alignment: 1) { room in
            guard let target = room.baseAddress else { return false }
            let count = JSON.unescape(key, into: target)
            return count > 0 && room[count - 1] == UInt8(ascii: "_")
        }
    }

    /// Whether nothing but base fields is there, or nothing at all.
    var hasOnlyBaseFields: Bool {
        [name, unit, value, text, boolean, data, sum, time, updateTime].allSatisfy { $0.kind == .missing }
    }
}

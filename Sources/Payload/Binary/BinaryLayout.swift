/// The layout of a binary payload: fields at fixed places, and groups of records that repeat.
public struct BinaryLayout: Sendable {
    /// Records of one size, one after the other.
    public struct Group: Sendable {
        public enum Count: Sendable, Equatable {
            case fixed(Int)
            /// A field of the payload says how many.
            case field(String)
            /// As many whole records as there are.
            case toEnd
        }
        public var name: String
        public var at: Int
        /// Bytes from one record to the next.
        public var every: Int
        public var count: Count
        public var fields: [BinaryField]

        public init(name: String, at: Int, every: Int, count: Count, fields: [BinaryField]) {
            self.name = name
            self.at = at
            self.every = every
            self.count = count
            self.fields = fields
        }
    }

    public var isLittleEndian: Bool
    /// The exact length; nil: any that holds all fields.
    public var length: Int?
    public var fields: [BinaryField]
    public var groups: [Group]
    /// Records behind tags; nil: none.
    public var tagged: Tagged?

    public init(isLittleEndian: Bool = false, length: Int? = nil, fields: [BinaryField], groups: [Group] = [], tagged: Tagged? = nil) {
        self.isLittleEndian = isLittleEndian
        self.length = length
        self.fields = fields
        self.groups = groups
        self.tagged = tagged
    }

    /// Checks the payload against the whole layout and reads what is wanted.
    /// - Parameters:
    ///   - wantedFields: slot of each field, or −1.
    ///   - wantedTagged: the same for each type of tagged records; empty: none is wanted.
    public func decode(
        _ bytes: UnsafeRawBufferPointer, wantedFields: [Int], wantedTagged: [[Int]] = [], into slots: UnsafeMutablePointer<Value>
    ) throws(BinaryError) {
        if let length, bytes.count != length { throw .wrongLength(bytes: bytes.count, expected: length) }
        // A message is right or wrong whatever columns read of it.
        try read(fields, of: bytes, wantedFields: wantedFields, into: slots)
        for group in groups { try checkRecords(try recordCount(group, in: bytes), of: group, in: bytes) }
        try decodeTagged(bytes, wantedFields: wantedTagged, into: slots)
    }

    /// How many records a group of the payload has, all of them within the payload.
    public func recordCount(of group: Int, in bytes: UnsafeRawBufferPointer) throws(BinaryError) -> Int {
        try recordCount(groups[group], in: bytes)
    }

    /// Reads what is wanted of one record of a group.
    public func decodeRecord(
        _ record: Int, of group: Int, in bytes: UnsafeRawBufferPointer, wantedFields: [Int], into slots: UnsafeMutablePointer<Value>
    ) throws(BinaryError) {
        try read(groups[group].fields, of: self.record(record, of: group, in: bytes), wantedFields: wantedFields, into: slots)
    }

    /// The bytes of a record.
    func record(_ record: Int, of group: Int, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let start = groups[group].at + record * groups[group].every
        return UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + groups[group].every, bytes.count)])
    }

    /// Fields counted from the end of a record, and those that hold text or decimal digits, may be wrong in any record.
    private func checkRecords(_ count: Int, of group: Group, in bytes: UnsafeRawBufferPointer) throws(BinaryError) {
        guard group.fields.contains(where: { $0.mayBeWrong || $0.at < 0 }) else { return }
        for record in 0..<count {
            let start = group.at + record * group.every
            let raw = UnsafeRawBufferPointer(rebasing: bytes[start..<start + group.every])
            for field in group.fields {
                try Self.check(field, in: raw.count)
                if field.mayBeWrong { _ = try field.read(raw, isLittleEndian: isLittleEndian) }
            }
        }
    }

    static func check(_ field: BinaryField, in count: Int) throws(BinaryError) {
        guard !field.fits(in: count) else { return }
        let start = field.at >= 0 ? field.at : count + field.at
        throw .tooShort(bytes: count, field: field.type.rawValue, at: start, needs: start + field.size)
    }

    func recordCount(_ group: Group, in bytes: UnsafeRawBufferPointer) throws(BinaryError) -> Int {
        let count: UInt64
        switch group.count {
        case .toEnd: return max(0, bytes.count - group.at) / group.every
        case .fixed(let fixed): count = UInt64(fixed)
        case .field(let name):
            guard let field = fields.first(where: { $0.name == name }) else { throw .noCount(group: group.name) }
            let value = try field.read(bytes, isLittleEndian: isLittleEndian)
            switch value.kind {
            case .unsigned: count = value.word
            case .integer where Int64(bitPattern: value.word) >= 0: count = value.word
            default: throw .noCount(group: group.name)
            }
        }
        // Bounded by the payload before it is used: a count of 2³² makes no loop.
        // Neither the product nor the sum may wrap, or a hostile count would look small.
        let (span, isSpanBeyond) = count.multipliedReportingOverflow(by: UInt64(group.every))
        let (sum, isSumBeyond) = span.addingReportingOverflow(UInt64(group.at))
        let needs = isSpanBeyond || isSumBeyond ? UInt64.max : sum
        guard count == 0 || needs <= UInt64(bytes.count) else {
            throw .groupTooLong(bytes: bytes.count, group: group.name, count: count, needs: needs)
        }
        return Int(count)
    }
}

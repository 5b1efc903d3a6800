extension BinaryLayout {
    /// Records of several types, one after the other up to the payload's end, each behind a tag that says its type and so its size.
    public struct Tagged: Sendable {
        /// What stands behind one tag.
        public struct RecordType: Sendable {
            public var tag: [UInt8]
            /// Bytes of the record, the tag not counted.
            public var size: Int
            public var fields: [BinaryField]
            /// The list that collects its records; nil: its fields are the payload's own, and of several records the last one counts.
            public var list: String?

            public init(tag: [UInt8], size: Int, fields: [BinaryField], list: String? = nil) {
                self.tag = tag
                self.size = size
                self.fields = fields
                self.list = list
            }
        }

        /// Where the first tag stands.
        public var at: Int
        /// Bytes of a tag, at least 1.
        public var tagBytes: Int
        public var types: [RecordType]

        public init(at: Int = 0, tagBytes: Int, types: [RecordType]) {
            self.at = at
            self.tagBytes = tagBytes
            self.types = types
        }

        /// The lists' names, each once.
        public var lists: [String] {
            var names: [String] = []
            for type in types { if let list = type.list, !names.contains(list) { names.append(list) } }
            return names
        }
    }

    /// Walks tagged records in order.
    public struct Records {
        private let tagged: Tagged
        private let bytes: UnsafeRawBufferPointer
        private var place: Int

        /// - Parameter bytes: the whole payload.
        public init(_ tagged: Tagged, _ bytes: UnsafeRawBufferPointer) {
            self.tagged = tagged
            self.bytes = bytes
            place = tagged.at
        }

        /// The next record: the index of its type, and its bytes without the tag; nil at the end.
        ///
        /// A tag that no type has is an error: how long its record is, nobody knows.
        public mutating func next() throws(BinaryError) -> (type: Int, bytes: UnsafeRawBufferPointer)? {
            guard place < bytes.count else { return nil }
            let start = place
            let tagEnd = min(start + tagged.tagBytes, bytes.count)
            let tag = UnsafeRawBufferPointer(rebasing: bytes[start..<tagEnd])
            guard let type = tagged.types.firstIndex(where: { $0.tag.elementsEqual(tag) }) else {
                throw .unknownTag(Array(tag), at: start)
            }
            let size = tagged.types[type].size
            guard bytes.count - tagEnd >= size else {
                throw .cutRecord(tag: Array(tag), at: start, needs: tagEnd + size, bytes: bytes.count)
            }
            place = tagEnd + size
            return (type, UnsafeRawBufferPointer(rebasing: bytes[tagEnd..<place]))
        }
    }

    /// Checks all tagged records, and reads the wanted fields of those that no list collects.
    func decodeTagged(
        _ bytes: UnsafeRawBufferPointer, wantedFields: [[Int]], into slots: UnsafeMutablePointer<Value>
    ) throws(BinaryError) {
        guard let tagged else { return }
        var records = Records(tagged, bytes)
        while let record = try records.next() {
            let type = tagged.types[record.type]
            let isWanted = type.list == nil && !wantedFields.isEmpty
            try read(type.fields, of: record.bytes, wantedFields: isWanted ? wantedFields[record.type] : [], into: slots)
        }
    }

    /// Reads the wanted fields of one record, and checks the others.
    /// - Parameter wantedFields: slot of each field, or −1; empty: none is wanted.
    public func read(
        _ fields: [BinaryField], of record: UnsafeRawBufferPointer, wantedFields: [Int], into slots: UnsafeMutablePointer<Value>
    ) throws(BinaryError) {
        for index in fields.indices {
            try Self.check(fields[index], in: record.count)
            if !wantedFields.isEmpty, wantedFields[index] >= 0 {
                slots[wantedFields[index]] = try fields[index].read(record, isLittleEndian: isLittleEndian)
            } else if fields[index].mayBeWrong {
                _ = try fields[index].read(record, isLittleEndian: isLittleEndian)
            }
        }
    }
}

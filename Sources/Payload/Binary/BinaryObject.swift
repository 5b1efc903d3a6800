// A binary payload as an object, for columns that take all of it, what no other column takes, or a record by its place.
extension BinaryLayout {
    /// The fields, groups and lists of a payload as the text of a JSON object in `scratch`: bytes as base64, floats that are not finite as null.
    public func object(_ bytes: UnsafeRawBufferPointer, scratch: inout ScratchMemory) throws(BinaryError) -> Value {
        var members = JSONMembers()
        try append(fields, of: bytes, to: &members)
        for index in groups.indices {
            var records = JSONMembers()
            for record in 0..<(try recordCount(groups[index], in: bytes)) {
                records.append([], try object(ofRecord: record, of: index, in: bytes, scratch: &scratch))
            }
            members.append(Array(groups[index].name.utf8), records.array(scratch: &scratch))
        }
        if let tagged { try append(tagged, of: bytes, to: &members, scratch: &scratch) }
        return members.object(scratch: &scratch)
    }

    /// One record of a group, as `object(_:scratch:)`.
    public func object(
        ofRecord record: Int, of group: Int, in bytes: UnsafeRawBufferPointer, scratch: inout ScratchMemory
    ) throws(BinaryError) -> Value {
        try object(of: groups[group].fields, in: self.record(record, of: group, in: bytes), scratch: &scratch)
    }

    /// A record of those fields, as `object(_:scratch:)`.
    public func object(
        of fields: [BinaryField], in record: UnsafeRawBufferPointer, scratch: inout ScratchMemory
    ) throws(BinaryError) -> Value {
        var members = JSONMembers()
        try append(fields, of: record, to: &members)
        return members.object(scratch: &scratch)
    }

    private func append(
        _ tagged: Tagged, of bytes: UnsafeRawBufferPointer, to members: inout JSONMembers, scratch: inout ScratchMemory
    ) throws(BinaryError) {
        var lists: [(name: String, records: JSONMembers)] = []
        var records = Records(tagged, bytes)
        while let record = try records.next() {
            let type = tagged.types[record.type]
            guard let list = type.list else {
                try append(type.fields, of: record.bytes, to: &members)
                continue
            }
            let object = try object(of: type.fields, in: record.bytes, scratch: &scratch)
            if let known = lists.firstIndex(where: { $0.name == list }) {
                lists[known].records.append([], object)
            } else {
                var records = JSONMembers()
                records.append([], object)
                lists.append((list, records))
            }
        }
        for list in lists { members.append(Array(list.name.utf8), list.records.array(scratch: &scratch)) }
    }

    private func append(_ fields: [BinaryField], of bytes: UnsafeRawBufferPointer, to members: inout JSONMembers) throws(BinaryError) {
        for field in fields {
            try Self.check(field, in: bytes.count)
            members.append(Array(field.name.utf8), try field.read(bytes, isLittleEndian: isLittleEndian))
        }
    }
}

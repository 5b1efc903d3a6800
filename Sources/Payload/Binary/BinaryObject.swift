// A binary payload as an object, for columns that take all of it, or what no other column takes.
extension BinaryLayout {
    /// The fields and groups of a payload that `decode` has accepted, as the text of a JSON object in `scratch`.
    public func object(_ bytes: UnsafeRawBufferPointer, scratch: inout ScratchMemory) throws(BinaryError) -> Value {
        var members = JSONMembers()
        for field in fields { members.append(Array(field.name.utf8), try field.read(bytes, isLittleEndian: isLittleEndian)) }
        for index in groups.indices {
            var records = JSONMembers()
            for record in 0..<(try recordCount(groups[index], in: bytes)) {
                records.append([], try object(ofRecord: record, of: index, in: bytes, scratch: &scratch))
            }
            members.append(Array(groups[index].name.utf8), records.array(scratch: &scratch))
        }
        return members.object(scratch: &scratch)
    }

    /// One record of a group, as `object(_:scratch:)`.
    public func object(
        ofRecord record: Int, of group: Int, in bytes: UnsafeRawBufferPointer, scratch: inout ScratchMemory
    ) throws(BinaryError) -> Value {
        let raw = try self.record(record, of: group, in: bytes)
        var members = JSONMembers()
        for field in groups[group].fields { members.append(Array(field.name.utf8), try field.read(raw, isLittleEndian: isLittleEndian)) }
        return members.object(scratch: &scratch)
    }
}

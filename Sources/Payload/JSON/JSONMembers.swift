/// Values of a decoder other than JSON, put together as the text of an object or an array: what `rest` and `jsonb from $` take of a CSV line
/// or a binary record.
struct JSONMembers {
    private var members: [(name: [UInt8], value: Value)] = []

    /// What has no text becomes null.
    mutating func append(_ name: [UInt8], _ value: Value) { members.append((name, value)) }

    /// An object in the order in which the members came, repeated names included.
    func object(scratch: inout ScratchMemory) -> Value {
        write(open: UInt8(ascii: "{"), close: UInt8(ascii: "}"), scratch: &scratch) { member, writer in
            member.name.withUnsafeBytes { writer.appendQuoted($0) }
            writer.append(byte: UInt8(ascii: ":"))
        }
    }

    /// An array of the values alone.
    func array(scratch: inout ScratchMemory) -> Value {
        write(open: UInt8(ascii: "["), close: UInt8(ascii: "]"), scratch: &scratch) { _, _ in }
    }

    private func write(
        open: UInt8, close: UInt8, scratch: inout ScratchMemory, before: ((name: [UInt8], value: Value), inout JSONTextWriter) -> Void
    ) -> Value {
        var room = 2
        for member in members { room += 6 * member.name.count + 4 + JSON.textBytesMax(of: member.value) }
        let target = scratch.allocate(room)
        var writer = JSONTextWriter(target)
        writer.append(byte: open)
        for (index, member) in members.enumerated() {
            if index > 0 { writer.append(byte: UInt8(ascii: ",")) }
            before(member, &writer)
            if let count = JSON.writeText(of: member.value, into: target + writer.count) {
                writer.count += count
            } else {
                writer.append("null")
            }
        }
        writer.append(byte: close)
        scratch.giveBack(room - writer.count)
        return Value(kind: open == UInt8(ascii: "{") ? .object : .array, start: UnsafeRawPointer(target), count: writer.count)
    }
}

/// Values of a decoder other than JSON, put together as the text of an object or an array: what `rest` and `jsonb from $` take of a CSV line
/// or a binary record.
struct JSONMembers {
    private var members: [(name: [UInt8], value: Value)] = []

    /// `bytes` become base64 (RFC 4648 §4), what has no text null.
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
        for member in members {
            // Base64 needs 4 bytes for 3, and its quotes.
            room += 6 * member.name.count + 4 + max(JSON.textBytesMax(of: member.value), Int(member.value.count) / 3 * 4 + 6)
        }
        let target = scratch.allocate(room)
        var writer = JSONTextWriter(target)
        writer.append(byte: open)
        for (index, member) in members.enumerated() {
            if index > 0 { writer.append(byte: UInt8(ascii: ",")) }
            before(member, &writer)
            if member.value.kind == .bytes {
                writer.appendBase64(member.value.bytes)
            } else if let count = JSON.writeText(of: member.value, into: target + writer.count) {
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

extension JSONTextWriter {
    /// RFC 4648 §4, padded, in quotes.
    fileprivate mutating func appendBase64(_ bytes: UnsafeRawBufferPointer) {
        append(byte: UInt8(ascii: "\""))
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for digit in 0..<4 {
                append(byte: digit <= group.count ? Self.digit(UInt8(bits >> UInt32(18 - 6 * digit) & 63)) : UInt8(ascii: "="))
            }
        }
        append(byte: UInt8(ascii: "\""))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 0x41 + value
        case 26..<52: 0x61 + value - 26
        case 52..<62: 0x30 + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}

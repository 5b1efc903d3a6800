/// A table of payloads whose fields nobody told us: the bytes as they came, and of the fields only a time that cannot be anything else.
enum BinaryBlock {
    struct Result {
        var block: BlockDraft
        var decode: [String]
        var remarks: [String]
    }

    /// - Parameter payloads: unpacked; at least one, none empty.
    static func make(_ payloads: [(bytes: [UInt8], receivedMicroseconds: Int64, topic: Int)], table: String, captures: [String]) -> Result {
        let shortest = payloads.map(\.bytes.count).min() ?? 0
        let longest = payloads.map(\.bytes.count).max() ?? 0
        var block = BlockDraft(table: table, columns: [])
        var decode = ["bytes"]
        var remarks = [
            shortest == longest ? "binary, always \(longest) bytes" : "binary, \(shortest) to \(longest) bytes"
        ]
        let time = payloads.count >= 3 ? time(payloads, shortest) : nil
        if let time {
            decode = [
                "", "  binary:", "    endian: \(time.isLittle ? "little" : "big")", "    fields:", "      time: \(time.type) at \(time.at)",
            ]
            var column = ColumnDraft(name: "time", type: "timestamptz", isNotNull: true, from: ["$.time"], parse: time.parse)
            column.remark = "bytes \(time.at) to \(time.at + time.size - 1) were always near the time of receipt"
            column.time = TimeForm(parse: time.parse, stepMicroseconds: time.parse == "unix" ? 1_000_000 : 1000)
            block.columns = [column]
            block.hasOwnTime = true
        } else {
            block.columns = [TimeColumn.received]
        }
        block.columns += captures.map {
            ColumnDraft(name: $0 == "time" ? "topic_time" : $0, type: "text", isNotNull: true, from: ["topic." + $0])
        }
        block.columns.append(ColumnDraft(name: "payload", type: "bytea", isNotNull: true, from: [time == nil ? "$" : "payload"]))
        block.keyColumns = captures
        remarks += layout(payloads, shortest, time)
        remarks.append("name the fields as the device's manual does: decode: {binary: {endian: big, fields: {pressure: u16 at 4}}}")
        return Result(block: block, decode: decode, remarks: remarks)
    }

    // MARK: Times

    private struct Time {
        var at: Int
        var size: Int
        var isLittle: Bool
        var parse: String
        var type: String { size == 4 ? "u32" : "u64" }
    }

    private static func time(_ payloads: [(bytes: [UInt8], receivedMicroseconds: Int64, topic: Int)], _ length: Int) -> Time? {
        let day: Int64 = 86_400_000_000
        for at in 0..<max(0, min(length - 3, 256)) {
            for isLittle in [false, true] {
                for (size, parse, unit) in [(4, "unix", Int64(1_000_000)), (8, "unix_ms", 1000)] where at + size <= length {
                    let isNear = payloads.allSatisfy { payload in
                        let number = number(payload.bytes, at, size, isLittle)
                        guard number < 1 << 45 else { return false }
                        return abs(Int64(number) * unit - payload.receivedMicroseconds) < day
                    }
                    if isNear { return Time(at: at, size: size, isLittle: isLittle, parse: parse) }
                }
            }
        }
        return nil
    }

    private static func number(_ bytes: [UInt8], _ at: Int, _ size: Int, _ isLittle: Bool) -> UInt64 {
        let part = bytes[at..<at + size]
        return isLittle ? part.reversed().reduce(0) { $0 << 8 | UInt64($1) } : part.reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: What else is plain to see

    private static func layout(_ payloads: [(bytes: [UInt8], receivedMicroseconds: Int64, topic: Int)], _ length: Int, _ time: Time?)
        -> [String]
    {
        guard payloads.count >= 3, length > 0 else { return [] }
        var remarks: [String] = []
        let first = payloads[0].bytes
        let constant = (0..<min(length, 512)).map { at in payloads.allSatisfy { $0.bytes[at] == first[at] } }
        var at = 0
        var runs: [String] = []
        while at < constant.count {
            guard constant[at] else {
                at += 1
                continue
            }
            let end = constant[at...].firstIndex(of: false) ?? constant.count
            let digits = first[at..<min(end, at + 8)].map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            runs.append((end - at == 1 ? "byte \(at)" : "bytes \(at) to \(end - 1)") + " (\(digits)\(end - at > 8 ? "…" : ""))")
            at = end
        }
        if !runs.isEmpty { remarks.append("always the same: " + runs.prefix(8).joined(separator: ", ")) }
        if let counter = counter(payloads, length, time) { remarks.append(counter) }
        return remarks
    }

    /// Four bytes that grow by one from message to message on every topic.
    private static func counter(_ payloads: [(bytes: [UInt8], receivedMicroseconds: Int64, topic: Int)], _ length: Int, _ time: Time?)
        -> String?
    {
        for size in [4, 2] where length >= size {
            let places = 0...min(length - size, 255)
            // Where compilers align it, first.
            for at in places.filter({ $0 % size == 0 }) + places.filter({ $0 % size != 0 }) {
                if let time, at < time.at + time.size, at + size > time.at { continue }
                for isLittle in [false, true] {
                    var last: [Int: UInt64] = [:]
                    var steps = 0
                    let counts = payloads.allSatisfy { payload in
                        let number = number(payload.bytes, at, size, isLittle)
                        defer { last[payload.topic] = number }
                        guard let previous = last[payload.topic] else { return true }
                        steps += 1
                        return number == previous &+ 1
                    }
                    if counts, steps >= 5 {
                        return "counts messages: \(size == 4 ? "u32" : "u16") at \(at), \(isLittle ? "little" : "big") endian"
                    }
                }
            }
        }
        return nil
    }
}

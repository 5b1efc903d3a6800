import CopyFormat
import Payload

// Values into fields, with every rule of conversion: what the fast cases of the pipeline leave over.
extension Evaluator {
    @inline(never)
    mutating func encodeWithCare(
        _ value: Value, _ encoding: CompiledColumn.Encoding, _ column: CompiledColumn, _ details: ColumnDetails,
        _ slots: UnsafeMutablePointer<Value>, into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        switch encoding {
        case .boolean: buffer.pointee.append(try boolean(value))
        case .int2, .int4, .int8, .float4, .float8, .numeric:
            try encodeNumber(value, encoding, column, details, slots, into: buffer)
        case .text: try encodeText(value, column, details, into: buffer)
        case .bytea: buffer.pointee.appendBytes(try bytea(value, details.parse))
        case .timestamp:
            buffer.pointee.appendTimestamp(unixMicroseconds: try time(value, details, slots))
        case .roundedTimestamp:
            let microseconds = try time(value, details, slots)
            buffer.pointee.appendTimestamp(
                unixMicroseconds: Self.rounded(microseconds, digits: details.wire.timePrecision, from: PostgreSQLTime.epochMicroseconds))
        case .date: buffer.pointee.appendDate(unixDays: try date(value, details, slots))
        case .time:
            let microseconds = try timeOfDay(value)
            buffer.pointee.appendTime(microsecondsOfDay: Self.rounded(microseconds, digits: details.wire.timePrecision, from: 0))
        case .inet, .cidr: buffer.pointee.append(try address(value, isNetwork: encoding == .cidr), isNetwork: encoding == .cidr)
        case .enumeration: try encodeLabel(value, details, into: buffer)
        case .uuid: try encodeUUID(value, into: buffer)
        case .json, .jsonb:
            let text = try json(value, details.parse)
            if encoding == .jsonb { buffer.pointee.appendJSONB(text) } else { buffer.pointee.appendText(text) }
        case .array: try encodeArray(value, column, details, slots, into: buffer)
        }
    }

    private mutating func boolean(_ value: Value) throws(EvaluationError) -> Bool {
        switch value.kind {
        case .true: return true
        case .false: return false
        default: break
        }
        let text = trimmed(try text(of: value))
        guard let truth = Self.boolean(text) else { throw .because("\(Quoted(text)) is not a boolean") }
        return truth
    }

    /// What PostgreSQL's boolean takes: 1 and 0, on and off, true, false, yes and no, and what is short for one of these alone, in any case.
    private static func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
        func isShort(for word: StaticString, from count: Int = 1) -> Bool {
            guard text.count >= count, text.count <= word.utf8CodeUnitCount else { return false }
            for index in 0..<text.count where text[index] | 0x20 != word.utf8Start[index] { return false }
            return true
        }
        if text.count == 1, text[0] == UInt8(ascii: "1") || text[0] == UInt8(ascii: "0") { return text[0] == UInt8(ascii: "1") }
        if isShort(for: "true") || isShort(for: "yes") || isShort(for: "on", from: 2) { return true }
        if isShort(for: "false") || isShort(for: "no") || isShort(for: "off", from: 2) { return false }
        return nil
    }

    // MARK: Text and bytes

    private mutating func encodeText(
        _ value: Value, _ column: CompiledColumn, _ details: ColumnDetails, into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        let text = try text(of: value)
        guard !UTF8Text.containsNUL(text) else { throw .because(Self.nulInText) }
        if column.characterLimit > 0 {
            let characters = text.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
            guard characters <= Int(column.characterLimit) else {
                throw .because("\(Quoted(text)) has \(characters) characters, \(details.declared.sql) takes \(column.characterLimit)")
            }
        }
        buffer.pointee.appendText(text)
    }

    private mutating func encodeLabel(
        _ value: Value, _ details: ColumnDetails, into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        let text = try text(of: value)
        guard details.labels.contains(where: { text.elementsEqual($0) }) else {
            let shown = details.labels.prefix(12).map { label in label.withUnsafeBytes { Quoted($0).description } }.joined(separator: ", ")
            let more = details.labels.count > 12 ? " and \(details.labels.count - 12) more" : ""
            throw .because("\(Quoted(text)) is no label of \(details.wire.element.sql), which has \(shown)\(more)")
        }
        buffer.pointee.appendText(text)
    }

    private mutating func address(_ value: Value, isNetwork: Bool) throws(EvaluationError) -> InternetAddress {
        let text = trimmed(try text(of: value))
        let address: InternetAddress
        do throws(InternetAddress.Fault) { address = try InternetAddress(text) } catch {
            switch error {
            case .malformed: throw .because("\(Quoted(text)) is not an internet address")
            case .prefixTooLong: throw .because("\(Quoted(text)) is not an internet address: its prefix is longer than the address")
            case .hasZone: throw .because("\(Quoted(text)) names a zone, for which an internet address has no place")
            }
        }
        guard !isNetwork || address.isNetwork else { throw .because("\(Quoted(text)) is no network: bits are set behind its prefix") }
        return address
    }

    private mutating func bytea(_ value: Value, _ parse: CompiledParse) throws(EvaluationError) -> UnsafeRawBufferPointer {
        let text = value.kind == .bytes ? value.bytes : try text(of: value)
        switch parse {
        case .base64, .hex:
            let room = text.count + 3
            let target = scratch.allocate(room)
            do throws(Unpack.Fault) {
                var count = 0
                if case .hex = parse { count = try Unpack.hex(text, into: target) } else { count = try Unpack.base64(text, into: target) }
                scratch.giveBack(room - count)
                return UnsafeRawBufferPointer(start: target, count: count)
            } catch {
                throw .because("\(Quoted(text)) does not decode: \(error)")
            }
        default: return text
        }
    }

    private mutating func encodeUUID(_ value: Value, into buffer: UnsafeMutablePointer<CopyBuffer>) throws(EvaluationError) {
        let text = trimmed(try text(of: value))
        var inside = text[...]
        // Braces stand around the whole, or nowhere.
        if text.first == UInt8(ascii: "{"), text.last == UInt8(ascii: "}") { inside = inside.dropFirst().dropLast() }
        var (high, low): (UInt64, UInt64) = (0, 0)
        var digits = 0
        for byte in inside where byte != UInt8(ascii: "-") {
            guard let digit = Self.hexadecimal(byte), digits < 32 else { throw .because("\(Quoted(text)) is not a UUID") }
            if digits < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
            digits += 1
        }
        guard digits == 32, text.count <= 38 else { throw .because("\(Quoted(text)) is not a UUID") }
        buffer.pointee.appendUUID(high: high, low: low)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x41...0x46, 0x61...0x66: UInt64((byte | 0x20) - 0x57)
        default: nil
        }
    }

    private mutating func json(_ value: Value, _ parse: CompiledParse) throws(EvaluationError) -> UnsafeRawBufferPointer {
        var value = value
        if case .json = parse {
            let text = try text(of: value)
            do throws(JSONError) { value = try JSON.validate(text) } catch {
                throw .because("\(Quoted(text)) does not read as json: \(error)")
            }
        }
        if value.kind == .timestamp { value = Value(kind: .string, bytes: try text(of: value)) }
        guard !JSON.containsNUL(value) else { throw .because("holds a NUL character, which PostgreSQL cannot store in jsonb") }
        let room = JSON.textBytesMax(of: value)
        let target = scratch.allocate(room)
        guard let count = JSON.writeText(of: value, into: target) else { throw .because("the value has no form in json") }
        scratch.giveBack(room - count)
        let text = UnsafeRawBufferPointer(start: target, count: count)
        try checkNumbers(value, text)
        return text
    }

    /// jsonb stores numbers as numeric, whose limits (131,072 digits before the point, 16,383 after it) are met only with an exponent or a very long text.
    private func checkNumbers(_ value: Value, _ text: UnsafeRawBufferPointer) throws(EvaluationError) {
        var run = 0
        var isInString = false
        var index = 0
        while index < text.count {
            let byte = text[index]
            if isInString {
                if byte == UInt8(ascii: "\\") { index += 1 } else if byte == UInt8(ascii: "\"") { isInString = false }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if (byte >= 0x30 && byte <= 0x39) || byte == UInt8(ascii: ".") {
                run += 1
                if run > 16_000 { throw .because("holds a number with more digits than jsonb takes") }
            } else if byte | 0x20 == UInt8(ascii: "e"), run > 0 {
                var exponent = 0
                index += 1
                if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") { index += 1 }
                while index < text.count, text[index] >= 0x30, text[index] <= 0x39 {
                    exponent = min(exponent * 10 + Int(text[index] - 0x30), 1_000_000)
                    index += 1
                }
                if exponent + run > 16_000 { throw .because("holds a number with more digits than jsonb takes") }
                run = 0
                continue
            } else {
                run = 0
            }
            index += 1
        }
    }

    // MARK: Arrays

    private mutating func encodeArray(
        _ value: Value, _ column: CompiledColumn, _ details: ColumnDetails, _ slots: UnsafeMutablePointer<Value>,
        into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        guard value.kind == .array, case .array(let element) = details.wire else { throw .because("not an array") }
        var count = 0
        var holdsNull = false
        var key = Value.missing
        var item = Value.missing
        var counter = JSON.Items(value)
        while counter.next(key: &key, item: &item) {
            count += 1
            if item.kind == .null { holdsNull = true }
        }
        let field = buffer.pointee.beginField()
        buffer.pointee.appendArrayHeader(elementOID: details.elementOID, count: count, holdsNull: holdsNull)
        var elementDetails = details
        elementDetails.wire = element
        if case .array(let declared) = details.declared { elementDetails.declared = declared }
        let encoding = CompiledColumn.Encoding(element)
        var items = JSON.Items(value)
        while items.next(key: &key, item: &item) {
            if item.kind == .null {
                buffer.pointee.appendNull()
            } else {
                try encodeWithCare(item, encoding, column, elementDetails, slots, into: buffer)
            }
        }
        buffer.pointee.endField(field)
    }
}

extension CompiledColumn.Encoding {
    init(_ type: ColumnType) {
        self =
            switch type {
            case .boolean: .boolean
            case .smallint: .int2
            case .integer: .int4
            case .bigint: .int8
            case .real: .float4
            case .doublePrecision: .float8
            case .numeric: .numeric
            case .text, .varchar, .bpchar, .other: .text
            case .bytea: .bytea
            case .timestamptz, .timestamp: type.timePrecision == nil ? .timestamp : .roundedTimestamp
            case .date: .date
            case .time: .time
            case .inet: .inet
            case .cidr: .cidr
            case .enumeration: .enumeration
            case .uuid: .uuid
            case .json: .json
            case .jsonb: .jsonb
            case .array: .array
            }
    }
}

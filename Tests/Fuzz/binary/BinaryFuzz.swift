import FuzzSupport
import Payload

/// The end of an input makes a layout, within what a mapping may say; the rest is the payload.
@main
struct BinaryFuzz {
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = BinaryFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let control = input.byte()
        let fields = (0..<Int(control & 3) + 1).map { field("f\($0)", recordBytes: nil, &input) }
        var layout = BinaryLayout(isLittleEndian: control & 4 != 0, fields: fields)
        if control & 8 != 0 { layout.groups.append(group("g", layout, &input)) }
        if control & 16 != 0 { layout.groups.append(group("h", layout, &input)) }
        if control & 128 != 0 { layout.tagged = tagged(&input) }
        let lengthControl = control & 32 != 0 ? input.byte() : nil
        let payload = memory.lay(input.rest, atFront: control & 64 != 0)
        if let lengthControl { layout.length = max(1, payload.count + Int(lengthControl & 1)) }
        decode(payload, layout)
        unpack(payload)
    }

    // MARK: Layouts

    private func field(_ name: String, recordBytes: Int?, _ input: inout FuzzInput) -> BinaryField {
        let (kind, place, more) = (input.byte(), Int(input.byte()), input.byte())
        let types = BinaryField.FieldType.allCases.filter { BinaryField.size(of: $0) ?? ($0 == .bcd ? 9 : 1) <= recordBytes ?? 9 }
        let type = types[Int(kind) % types.count]
        let sizes = recordBytes ?? 64
        let size = BinaryField.size(of: type) ?? (type == .bcd ? Int(more) % 9 + 1 : Int(more) % sizes + 1)
        var at = kind & 0x80 == 0 ? place : -(size + place % 32)
        if let recordBytes, at >= 0 { at = place % (recordBytes - size + 1) }
        var field = BinaryField(name: name, type: type, at: at, size: size)
        if kind & 0x40 != 0, BinaryField.size(of: type) != nil, type != .f32, type != .f64 {
            let ends = [Int(more) % (size * 8), Int(input.byte()) % (size * 8)]
            field.bits = min(ends[0], ends[1])...max(ends[0], ends[1])
        }
        if kind & 0x20 != 0, type != .text, type != .bytes {
            let orders = BinaryField.Order.allCases.filter { size >= ($0 == .ab || $0 == .ba ? 2 : 4) }
            if !orders.isEmpty { field.order = orders[Int(more >> 3) % orders.count] }
        }
        return field
    }

    private func group(_ name: String, _ layout: BinaryLayout, _ input: inout FuzzInput) -> BinaryLayout.Group {
        let (kind, at, every) = (input.byte(), Int(input.byte()), Int(input.byte()) % 24 + 1)
        let count: BinaryLayout.Group.Count =
            switch kind & 3 {
            case 0: .toEnd
            case 1: .fixed(Int(kind >> 2))
            default: .field("f\(Int(kind >> 2) % layout.fields.count)")
            }
        let fields = (0..<Int(kind >> 7) + 1).map { field("r\($0)", recordBytes: every, &input) }
        return BinaryLayout.Group(name: name, at: at, every: every, count: count, fields: fields)
    }

    private func tagged(_ input: inout FuzzInput) -> BinaryLayout.Tagged {
        let (kind, at) = (input.byte(), Int(input.byte()) % 16)
        let tagBytes = Int(kind & 1) + 1
        let types = (0..<Int(kind >> 1 & 3) + 1).map { type in
            let size = Int(input.byte()) % 24 + 1
            return BinaryLayout.Tagged.RecordType(
                tag: Array(repeating: UInt8(type), count: tagBytes), size: size, fields: [field("t\(type)", recordBytes: size, &input)],
                list: kind & (0x10 << UInt8(type & 1)) != 0 ? "list\(type & 1)" : nil)
        }
        return BinaryLayout.Tagged(at: at, tagBytes: tagBytes, types: types)
    }

    // MARK: Claims

    private func decode(_ payload: UnsafeRawBufferPointer, _ layout: BinaryLayout) {
        let fieldSlots = layout.fields.indices.map { $0 }
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: fieldSlots.count)
        defer { slots.deallocate() }
        // What is wanted changes nothing of what is accepted.
        let isLayoutHeld: Bool
        do throws(BinaryError) {
            try layout.decode(
                payload, wantedFields: fieldSlots.map { _ in -1 }, wantedTagged: [], into: slots)
            isLayoutHeld = true
        } catch {
            isLayoutHeld = false
            claim(!error.description.isEmpty, "an error without words")
        }
        do throws(BinaryError) {
            try layout.decode(payload, wantedFields: fieldSlots, into: slots)
            claim(isLayoutHeld, "accepted only when fields are wanted")
        } catch {
            return claim(!isLayoutHeld, "\(error), only when fields are wanted")
        }
        for (field, slot) in zip(layout.fields, fieldSlots) { check(slots[slot], field, payload, layout) }
        for index in layout.groups.indices {
            do throws(BinaryError) { records(try layout.recordCount(of: index, in: payload), index, payload, layout) } catch {
                claim(false, "\(error), after the payload was accepted")
            }
        }
        object(payload, layout)
    }

    /// An accepted payload as an object is JSON that a scanner accepts.
    private func object(_ payload: UnsafeRawBufferPointer, _ layout: BinaryLayout) {
        var scratch = ScratchMemory()
        do throws(BinaryError) {
            let object = try layout.object(payload, scratch: &scratch)
            claim(object.kind == .object && (try? JSON.validate(object.bytes)) != nil, "an object that is no JSON")
        } catch { claim(false, "\(error), after the payload was accepted") }
    }

    private func records(_ count: Int, _ index: Int, _ payload: UnsafeRawBufferPointer, _ layout: BinaryLayout) {
        let group = layout.groups[index]
        if count > 0 { claim(group.at + count * group.every <= payload.count, "\(count) records in \(payload.count) bytes") }
        if case .fixed(let wanted) = group.count { claim(count == wanted, "\(count) records of \(wanted)") }
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: group.fields.count)
        defer { slots.deallocate() }
        for record in 0..<min(count, 64) {
            let start = group.at + record * group.every
            let bytes = UnsafeRawBufferPointer(rebasing: payload[start..<start + group.every])
            do throws(BinaryError) {
                try layout.decodeRecord(record, of: index, in: payload, wantedFields: Array(group.fields.indices), into: slots)
                for (slot, field) in group.fields.enumerated() { check(slots[slot], field, bytes, layout) }
            } catch {
                claim(false, "\(error) in a record of a payload that was accepted")
            }
        }
    }

    /// The value against the same bytes read one by one.
    private func check(_ value: Value, _ field: BinaryField, _ bytes: UnsafeRawBufferPointer, _ layout: BinaryLayout) {
        let start = field.at >= 0 ? field.at : bytes.count + field.at
        let raw = Array(bytes[start..<start + field.size])
        switch field.type {
        case .bytes: claim(value.kind == .bytes && value.bytes.elementsEqual(raw) && bytes.holds(value.bytes), "other bytes")
        case .text:
            claim(value.kind == .string && raw.starts(with: value.bytes) && bytes.holds(value.bytes), "another text")
            claim(value.count == field.size || raw[Int(value.count)] == 0, "text cut")
        case .bcd:
            let digits = raw.map { "\($0 >> 4)\($0 & 15)" }.joined()
            claim(value.kind == .unsigned && value.word == UInt64(digits), "\(digits) is \(value.word)")
        default: number(value, field, raw, layout)
        }
    }

    private func number(_ value: Value, _ field: BinaryField, _ raw: [UInt8], _ layout: BinaryLayout) {
        let words = stride(from: 0, to: raw.count, by: 2).map { Array(raw[$0..<min($0 + 2, raw.count)]) }
        let ordered: [UInt8] =
            switch field.order ?? (layout.isLittleEndian ? .dcba : .abcd) {
            case .ab, .abcd: raw
            case .ba, .dcba: raw.reversed()
            case .badc: words.flatMap { $0.reversed() }
            case .cdab: words.reversed().flatMap { $0 }
            }
        let pattern = ordered.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if let bits = field.bits {
            let taken = bits.reversed().reduce(UInt64(0)) { $0 << 1 | pattern >> UInt64($1) & 1 }
            return claim(value.kind == .unsigned && value.word == taken, "bits \(bits) of \(pattern) are \(value.word)")
        }
        switch field.type {
        case .f32:
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: pattern))
            let double = Double(bitPattern: value.word)
            claim(value.kind == .double && (double == Double(float) || (float.isNaN && double.isNaN)), "\(float) is \(double)")
        case .f64: claim(value.kind == .double && value.word == pattern, "another double")
        case .u8, .u16, .u24, .u32, .u64: claim(value.kind == .unsigned && value.word == pattern, "\(pattern) is \(value.word)")
        default:
            let isNegative = ordered[0] & 0x80 != 0
            let filled = isNegative && field.size < 8 ? pattern | UInt64.max << UInt64(field.size * 8) : pattern
            claim(value.kind == .integer && value.word == filled, "\(Int64(bitPattern: filled)) is \(Int64(bitPattern: value.word))")
        }
    }

    // MARK: Steps before a decoder

    private func unpack(_ text: UnsafeRawBufferPointer) {
        let hexRoom = UnsafeMutableRawPointer.allocate(byteCount: text.count / 2, alignment: 1)
        defer { hexRoom.deallocate() }
        do throws(Unpack.Fault) {
            let count = try Unpack.hex(text, into: hexRoom)
            claim(count <= text.count / 2, "\(count) bytes of \(text.count) digits")
        } catch { check(error, text) }
        let base64Room = UnsafeMutableRawPointer.allocate(byteCount: text.count * 3 / 4 + 3, alignment: 1)
        defer { base64Room.deallocate() }
        do throws(Unpack.Fault) {
            let count = try Unpack.base64(text, into: base64Room)
            claim(count <= text.count * 3 / 4, "\(count) bytes of \(text.count) characters")
        } catch { check(error, text) }
    }

    private func check(_ fault: Unpack.Fault, _ text: UnsafeRawBufferPointer) {
        guard case .unexpectedByte(let byte, let offset) = fault else { return }
        claim(offset < text.count && text[offset] == byte, "byte \(byte) is not at \(offset)")
    }
}

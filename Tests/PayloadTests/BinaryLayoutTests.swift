import Testing

@testable import Payload

@Suite("Binary layouts")
struct BinaryLayoutTests {
    private func read(_ field: BinaryField, _ bytes: [UInt8], isLittleEndian: Bool = false) throws -> Value {
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        defer { slots.deallocate() }
        try bytes.withUnsafeBytes {
            try BinaryLayout(isLittleEndian: isLittleEndian, fields: [field]).decode($0, wantedFields: [0], into: slots)
        }
        return slots[0]
    }

    @Test(
        "whole numbers of every size and order",
        arguments: [
            (.u8, nil, [0xFF], 255), (.i8, nil, [0xFF], -1), (.u16, nil, [1, 2], 0x0102), (.i16, nil, [0xFF, 0x9C], -100),
            (.u16, .ba, [1, 2], 0x0201),
            (.u24, nil, [1, 2, 3], 0x010203), (.i24, nil, [0xFF, 0xFF, 0xFE], -2), (.u32, .abcd, [1, 2, 3, 4], 0x0102_0304),
            (.u32, .dcba, [1, 2, 3, 4], 0x0403_0201), (.u32, .badc, [1, 2, 3, 4], 0x0201_0403), (.u32, .cdab, [1, 2, 3, 4], 0x0304_0102),
            (.i64, nil, [0x80, 0, 0, 0, 0, 0, 0, 0], Int64.min), (.bcd, nil, [0x12, 0x34], 1234),
        ] as [(BinaryField.FieldType, BinaryField.Order?, [UInt8], Int64)])
    func numbers(type: BinaryField.FieldType, order: BinaryField.Order?, bytes: [UInt8], number: Int64) throws {
        let value = try read(BinaryField(name: "f", type: type, at: 0, order: order, size: bytes.count), bytes)
        #expect(Int64(bitPattern: value.word) == number)
    }

    @Test("u64 beyond 63 bits stays positive; floats; little-endian; bits; from the end")
    func others() throws {
        let large = try read(BinaryField(name: "f", type: .u64, at: 0), Array(repeating: 0xFF, count: 8))
        #expect(large.kind == .unsigned && large.word == UInt64.max)
        #expect(
            try Double(bitPattern: read(BinaryField(name: "f", type: .f32, at: 3, order: .cdab), [1, 3, 4, 0, 0, 0x41, 0xC1]).word)
                == 24.125)
        #expect(try read(BinaryField(name: "f", type: .u16, at: 0), [1, 2], isLittleEndian: true).word == 0x0201)
        #expect(try read(BinaryField(name: "f", type: .u16, at: 0, bits: 4...6), [0, 0x75]).word == 7)
        #expect(try read(BinaryField(name: "f", type: .u16, at: -2), [9, 9, 1, 2]).word == 0x0102)
        #expect(try words(read(BinaryField(name: "f", type: .text, at: 0, size: 4), Array("ab\0c".utf8))) == "'ab'")
        #expect(throws: BinaryError.notDecimal(field: "f", byte: 0x1A)) {
            try read(BinaryField(name: "f", type: .bcd, at: 0, size: 1), [0x1A])
        }
    }

    @Test("every payload that is too short says what it lacks, at every length")
    func tooShort() {
        for count in 0..<7 {
            #expect(throws: BinaryError.tooShort(bytes: count, field: "u32", at: 3, needs: 7)) {
                try read(BinaryField(name: "f", type: .u32, at: 3), Array(repeating: 0, count: count))
            }
        }
    }

    @Test("a count that the payload cannot hold is an error before any record is read")
    func groups() throws {
        let layout = BinaryLayout(
            fields: [BinaryField(name: "n", type: .u32, at: 0)],
            groups: [.init(name: "g", at: 4, every: 2, count: .field("n"), fields: [BinaryField(name: "v", type: .i16, at: 0)])])
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        defer { slots.deallocate() }
        func decode(_ bytes: [UInt8]) throws -> Int {
            try bytes.withUnsafeBytes {
                try layout.decode($0, wantedFields: [-1], into: slots)
                return try layout.recordCount(of: 0, in: $0)
            }
        }
        #expect(try decode([0, 0, 0, 2, 0, 1, 0, 2]) == 2)
        #expect(try decode([0, 0, 0, 0]) == 0)
        #expect(throws: BinaryError.self) { try decode([0, 0, 0, 3, 0, 1, 0, 2]) }
        #expect(throws: BinaryError.self) { try decode([0xFF, 0xFF, 0xFF, 0xFF, 0, 1]) }
    }

    @Test("a count of 64 bits that wraps with the place of its group is an error, never the end of the process")
    func wrappingCount() throws {
        let layout = BinaryLayout(
            fields: [BinaryField(name: "n", type: .u64, at: 0)],
            groups: [.init(name: "g", at: 8, every: 1, count: .field("n"), fields: [BinaryField(name: "v", type: .u8, at: 0)])])
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        defer { slots.deallocate() }
        let payload: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC, 0, 0]
        #expect(throws: BinaryError.self) {
            try payload.withUnsafeBytes { try layout.decode($0, wantedFields: [-1], into: slots) }
        }
    }

    // MARK: Records behind tags

    private static let tagged = BinaryLayout(
        fields: [],
        tagged: .init(
            at: 1, tagBytes: 1,
            types: [
                .init(tag: [0x01], size: 2, fields: [BinaryField(name: "t", type: .i16, at: 0)]),
                .init(tag: [0x02], size: 1, fields: [BinaryField(name: "raw", type: .bytes, at: 0, size: 1)], list: "l"),
                .init(tag: [0x03], size: 0, fields: []),
            ]))

    @Test("fields behind tags are the payload's own, the last one counts; records of a list come in order")
    func taggedRecords() throws {
        let payload: [UInt8] = [0xAA, 0x02, 0x07, 0x01, 0x00, 0x05, 0x03, 0x01, 0xFF, 0xFE, 0x02, 0x08]
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        defer { slots.deallocate() }
        try payload.withUnsafeBytes { bytes in
            try Self.tagged.decode(bytes, wantedFields: [], wantedTagged: [[0], [-1], []], into: slots)
            #expect(Int64(bitPattern: slots[0].word) == -2)
            var scratch = ScratchMemory()
            let object = try Self.tagged.object(bytes, scratch: &scratch)
            #expect(String(decoding: object.bytes, as: UTF8.self) == #"{"t":5,"t":-2,"l":[{"raw":"Bw=="},{"raw":"CA=="}]}"#)
        }
    }

    @Test(
        "a tag that nobody knows, and a record that is cut, are errors with their place",
        arguments: [
            ([0, 1, 0, 5, 9], "unknown tag 09 at byte 4"), ([0, 1, 0], "the record of tag 01 at byte 1 needs 4"),
            ([0, 2], "the record of tag 02 at byte 1 needs 3"),
        ] as [([UInt8], String)])
    func wrongTags(payload: [UInt8], words: String) throws {
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        defer { slots.deallocate() }
        let error = #expect(throws: BinaryError.self) {
            try payload.withUnsafeBytes { try Self.tagged.decode($0, wantedFields: [], into: slots) }
        }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
}

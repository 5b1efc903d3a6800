import Payload

/// JSON text in the making: one block of memory that grows up to a limit, and is used again for the next document.
struct JSONOutput: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0
    private let maximumBytes: Int

    init(maximumBytes: Int, capacity: Int = 16 * 1024) {
        self.maximumBytes = maximumBytes
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    /// Valid until something is appended, or the output goes.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Starts anew; memory that only a large document needed is given back.
    mutating func removeAll() {
        count = 0
        guard capacity > 1 << 20 else { return }
        base.deallocate()
        capacity = 64 * 1024
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    /// Room for `more` bytes.
    @inline(__always) private mutating func reserve(_ more: Int) throws(SparkplugError) {
        if _slowPath(more > capacity - count) { try grow(more) }
    }

    @inline(never) private mutating func grow(_ more: Int) throws(SparkplugError) {
        guard more <= maximumBytes - count else { throw .tooLarge(bytes: maximumBytes) }
        let wanted = min(max(capacity * 2, count + more), maximumBytes)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
        capacity = wanted
    }

    @inline(__always) mutating func append(byte: UInt8) throws(SparkplugError) {
        try reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always) mutating func append(_ text: StaticString) throws(SparkplugError) {
        try append(raw: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(raw bytes: UnsafeRawBufferPointer) throws(SparkplugError) {
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        try reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(_ number: UInt64) throws(SparkplugError) {
        try reserve(20)
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        rest = number
        for offset in stride(from: digits - 1, through: 0, by: -1) {
            base.storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: count + offset, as: UInt8.self)
            rest /= 10
        }
        count += digits
    }

    mutating func append(_ number: Int64) throws(SparkplugError) {
        if number < 0 { try append(byte: UInt8(ascii: "-")) }
        try append(number.magnitude)
    }

    /// The shortest text that reads back as the same double; JSON has no others, so what is not finite is a string.
    mutating func append(_ number: Double) throws(SparkplugError) {
        if number.isNaN { return try append("\"nan\"") }
        if number.isInfinite { return try append(number < 0 ? "\"-inf\"" : "\"inf\"") }
        var text = number.description
        try reserve(text.utf8.count)
        text.withUTF8 { bytes in
            guard let source = bytes.baseAddress else { return }
            (base + count).copyMemory(from: source, byteCount: bytes.count)
            count += bytes.count
        }
    }

    mutating func append(_ isTrue: Bool) throws(SparkplugError) { try append(isTrue ? "true" : "false") }

    /// Text with its quotes (RFC 8259 §7: quotes, backslashes and control characters are escaped).
    /// - Parameter bytes: valid UTF-8.
    mutating func append(quoted bytes: UnsafeRawBufferPointer) throws(SparkplugError) {
        guard bytes.count <= maximumBytes else { throw .tooLarge(bytes: maximumBytes) }
        try append(byte: UInt8(ascii: "\""))
        var plain = 0
        for (index, byte) in bytes.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            try append(raw: UnsafeRawBufferPointer(rebasing: bytes[plain..<index]))
            plain = index + 1
            if byte >= 0x20 {
                try append(byte: UInt8(ascii: "\\"))
                try append(byte: byte)
            } else {
                try append("\\u00")
                try append(byte: 0x30 + (byte >> 4))
                try append(byte: byte & 0xF < 10 ? 0x30 + (byte & 0xF) : 0x57 + (byte & 0xF))
            }
        }
        try append(raw: UnsafeRawBufferPointer(rebasing: bytes[plain...]))
        try append(byte: UInt8(ascii: "\""))
    }

    /// Bytes as base64 (RFC 4648 §4, padded), with quotes.
    mutating func append(base64 bytes: UnsafeRawBufferPointer) throws(SparkplugError) {
        guard bytes.count <= maximumBytes else { throw .tooLarge(bytes: maximumBytes) }
        try reserve((bytes.count + 2) / 3 * 4 + 2)
        try append(byte: UInt8(ascii: "\""))
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let first = UInt32(bytes[index]) << 16
            let second = left > 1 ? UInt32(bytes[index + 1]) << 8 : 0
            let bits = first | second | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            try append(byte: Self.base64Digit(bits >> 18))
            try append(byte: Self.base64Digit(bits >> 12))
            try append(byte: left > 1 ? Self.base64Digit(bits >> 6) : UInt8(ascii: "="))
            try append(byte: left > 2 ? Self.base64Digit(bits) : UInt8(ascii: "="))
            index += 3
        }
        try append(byte: UInt8(ascii: "\""))
    }

    private static func base64Digit(_ bits: UInt32) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: bits & 63)
        return switch digit {
        case 0..<26: 0x41 + digit
        case 26..<52: 0x61 + digit - 26
        case 52..<62: 0x30 + digit - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}

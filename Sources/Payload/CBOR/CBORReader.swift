/// Reads CBOR, one item after the other.
struct CBORReader {
    var input: TreeInput
    let limits: TreeLimits
    let hasShortFloats: Bool

    /// Writes the next item; `depth` arrays and maps are open around it.
    /// - Parameter notation: of byte strings in it, unless a tag asks for another.
    mutating func value(_ writer: inout TreeWriter, depth: Int, notation: BinaryNotation) throws(TreeError) {
        var notation = notation
        var head = try input.head()
        guard !writer.isOverLimit else { throw input.failure(.tooLong(bytesMax: limits.maximumTextBytes), at: head.start) }
        // Tags in a row are walked, not nested: their number is not bounded by a depth.
        while head.major == .tag {
            switch head.argument {
            case 0: return try timeText(head, &writer)
            case 1: return try epochTime(head, &writer)
            case 2, 3: return try bignum(head, &writer)
            case 4, 5: return try fraction(head, &writer)
            case 21: notation = .base64url
            case 22: notation = .base64
            case 23: notation = .hexadecimal
            default: break
            }
            head = try input.head()
        }
        switch head.major {
        case .unsigned, .negative: integer(head, &writer)
        case .bytes, .text: try string(head, &writer, notation, as: .value)
        case .array: try array(head, &writer, depth, notation)
        case .map: try map(head, &writer, depth, notation)
        case .simple, .tag: try simple(head, &writer)
        }
    }

    // MARK: Scalars

    private func integer(_ head: CBORHead, _ writer: inout TreeWriter, as role: TreeWriter.Role = .value) {
        guard head.major == .negative else { return writer.integer(head.argument, as: role) }
        // −1 − argument; the lowest is −2⁶⁴, which 64 bits do not hold.
        let (magnitude, isOver) = head.argument.addingReportingOverflow(1)
        if isOver { writer.word("-18446744073709551616", as: role) } else { writer.integer(magnitude, isNegative: true, as: role) }
    }

    /// RFC 8949 §3.3.
    private func simple(_ head: CBORHead, _ writer: inout TreeWriter) throws(TreeError) {
        switch head.information {
        case 20, 21: writer.boolean(head.information == 21)
        case 22, 23: writer.null()
        case 25: float(Self.half(head.argument), width: 16, &writer)
        case 26: float(Float(bitPattern: UInt32(truncatingIfNeeded: head.argument)), width: 32, &writer)
        case 27: writer.double(Double(bitPattern: head.argument))
        default: throw input.failure(.reservedSimpleValue(UInt8(truncatingIfNeeded: head.argument)), at: head.start)
        }
    }

    private func float(_ value: Float, width: Int, _ writer: inout TreeWriter) {
        guard hasShortFloats, value.isFinite else { return writer.double(Double(value)) }
        let text = width == 16 ? Float16(value).description : value.description
        writer.double(Double(text) ?? Double(value))
    }

    /// A float of 16 bits (RFC 8949 appendix D): one bit of sign, 5 of exponent, 10 of significand.
    static func half(_ bits: UInt64) -> Float { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))) }

    mutating func string(
        _ head: CBORHead, _ writer: inout TreeWriter, _ notation: BinaryNotation, as role: TreeWriter.Role
    ) throws(TreeError) {
        guard head.isIndefinite else {
            let content = try input.content(of: head)
            return head.major == .text ? writer.text(content, as: role) : writer.binary(content, notation, as: role)
        }
        writer.openText(as: role)
        if head.major == .text {
            try input.forEachChunk(of: head) { chunk throws(TreeError) in writer.appendText(chunk) }
        } else {
            var encoder = BinaryTextEncoder(notation)
            try input.forEachChunk(of: head) { chunk throws(TreeError) in writer.appendBinary(chunk, &encoder) }
            writer.finishBinary(&encoder)
        }
        writer.closeText(as: role)
    }

    // MARK: Containers

    private func checkDepth(_ depth: Int, at start: Int) throws(TreeError) {
        guard depth < limits.maximumDepth else { throw input.failure(.tooDeep(levels: limits.maximumDepth), at: start) }
    }

    private mutating func array(
        _ head: CBORHead, _ writer: inout TreeWriter, _ depth: Int, _ notation: BinaryNotation
    ) throws(TreeError) {
        try checkDepth(depth, at: head.start)
        writer.beginArray()
        if head.isIndefinite {
            while try !input.takeBreak() { try value(&writer, depth: depth + 1, notation: notation) }
        } else {
            for _ in 0..<(try input.items(head.argument, bytesEach: 1, of: head.start)) {
                try value(&writer, depth: depth + 1, notation: notation)
            }
        }
        writer.endArray()
    }

    private mutating func map(
        _ head: CBORHead, _ writer: inout TreeWriter, _ depth: Int, _ notation: BinaryNotation
    ) throws(TreeError) {
        try checkDepth(depth, at: head.start)
        writer.beginObject()
        if head.isIndefinite {
            while try !input.takeBreak() { try member(&writer, depth, notation) }
        } else {
            for _ in 0..<(try input.items(head.argument, bytesEach: 2, of: head.start)) { try member(&writer, depth, notation) }
        }
        writer.endObject()
    }

    private mutating func member(_ writer: inout TreeWriter, _ depth: Int, _ notation: BinaryNotation) throws(TreeError) {
        try key(&writer)
        try value(&writer, depth: depth + 1, notation: notation)
    }

    private mutating func key(_ writer: inout TreeWriter) throws(TreeError) {
        var head = try input.head()
        // Bignums and fractions are no names; what other tags say of a name does not change its text.
        while head.major == .tag, !(2...5).contains(head.argument) { head = try input.head() }
        switch head.major {
        case .unsigned, .negative: integer(head, &writer, as: .name)
        case .text: try string(head, &writer, .base64, as: .name)
        case .bytes: try bytesKey(head, &writer)
        case .simple where head.information == 20 || head.information == 21: writer.boolean(head.information == 21, as: .name)
        default: throw input.failure(.invalidKey, at: head.start)
        }
    }

    /// A byte string is text where it, or each of its parts, is UTF-8.
    private mutating func bytesKey(_ head: CBORHead, _ writer: inout TreeWriter) throws(TreeError) {
        guard head.isIndefinite else {
            let content = try input.content(of: head)
            return UTF8Text.isValid(content) ? writer.text(content, as: .name) : writer.binary(content, as: .name)
        }
        var ahead = input
        var isText = true
        try ahead.forEachChunk(of: head) { chunk throws(TreeError) in isText = isText && UTF8Text.isValid(chunk) }
        guard isText else { return try string(head, &writer, .base64, as: .name) }
        writer.openText(as: .name)
        try input.forEachChunk(of: head) { chunk throws(TreeError) in writer.appendText(chunk) }
        writer.closeText(as: .name)
    }
}

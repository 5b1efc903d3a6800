extension CopyBuffer {
    /// numeric, digit by digit from decimal text: optional sign, digits with an optional point, optional exponent.
    ///
    /// The text's grammar must be checked before. Digits after the point set the display scale, as in PostgreSQL's own reading of a literal.
    /// - Returns: false when the number is beyond numeric's limits (131,072 digits before the point, 16,383 after it); nothing is then written.
    public mutating func appendNumeric(text: UnsafeRawBufferPointer) -> Bool {
        guard let shape = NumericShape(text) else { return false }
        let field = beginField()
        appendRaw(Int16(truncatingIfNeeded: shape.groupCount))
        appendRaw(Int16(truncatingIfNeeded: shape.weight))
        appendRaw(shape.groupCount > 0 && shape.isNegative ? UInt16(0x4000) : 0)
        appendRaw(UInt16(truncatingIfNeeded: shape.displayScale))
        var digits = shape.significantDigits(of: text)
        // The first group may hold fewer than four digits, the last one is filled up with zeros.
        var groupsLeft = shape.groupCount
        var size = shape.firstGroupDigits
        while groupsLeft > 0 {
            var group: UInt16 = 0
            for _ in 0..<size { group = group &* 10 &+ UInt16(digits.next() ?? 0) }
            appendRaw(group)
            size = 4
            groupsLeft -= 1
        }
        endField(field)
        return true
    }
}

/// Where the groups of four digits lie in a decimal text.
private struct NumericShape {
    var isNegative = false
    /// Digits from the first to the last that is not zero.
    var digitCount = 0
    /// Place in the text's digits of the first significant one.
    var firstSignificant = 0
    /// Digits after the point.
    var displayScale = 0
    var groupCount = 0
    /// Base-10,000 exponent of the first group.
    var weight = 0
    var firstGroupDigits = 0

    init?(_ text: UnsafeRawBufferPointer) {
        var index = 0
        if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            isNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        var digits = 0
        var fractionDigits = 0
        var isFraction = false
        var first = -1
        var last = -1
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                if byte != UInt8(ascii: "0") {
                    if first < 0 { first = digits }
                    last = digits
                }
                digits += 1
                if isFraction { fractionDigits += 1 }
            } else {
                break
            }
            index += 1
        }
        guard digits > 0 else { return nil }
        var exponent = 0
        if index < text.count {
            guard let read = Self.exponent(text[(index + 1)...]) else { return nil }
            exponent = read
        }
        displayScale = max(0, fractionDigits - exponent)
        guard first >= 0 else {
            // Zero: no groups, but its scale is kept.
            guard displayScale <= 16_383 else { return nil }
            return
        }
        // The exponent of the first significant digit's place: 0 is the units.
        let magnitude = digits - fractionDigits - 1 - first + exponent
        guard magnitude < 131_072, displayScale <= 16_383 else { return nil }
        firstSignificant = first
        digitCount = last - first + 1
        weight = magnitude >= 0 ? magnitude / 4 : -((-magnitude + 3) / 4)
        firstGroupDigits = magnitude - weight * 4 + 1
        groupCount = 1 + max(0, digitCount - firstGroupDigits + 3) / 4
    }

    /// The exponent behind `e`; nil when it is beyond any use.
    private static func exponent(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        var value = 0
        var isNegative = false
        for (offset, byte) in bytes.enumerated() {
            if offset == 0, byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
                isNegative = byte == UInt8(ascii: "-")
            } else {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
                if value > 1_000_000 { return nil }
            }
        }
        return isNegative ? -value : value
    }

    /// The digits from the first significant one on, without sign, point and exponent.
    func significantDigits(of text: UnsafeRawBufferPointer) -> Digits { Digits(text: text, skipping: firstSignificant, count: digitCount) }

    struct Digits {
        private let text: UnsafeRawBufferPointer
        private var index = 0
        private var left: Int

        init(text: UnsafeRawBufferPointer, skipping: Int, count: Int) {
            self.text = text
            left = skipping
            for _ in 0..<skipping { _ = next() }
            left = count
        }

        mutating func next() -> UInt8? {
            guard left > 0 else { return nil }
            while index < text.count {
                let byte = text[index]
                index += 1
                if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                    left -= 1
                    return byte - UInt8(ascii: "0")
                }
                if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") { break }
            }
            return nil
        }
    }
}

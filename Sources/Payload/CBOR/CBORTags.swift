// Tags whose content becomes something else than itself (RFC 8949 §3.4).
extension CBORReader {
    /// Tag 0 (§3.4.1): a time as text, taken as it is.
    mutating func timeText(_ tag: CBORHead, _ writer: inout TreeWriter) throws(TreeError) {
        let head = try input.head()
        guard head.major == .text else { throw input.failure(.invalidTagContent(tag: tag.argument), at: tag.start) }
        try string(head, &writer, .base64, as: .value)
    }

    /// Tag 1 (§3.4.2): seconds since 1970; nan and infinities stay what they are.
    mutating func epochTime(_ tag: CBORHead, _ writer: inout TreeWriter) throws(TreeError) {
        let head = try input.head()
        var seconds: DecimalNumber?
        switch (head.major, head.information) {
        case (.unsigned, _): seconds = DecimalNumber(head.argument)
        case (.negative, _): seconds = DecimalNumber(isNegative: true, significand: UInt128(head.argument) + 1, exponent: 0)
        case (.simple, 25...27):
            let value =
                switch head.information {
                case 25: Double(Self.half(head.argument))
                case 26: Double(Float(bitPattern: UInt32(truncatingIfNeeded: head.argument)))
                default: Double(bitPattern: head.argument)
                }
            guard value.isFinite else { return writer.double(value) }
            seconds = DecimalNumber(value)
        default: throw input.failure(.invalidTagContent(tag: tag.argument), at: tag.start)
        }
        guard let seconds, writer.time(seconds) else { throw input.failure(.invalidTime, at: tag.start) }
    }

    /// Tags 2 and 3 (§3.4.3): a whole number of any size, as bytes.
    mutating func bignum(_ tag: CBORHead, _ writer: inout TreeWriter) throws(TreeError) {
        let number = try wholeNumber(tag)
        writer.decimal(isNegative: tag.argument == 3, digits: number.digits, exponent: 0)
    }

    /// The magnitude of the bignum that stands behind `tag`.
    private mutating func wholeNumber(_ tag: CBORHead) throws(TreeError) -> WholeNumber {
        let head = try input.head()
        guard head.major == .bytes else { throw input.failure(.invalidTagContent(tag: tag.argument), at: tag.start) }
        var number = WholeNumber(0)
        var fits = true
        if head.isIndefinite {
            try input.forEachChunk(of: head) { chunk throws(TreeError) in fits = fits && number.append(chunk) }
        } else {
            fits = number.append(try input.content(of: head))
        }
        // Tag 3 stands for −1 − n.
        if tag.argument == 3 { fits = fits && number.multiply(by: 1, adding: 1) }
        guard fits else { throw input.failure(.numberTooLong(bitsMax: WholeNumber.bitsMax), at: tag.start) }
        return number
    }

    /// Tags 4 and 5 (§3.4.4): an array of an exponent of ten or two and a mantissa. Both are exact in decimal.
    mutating func fraction(_ tag: CBORHead, _ writer: inout TreeWriter) throws(TreeError) {
        let unfit = input.failure(.invalidTagContent(tag: tag.argument), at: tag.start)
        let array = try input.head()
        guard array.major == .array, array.isIndefinite || array.argument == 2 else { throw unfit }
        let exponentHead = try input.head()
        guard exponentHead.major == .unsigned || exponentHead.major == .negative else { throw unfit }
        let tooLong = input.failure(.numberTooLong(bitsMax: WholeNumber.bitsMax), at: tag.start)
        guard let magnitude = Int64(exactly: exponentHead.argument) else { throw tooLong }
        var exponent = exponentHead.major == .negative ? -1 - magnitude : magnitude

        let head = try input.head()
        var isNegative = head.major == .negative
        var mantissa = WholeNumber(head.argument)
        switch head.major {
        case .unsigned: break
        case .negative: guard mantissa.multiply(by: 1, adding: 1) else { throw tooLong }
        case .tag where head.argument == 2 || head.argument == 3:
            mantissa = try wholeNumber(head)
            isNegative = head.argument == 3
        default: throw unfit
        }
        if array.isIndefinite, try !input.takeBreak() { throw unfit }
        if tag.argument == 5 {
            guard let decimal = mantissa.timesPowerOfTwo(exponent) else { throw tooLong }
            exponent = decimal
        }
        writer.decimal(isNegative: isNegative, digits: mantissa.digits, exponent: exponent)
    }
}

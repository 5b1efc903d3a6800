import Payload

// numeric(p, s) as PostgreSQL stores it: rounded half away from zero, refused where it has too many digits before the point. Done here, so that `try` and
// tests show what is stored, and so that a number too large costs one message and not a batch.
extension Evaluator {
    /// A number as `numeric(precision, scale)` holds it, in scratch memory.
    mutating func rounded(
        _ text: UnsafeRawBufferPointer, precision: Int, scale: Int, type: String
    ) throws(EvaluationError) -> UnsafeRawBufferPointer {
        guard let number = DecimalText(text) else { throw .because("\(Quoted(text)) is not a number") }
        let wholeDigits = precision - scale
        guard !number.needsMore(wholeDigits: wholeDigits, scale: scale) else {
            throw .because("\(Quoted(text).bare) is out of range for \(type)")
        }
        // One byte for each place; and once more for what is written, with a sign and a point.
        let places = number.places(wholeDigits: wholeDigits, scale: scale)
        let digits = UnsafeMutableRawBufferPointer(start: scratch.allocate(places.count), count: places.count)
        number.fill(digits, places, scale: scale)
        let target = UnsafeMutableRawBufferPointer(start: scratch.allocate(places.count + 2), count: places.count + 2)
        return UnsafeRawBufferPointer(rebasing: target[..<number.write(digits, places, into: target)])
    }
}

extension DecimalText {
    /// The power of ten of the first digit.
    private var firstPlace: Int { (digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.count) - 1 + writtenExponent }

    /// Whether the number, rounded half away from zero to `scale` digits after the point, has more digits before it. Digit by digit, so that no
    /// length is too long for it.
    func needsMore(wholeDigits: Int, scale: Int) -> Bool {
        // The power of ten of the digit looked at.
        var place = firstPlace
        var isFull = false
        for digit in digits where digit != UInt8(ascii: ".") {
            if place >= wholeDigits {
                if digit != UInt8(ascii: "0") { return true }
            } else if place >= -scale {
                // Only nines from the first place to the last let the rounding carry into a further one.
                guard digit == UInt8(ascii: "9"), isFull || place == wholeDigits - 1 else { return false }
                isFull = true
            } else {
                return isFull && digit >= UInt8(ascii: "5")
            }
            place -= 1
        }
        return false
    }

    /// The powers of ten that are written: from the first digit before the point, or from the units, down to the last one that is shown.
    fileprivate func places(wholeDigits: Int, scale: Int) -> ClosedRange<Int> { min(-scale, 0)...(max(wholeDigits, 1) - 1) }

    /// The digit of each place, the highest first, rounded half away from zero behind `scale` digits after the point.
    fileprivate func fill(_ target: UnsafeMutableRawBufferPointer, _ places: ClosedRange<Int>, scale: Int) {
        for index in target.indices { target[index] = UInt8(ascii: "0") }
        var place = firstPlace
        var isUp = false
        for digit in digits where digit != UInt8(ascii: ".") {
            guard place >= -scale else {
                isUp = place == -scale - 1 && digit >= UInt8(ascii: "5")
                break
            }
            if place <= places.upperBound { target[places.upperBound - place] = digit }
            place -= 1
        }
        var index = places.upperBound + scale
        while isUp, index >= 0 {
            isUp = target[index] == UInt8(ascii: "9")
            target[index] = isUp ? UInt8(ascii: "0") : target[index] + 1
            index -= 1
        }
    }

    /// - Returns: bytes written.
    fileprivate func write(
        _ digits: UnsafeMutableRawBufferPointer, _ places: ClosedRange<Int>, into target: UnsafeMutableRawBufferPointer
    ) -> Int {
        var count = 0
        func append(_ byte: UInt8) {
            target[count] = byte
            count += 1
        }
        let first = digits.firstIndex { $0 != UInt8(ascii: "0") }
        if isNegative, first != nil { append(UInt8(ascii: "-")) }
        for (index, digit) in digits.enumerated() {
            let place = places.upperBound - index
            if place == -1 { append(UInt8(ascii: ".")) }
            // Zeros in front are left out, but for the one before the point.
            if place <= 0 || index >= first ?? digits.count { append(digit) }
        }
        return count
    }
}

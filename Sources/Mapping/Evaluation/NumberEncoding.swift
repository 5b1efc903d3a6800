import CopyFormat
import Payload

// Numbers: decimal text stays decimal until the last step, so that 301 × 0.1 is 30.1.
extension Evaluator {
    mutating func encodeNumber(
        _ value: Value, _ encoding: CompiledColumn.Encoding, _ column: CompiledColumn, _ details: ColumnDetails,
        _ slots: UnsafeMutablePointer<Value>, into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        var text = try numberText(value, details.parse)
        if column.steps.contains(.calculates) || details.affine != nil || details.sign != nil {
            text = try calculated(text, details, slots)
        }
        try append(text, encoding, column, details, into: buffer)
    }

    /// Decimal text of a value, after the parse rule.
    private mutating func numberText(_ value: Value, _ parse: CompiledParse) throws(EvaluationError) -> UnsafeRawBufferPointer {
        let text: UnsafeRawBufferPointer
        switch value.kind {
        case .true: text = Self.bytes(of: "1")
        case .false: text = Self.bytes(of: "0")
        case .timestamp: throw .because("a time is not a number")
        case .double where !Double(bitPattern: value.word).isFinite: throw .because("\(Quoted(try self.text(of: value))) is not a number")
        default: text = trimmed(try self.text(of: value))
        }
        switch parse {
        case .hex:
            var digits = String(decoding: text.prefix(40), as: UTF8.self)
            let isNegative = digits.hasPrefix("-")
            if isNegative { digits.removeFirst() }
            if digits.lowercased().hasPrefix("0x") { digits.removeFirst(2) }
            // `UInt64` would take a sign of its own.
            guard text.count <= 40, digits.first != "+", digits.first != "-", let number = UInt64(digits, radix: 16) else {
                throw .because("\(Quoted(text)) is not a number")
            }
            return copied((isNegative ? "-" : "") + String(number))
        case .decimalComma:
            guard text.contains(UInt8(ascii: ",")) else { return text }
            // Points group thousands, the comma is the decimal point.
            let target = UnsafeMutableRawBufferPointer(start: scratch.allocate(text.count), count: text.count)
            var count = 0
            for byte in text where byte != UInt8(ascii: ".") {
                target[count] = byte == UInt8(ascii: ",") ? UInt8(ascii: ".") : byte
                count += 1
            }
            let read = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(target)[..<count])
            guard NumberText.isNumber(read) else { throw .because("\(Quoted(text)) is not a number") }
            return read
        case .ddmm: return try degrees(text)
        default: return text
        }
    }

    /// ddmm.mmmm as NMEA writes coordinates: degrees + minutes ÷ 60.
    private mutating func degrees(_ text: UnsafeRawBufferPointer) throws(EvaluationError) -> UnsafeRawBufferPointer {
        guard var number = DecimalNumber(text) else { throw .because("\(Quoted(text)) is not a number") }
        // 1.2e3 is as good as 1200; larger exponents are none of a coordinate.
        if (1...6).contains(number.exponent), number.significand < UInt128(UInt64.max) {
            number.significand *= Self.powerOfTen(Int(number.exponent))
            number.exponent = 0
        }
        // Degrees are what stands before the last two digits of the whole part.
        guard number.isExact, number.exponent <= 0, number.exponent >= -20, case let hundred = Self.powerOfTen(2 - Int(number.exponent)),
            let degrees = DecimalNumber(isNegative: number.isNegative, significand: number.significand / hundred, exponent: 0),
            let minutes = DecimalNumber(
                isNegative: number.isNegative, significand: number.significand % hundred, exponent: number.exponent),
            let sum = degrees.adding(minutes.divided(by: 60, significantDigits: 30))
        else { throw .because("\(Quoted(text)) is no coordinate of degrees and minutes") }
        return written(sum)
    }

    /// 10^exponent as a whole number, for 0 … 38.
    private static func powerOfTen(_ exponent: Int) -> UInt128 { (0..<exponent).reduce(1) { power, _ in power * 10 } }

    private mutating func written(_ number: DecimalNumber) -> UnsafeRawBufferPointer {
        let target = scratch.allocate(DecimalNumber.textBytesMax)
        let count = number.write(into: target)
        scratch.giveBack(DecimalNumber.textBytesMax - count)
        return UnsafeRawBufferPointer(start: target, count: count)
    }

    private mutating func calculated(
        _ text: UnsafeRawBufferPointer, _ details: ColumnDetails, _ slots: UnsafeMutablePointer<Value>
    ) throws(EvaluationError) -> UnsafeRawBufferPointer {
        guard var number = DecimalNumber(text), number.isExact else {
            guard NumberText.isNumber(text) else { throw .because("\(Quoted(text)) is not a number") }
            throw .because("\(Quoted(text).bare) has more digits than scale, offset, convert and limits can keep exact")
        }
        if let affine = details.affine {
            guard let result = number.multiplied(by: affine.multiplier)?.adding(affine.addend)?.divided(by: affine.divisor) else {
                throw .because("\(Quoted(text).bare) has more digits than scale, offset and convert can keep exact")
            }
            number = result
        }
        if let sign = details.sign {
            let given = value(of: sign.slot, slots)
            // Without its sign a number would be stored as positive, right or wrong.
            guard !given.isAbsent else { throw .because("there is no value for its sign") }
            let signText = try self.text(of: given)
            if sign.negative.contains(where: { signText.elementsEqual($0) }) { number = -number }
        }
        if let minimum = details.minimum, case .number(let bound) = minimum.bound, (number < bound) {
            throw .because("\(number) is beyond min \(minimum.text)")
        }
        if let maximum = details.maximum, case .number(let bound) = maximum.bound, (bound < number) {
            throw .because("\(number) is beyond max \(maximum.text)")
        }
        return written(number)
    }

    private mutating func append(
        _ text: UnsafeRawBufferPointer, _ encoding: CompiledColumn.Encoding, _ column: CompiledColumn, _ details: ColumnDetails,
        into buffer: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        do throws(NumberError) {
            switch details.declared {
            case .smallint, .integer, .bigint:
                let number = try NumberText.int64(text)
                let bits: Int =
                    switch details.declared {
                    case .smallint: 16
                    case .integer: 32
                    default: 64
                    }
                if bits < 64, number >> (bits - 1) != 0, number >> (bits - 1) != -1 { throw .outOfRange }
                switch encoding {
                case .int2: buffer.pointee.append(Int16(truncatingIfNeeded: number))
                case .int4: buffer.pointee.append(Int32(truncatingIfNeeded: number))
                case .int8: buffer.pointee.append(number)
                case .float4: buffer.pointee.append(Float(number))
                case .float8: buffer.pointee.append(Double(number))
                default: _ = buffer.pointee.appendNumeric(text: copied(String(number)))
                }
                return
            case .real:
                let number = try NumberText.float(text)
                if encoding == .float4 { buffer.pointee.append(number) } else { buffer.pointee.append(Double(number)) }
                return
            case .doublePrecision:
                buffer.pointee.append(try NumberText.double(text))
                return
            default: break
            }
        } catch {
            throw .because(Self.words(error, text, details.declared.sql))
        }
        guard NumberText.isNumber(text) else { throw .because("\(Quoted(text)) is not a number") }
        var stored = text
        if case .numeric(let precision?, let scale) = details.declared {
            stored = try rounded(text, precision: precision, scale: scale, type: details.declared.sql)
        }
        guard buffer.pointee.appendNumeric(text: stored) else { throw .because("\(Quoted(text).bare) is out of range for numeric") }
    }
}

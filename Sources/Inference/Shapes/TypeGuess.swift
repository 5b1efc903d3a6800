/// The type of a column, and how its values are read.
struct TypeGuess {
    var type: String
    var parse: String?
    var zone: String?
    var nullIf: [String] = []
    var time: TimeForm?
    /// What a person should know.
    var remark: String?

    init(_ type: String, parse: String? = nil, remark: String? = nil) {
        self.type = type
        self.parse = parse
        self.remark = remark
    }

    /// - Parameters:
    ///   - isText: all values are written as text (cells of CSV, payloads that are one value), so their type is not in the writing.
    static func of(_ field: Field, isText: Bool) -> TypeGuess {
        if field.isScalar {
            return scalar(field.scalars.map(\.value), topics: field.scalars.map(\.topic), name: field.name, isText: isText)
        }
        if field.isArray { return array(field) }
        if field.valueCount == 0 { return TypeGuess("jsonb", remark: "only null was seen") }
        return TypeGuess("jsonb", remark: field.isObject ? nil : "not of one kind")
    }

    private static func array(_ field: Field) -> TypeGuess {
        let items = field.arrays.flatMap(\.items)
        guard !items.isEmpty, !items.contains(where: { $0.isContainer || $0 == .null }) else {
            return TypeGuess("jsonb", remark: items.isEmpty ? "only empty lists were seen" : nil)
        }
        let values = items.prefix(5000).map { TimedValue(value: $0, receivedMicroseconds: 0) }
        let element = scalar(values, topics: values.map { _ in 0 }, name: field.name, isText: false)
        return ["integer", "bigint", "double precision", "text", "boolean"].contains(element.type) && element.parse == nil
            ? TypeGuess(element.type + "[]") : TypeGuess("jsonb")
    }

    /// - Parameter topics: whose value each is: what grows on one topic is a counter.
    static func scalar(_ all: [TimedValue], topics: [Int], name: String, isText: Bool) -> TypeGuess {
        let isEmpty = { (value: TimedValue) in value.value == .text("") }
        let hasEmpty = all.contains(where: isEmpty)
        let values = all.filter { !isEmpty($0) }
        guard !values.isEmpty else { return TypeGuess("text", remark: "only empty text was seen") }
        var guess = full(values, zip(topics, all).filter { !isEmpty($0.1) }.map(\.0), name, isText)
        if guess.type != "text", guess.type != "jsonb", hasEmpty { guess.nullIf.insert("", at: 0) }
        return guess
    }

    private static func full(_ values: [TimedValue], _ topics: [Int], _ name: String, _ isText: Bool) -> TypeGuess {
        if let time = TimeGuess.form(of: values, name: name) {
            var guess = TypeGuess("timestamptz", parse: time.parse)
            guess.time = time
            if time.isLocal {
                guess.zone = "UTC"
                guess.remark = zoneRemark(values, time)
            }
            return guess
        }
        let scalars = values.map(\.value)
        if scalars.allSatisfy({ if case .boolean = $0 { true } else { false } }) { return TypeGuess("boolean") }
        let texts = scalars.compactMap(\.scalarText)
        let areNumbers = scalars.allSatisfy { if case .number = $0 { true } else { false } }
        if areNumbers || (!FieldWords.isIdentity(name) && areNumeric(texts)) {
            return number(texts.filter { !TextGuess.isNaN($0) }, topics, name, hasNaN: texts.first(where: TextGuess.isNaN))
        }
        guard scalars.allSatisfy({ if case .text = $0 { true } else { false } }) else {
            return TypeGuess("text", remark: "not of one kind")
        }
        if isText, texts.allSatisfy({ TextGuess.isNumber($0) || TextGuess.isDecimalCommaNumber($0) }),
            texts.contains(where: TextGuess.isDecimalCommaNumber)
        {
            return TypeGuess("double precision", parse: "decimal_comma")
        }
        if let pair = TextGuess.booleanPair(texts[0]), texts.allSatisfy({ TextGuess.booleanPair($0) == pair }) {
            let isOne = Set(texts.map { $0.lowercased() }).count == 1
            return TypeGuess("boolean", remark: isOne ? "only '\(texts[0])' was seen" : nil)
        }
        if texts.allSatisfy({ TextGuess.isUUID($0) }) { return TypeGuess("uuid") }
        if FieldWords.isBytes(name), texts.count >= 3 {
            let isBase64 = texts.allSatisfy { $0.utf8.count % 4 == 0 && PackedText.isBase64($0) }
            if texts.allSatisfy({ $0.utf8.count % 2 == 0 && $0.utf8.allSatisfy(TextGuess.isHexDigit) }) {
                return TypeGuess("bytea", parse: "hex", remark: "hexadecimal")
            }
            if isBase64 { return TypeGuess("bytea", parse: "base64", remark: "base64") }
        }
        return TypeGuess("text")
    }

    private static func areNumeric(_ texts: [String]) -> Bool {
        let numbers = texts.filter { !TextGuess.isNaN($0) }
        // Leading zeros and long runs of digits belong to names, not to numbers.
        return !numbers.isEmpty
            && numbers.allSatisfy { text in
                TextGuess.isNumber(text) && text.utf8.count <= 18
                    && !(text.utf8.count > 1 && text.utf8.first == UInt8(ascii: "0") && TextGuess.isWhole(text))
            }
    }

    private static func number(_ texts: [String], _ topics: [Int], _ name: String, hasNaN: String?) -> TypeGuess {
        var guess: TypeGuess
        if texts.contains(where: { !TextGuess.isWhole($0) }) {
            guess = TypeGuess("double precision")
        } else if FieldWords.isMeasure(name) {
            guess = TypeGuess("double precision", remark: "only whole numbers were seen, but by its name it is measured")
        } else if texts.contains(where: { $0.utf8.count > 19 || Int64($0) == nil }) {
            guess = TypeGuess("numeric", remark: "beyond bigint")
        } else {
            let numbers = texts.compactMap { Int64($0) }
            let isLarge = numbers.contains { $0.magnitude > 100_000_000 }
            let isBig = isLarge || FieldWords.isCounter(name) || (texts.count == topics.count && isCountingOn(numbers, topics))
            guess = TypeGuess(isBig ? "bigint" : "integer")
        }
        if let hasNaN {
            guess.nullIf = Array(Set([hasNaN, "nan"])).sorted()
            guess.type = guess.type == "numeric" ? "numeric" : "double precision"
            guess.remark = "'\(hasNaN)' is no number: NULL"
        }
        return guess
    }

    /// Never falls on its topic, and grows far enough to be no accident.
    private static func isCountingOn(_ numbers: [Int64], _ topics: [Int]) -> Bool {
        var last: [Int: Int64] = [:]
        var growth = 0
        for (number, topic) in zip(numbers, topics) {
            if let previous = last[topic] {
                if number < previous { return false }
                if number > previous { growth += 1 }
            }
            last[topic] = number
        }
        return growth >= 5 && 2 * growth >= numbers.count - last.count
    }

    private static func zoneRemark(_ values: [TimedValue], _ time: TimeForm) -> String {
        guard let seconds = TimeGuess.zoneOffsetSeconds(of: values, time) else { return "no offset: taken for UTC" }
        let hours = Double(abs(seconds)) / 3600
        let text = hours == hours.rounded() ? String(Int(hours)) : String(hours)
        return
            "no offset: taken for UTC, but it is \(text) h \(seconds > 0 ? "ahead of" : "behind") the time of receipt: name the device's zone"
    }
}

extension PackedText {
    /// Base64 of any length, padded.
    static func isBase64(_ text: String) -> Bool {
        text.utf8.allSatisfy {
            (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "+")
                || $0 == UInt8(ascii: "/")
                || $0 == UInt8(ascii: "=")
        }
    }
}

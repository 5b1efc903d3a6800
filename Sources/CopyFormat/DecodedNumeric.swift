/// A numeric in the form of `numeric_send`: groups of four digits, the first with its weight, a sign, and how many digits are shown behind the point.
struct DecodedNumeric {
    private let field: UnsafeRawBufferPointer

    init(_ field: UnsafeRawBufferPointer) {
        precondition(field.count >= 8 && field.count % 2 == 0, "a numeric has a head of four words")
        self.field = field
    }

    private func word(_ index: Int) -> Int {
        Int(Int16(bitPattern: UInt16(field[index * 2]) << 8 | UInt16(field[index * 2 + 1])))
    }

    /// Its digits, all that are shown.
    var text: String {
        let groups = word(0)
        let weight = word(1)
        let scale = word(3)
        func group(_ place: Int) -> String {
            let index = weight - place
            let digits = index >= 0 && index < groups ? String(word(4 + index)) : "0"
            return String(repeating: "0", count: 4 - digits.count) + digits
        }
        var text = word(2) == 0x4000 ? "-" : ""
        if weight >= 0 {
            text += String(group(weight).drop { $0 == "0" })
            for place in stride(from: weight - 1, through: 0, by: -1) { text += group(place) }
        }
        if text.isEmpty || text == "-" { text += "0" }
        guard scale > 0 else { return text }
        text += "."
        let behind = (1...(scale + 3) / 4).map { group(-$0) }.joined()
        return text + behind.prefix(scale)
    }
}

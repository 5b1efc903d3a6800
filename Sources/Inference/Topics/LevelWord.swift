/// What one level of a topic looks like.
struct LevelWord {
    let text: String

    init(_ text: some StringProtocol) { self.text = String(text) }

    /// Nobody would choose it as a name of something fixed: a UUID, a hardware address, hexadecimal digits, a long number, or a word and one of these.
    var isStrongID: Bool {
        if TextGuess.isUUID(text) || TextGuess.isMAC(text) || TextGuess.isHexID(text) { return true }
        if TextGuess.isDigits(text) { return text.utf8.count >= 5 }
        guard let last = text.split(whereSeparator: { $0 == "-" || $0 == "_" || $0 == ":" || $0 == "." }).last,
            last.utf8.count < text.utf8.count
        else { return false }
        return TextGuess.isHexID(last) || (TextGuess.isDigits(last) && last.utf8.count >= 3)
    }

    /// Something with a number: `g00001`, `dev-7`, `3`.
    var isID: Bool { isStrongID || text.utf8.contains { (0x30...0x39).contains($0) } }

    /// The word with its runs of digits taken out: siblings that are numbered have the same.
    var form: String {
        if TextGuess.isUUID(text) { return "<uuid>" }
        if TextGuess.isMAC(text) { return "<mac>" }
        if TextGuess.isHexID(text) { return "<hex>" }
        var form = ""
        for part in text.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "-" || $0 == "_" || $0 == ":" || $0 == "." }) {
            if !form.isEmpty { form += "-" }
            if TextGuess.isHexID(part) {
                form += "<hex>"
                continue
            }
            for character in part {
                if character.isASCII, character.isNumber {
                    if !form.hasSuffix("#") { form += "#" }
                } else {
                    form.append(character)
                }
            }
        }
        return form
    }
}

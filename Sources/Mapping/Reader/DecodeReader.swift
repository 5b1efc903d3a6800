import Payload

/// Reads `decode: json` and `decode: {csv: {…}}`.
struct DecodeReader {
    let diagnostics: DiagnosticList

    func read(_ node: StrictNode?) -> DecodeSyntax? {
        guard let node else { return .json(allowsNaN: false, lines: false) }
        var name = node.text
        var options: StrictNode?
        if let members = node.members, members.count == 1 {
            name = members[0].key.text
            options = members[0].value
        }
        guard let name else {
            diagnostics.add(at: node.mark, "'decode' is the name of one decoder, or {name: options}")
            return nil
        }
        switch name {
        case "json":
            guard let options else { return .json(allowsNaN: false, lines: false) }
            guard let object = ObjectReader(options, "decode json", keys: Keys.json, diagnostics) else { return nil }
            return .json(allowsNaN: object.flag("allow_nan") ?? false, lines: object.flag("lines") ?? false)
        case "text": return hasNoOptions(name, options) ? .text : nil
        case "bytes": return hasNoOptions(name, options) ? .bytes : nil
        case "csv": return csv(options)
        case "binary":
            guard let options else {
                diagnostics.add(at: node.mark, "decode: binary needs its fields: {binary: {fields: …}}")
                return nil
            }
            return BinaryLayoutReader(diagnostics: diagnostics).read(options).map { .binary($0) }
        case "msgpack": return hasNoOptions(name, options) ? .msgpack : nil
        case "cbor": return hasNoOptions(name, options) ? .cbor : nil
        case "senml": return hasNoOptions(name, options) ? .senml : nil
        case "airvantage": return hasNoOptions(name, options) ? .airvantage : nil
        case "sparkplug":
            guard let options else { return .sparkplug(asksForBirths: false) }
            guard let object = ObjectReader(options, "decode sparkplug", keys: Keys.sparkplug, diagnostics) else { return nil }
            return .sparkplug(asksForBirths: object.flag("rebirth") ?? false)
        default:
            diagnostics.add(
                at: node.mark, "unknown decoder '\(name)'",
                hint: suggestion(for: name, among: Keys.decoders) ?? "decoders are \(Keys.decoders.joined(separator: ", "))")
            return nil
        }
    }

    private func hasNoOptions(_ name: String, _ options: StrictNode?) -> Bool {
        guard let options, !options.isNull else { return true }
        return ObjectReader(options, "decode \(name)", keys: [], diagnostics) != nil
    }

    // MARK: CSV

    private func csv(_ node: StrictNode?) -> DecodeSyntax? {
        var options = CSVOptions()
        var hasDecimalComma = false
        guard let node else { return .csv(options, hasDecimalComma: false) }
        guard let object = ObjectReader(node, "decode csv", keys: Keys.csv, diagnostics) else { return nil }
        if let byte = byte("delimiter", object) { options.delimiter = byte }
        if let byte = byte("quote", object) { options.quote = byte }
        if options.delimiter == options.quote { diagnostics.add(at: object.mark, "delimiter and quote are the same") }
        if let node = object["header"] {
            if let names = node.items {
                if names.isEmpty {
                    diagnostics.add(at: node.mark, "'header' is an empty list", hint: "header: none says that there are no names")
                }
                for name in names where name.text == nil { diagnostics.add(at: name.mark, "a name of 'header' is a single word") }
                options.header = .names(names.compactMap(\.text))
            } else if node.text == "first_line" {
                options.header = .firstLine
            } else if node.text != "none" {
                diagnostics.add(at: node.mark, "'header' is none, first_line or a list of names")
            }
        }
        if let node = object["decimal"], let text = object.text("decimal") {
            if text != ".", text != "," { diagnostics.add(at: node.mark, "'decimal' is . or ,") }
            hasDecimalComma = text == ","
        }
        if let comment = object.text("comment") { options.comment = Array(comment.utf8) }
        if let count = object.integer("skip_lines", in: 0...1000) { options.skipLines = count }
        if let first = object.integer("pairs_from", in: 0...10_000) { options.pairsFrom = first }
        return .csv(options, hasDecimalComma: hasDecimalComma)
    }

    private func byte(_ key: String, _ object: ObjectReader) -> UInt8? {
        guard let node = object[key], let text = object.text(key) else { return nil }
        if text == "tab" { return 0x09 }
        guard let byte = text.utf8.first, text.utf8.count == 1, byte < 0x80, byte != 0x0A, byte != 0x0D else {
            diagnostics.add(at: node.mark, "'\(key)' is one ASCII character, or tab")
            return nil
        }
        return byte
    }
}

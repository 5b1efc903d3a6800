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
        if Keys.decodersLater.contains(name) {
            diagnostics.add(at: node.mark, "decode: \(name) is not yet supported")
            return nil
        }
        switch name {
        case "json":
            guard let options else { return .json(allowsNaN: false, lines: false) }
            guard let object = ObjectReader(options, "decode json", keys: Keys.json, diagnostics) else { return nil }
            return .json(allowsNaN: object.flag("allow_nan") ?? false, lines: object.flag("lines") ?? false)
        case "text": return .text
        case "bytes": return .bytes
        case "csv": return csv(options)
        case "binary":
            guard let options else {
                diagnostics.add(at: node.mark, "decode: binary needs its fields: {binary: {fields: …}}")
                return nil
            }
            return binary(options)
        case "msgpack": return plain(.msgpack, options)
        case "cbor": return plain(.cbor, options)
        case "senml": return plain(.senml, options)
        case "airvantage": return plain(.airvantage, options)
        default:
            let known = Keys.decoders + Keys.decodersLater
            diagnostics.add(
                at: node.mark, "unknown decoder '\(name)'",
                hint: suggestion(for: name, among: known) ?? "decoders are \(Keys.decoders.joined(separator: ", "))")
            return nil
        }
    }

    /// A decoder that has no options.
    private func plain(_ decode: DecodeSyntax, _ options: StrictNode?) -> DecodeSyntax? {
        guard let options else { return decode }
        return ObjectReader(options, "decode \(decode.name)", keys: [], diagnostics) == nil ? nil : decode
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

    // MARK: Binary

    private func binary(_ node: StrictNode) -> DecodeSyntax? {
        guard let object = ObjectReader(node, "decode binary", keys: Keys.binary, later: Keys.binaryLater, diagnostics) else { return nil }
        var layout = BinaryLayout(fields: [])
        if let node = object["endian"], let text = object.text("endian") {
            if text != "big", text != "little" { diagnostics.add(at: node.mark, "'endian' is big or little") }
            layout.isLittleEndian = text == "little"
        }
        layout.length = object.integer("length", in: 1...268_435_455)
        layout.fields = fields(object["fields"])
        for (key, value) in object["groups"]?.members ?? [] {
            guard let name = key.text, let group = ObjectReader(value, "group '\(name)'", keys: Keys.group, diagnostics) else { continue }
            for needed in ["at", "every", "fields"] where group[needed] == nil {
                diagnostics.add(at: value.mark, "group '\(name)' needs '\(needed)'")
            }
            let at = group.integer("at", in: 0...268_435_455) ?? 0
            let every = group.integer("every", in: 1...1_000_000) ?? 1
            let fields = fields(group["fields"])
            for field in fields where field.at >= 0 && field.at + field.size > every {
                diagnostics.add(at: value.mark, "field '\(field.name)' reaches beyond the \(every) bytes of a record of group '\(name)'")
            }
            layout.groups.append(.init(name: name, at: at, every: every, count: count(group, layout.fields), fields: fields))
        }
        return .binary(layout)
    }

    private func count(_ group: ObjectReader, _ fields: [BinaryField]) -> BinaryLayout.Group.Count {
        guard let node = group["count"], let text = group.text("count"), text != "to_end" else { return .toEnd }
        if let number = Int(text), (0...1_000_000).contains(number) { return .fixed(number) }
        let name = String(text.dropFirst(2))
        if text.hasPrefix("$."), fields.contains(where: { $0.name == name }) { return .field(name) }
        diagnostics.add(
            at: node.mark, "'count' of \(group.name) is a number, to_end or a field such as $.n, not '\(text)'",
            hint: suggestion(for: name, among: fields.map(\.name)))
        return .toEnd
    }

    private func fields(_ node: StrictNode?) -> [BinaryField] {
        guard let node else { return [] }
        guard let members = node.members else {
            diagnostics.add(at: node.mark, "'fields' needs names with a type and a place each, such as {n: u16 at 3}")
            return []
        }
        return members.compactMap { key, value in key.text.flatMap { field($0, value) } }
    }

    private func field(_ name: String, _ node: StrictNode) -> BinaryField? {
        if let text = node.text {
            let words = text.split(separator: " ")
            guard words.count == 3, words[1] == "at", let at = Int(words[2]) else {
                diagnostics.add(at: node.mark, "field '\(name)' does not read as 'TYPE at OFFSET'", hint: "such as 'u16 at 3'")
                return nil
            }
            return field(name, String(words[0]), at, node.mark, nil, nil, nil)
        }
        guard let object = ObjectReader(node, "field '\(name)'", keys: Keys.field, diagnostics) else { return nil }
        guard let type = object.text("type"), let at = object.integer("at", in: -268_435_455...268_435_455) else {
            if object["type"] == nil || object["at"] == nil { diagnostics.add(at: node.mark, "field '\(name)' needs 'type' and 'at'") }
            return nil
        }
        var bits: ClosedRange<Int>?
        if let node = object["bits"], let text = object.text("bits") {
            let ends = text.split(separator: ".", omittingEmptySubsequences: true).map { Int($0) }
            if ends.count == 1, let only = ends[0], (0...63).contains(only) {
                bits = only...only
            } else if ends.count == 2, let low = ends[0], let high = ends[1], 0 <= low, low <= high, high <= 63 {
                bits = low...high
            } else {
                diagnostics.add(at: node.mark, "'bits' of field '\(name)' is lo..hi, bit 0 the least significant, not '\(text)'")
            }
        }
        return field(
            name, type, at, node.mark, object.choice("order", BinaryField.Order.self), bits, object.integer("size", in: 1...1_000_000))
    }

    private func field(
        _ name: String, _ typeName: String, _ at: Int, _ mark: SourceMark, _ order: BinaryField.Order?, _ bits: ClosedRange<Int>?,
        _ size: Int?
    ) -> BinaryField? {
        guard let type = BinaryField.FieldType(rawValue: typeName) else {
            let known = BinaryField.FieldType.allCases.map(\.rawValue)
            diagnostics.add(
                at: mark, "field '\(name)': unknown type '\(typeName)'",
                hint: suggestion(for: typeName, among: known) ?? "types are \(known.joined(separator: " "))")
            return nil
        }
        guard let bytes = BinaryField.size(of: type) ?? size else {
            diagnostics.add(at: mark, "field '\(name)': type \(typeName) needs 'size'")
            return nil
        }
        if type == .bcd, bytes > 9 { diagnostics.add(at: mark, "field '\(name)': bcd has at most 9 bytes, 18 digits") }
        if at < 0, -at < bytes { diagnostics.add(at: mark, "field '\(name)' at \(at) reaches beyond the end") }
        if let bits {
            let isInteger = typeName.hasPrefix("u") || typeName.hasPrefix("i")
            if !isInteger || bits.upperBound >= bytes * 8 {
                diagnostics.add(at: mark, "field '\(name)': bits \(bits.lowerBound)..\(bits.upperBound) are not in \(typeName)")
            }
        }
        if let order {
            let needs = order == .ab || order == .ba ? 2 : 4
            if bytes < needs || type == .text || type == .bytes {
                diagnostics.add(at: mark, "field '\(name)': order \(order.rawValue) does not fit \(typeName)")
            }
        }
        return BinaryField(name: name, type: type, at: at, order: order, bits: bits, size: bytes)
    }
}

import Payload

/// Reads the options of `decode: binary`: fields, groups of records, records behind tags.
struct BinaryLayoutReader {
    let diagnostics: DiagnosticList

    /// Where a field may stand: a payload of MQTT ends at 256 MB, and no sum of a place and a size overflows.
    private static let places = -268_435_455...268_435_455

    func read(_ node: StrictNode) -> BinaryLayout? {
        guard let object = ObjectReader(node, "decode binary", keys: Keys.binary, diagnostics) else { return nil }
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
        if let node = object["tagged"] { layout.tagged = tagged(node) }
        check(layout, object)
        return layout
    }

    /// What no payload can fulfil, and names that stand for two things.
    private func check(_ layout: BinaryLayout, _ object: ObjectReader) {
        if let length = layout.length {
            for field in layout.fields where field.at >= 0 && field.at + field.size > length {
                diagnostics.add(
                    at: object.mark(of: "length"), "'length' is \(length), but the field '\(field.name)' ends at \(field.at + field.size)")
            }
        }
        let names = layout.fields.map(\.name) + layout.groups.map(\.name) + (layout.tagged?.lists ?? [])
        for (place, name) in names.enumerated() where names[..<place].contains(name) {
            diagnostics.add(
                at: object.mark, "'\(name)' stands for two things in decode binary",
                hint: "fields, groups and lists have names of their own")
        }
    }

    // MARK: Records behind tags

    private func tagged(_ node: StrictNode) -> BinaryLayout.Tagged? {
        guard let object = ObjectReader(node, "tagged", keys: Keys.tagged, diagnostics) else { return nil }
        for needed in ["tag_bytes", "types"] where object[needed] == nil {
            diagnostics.add(
                at: object.mark, "'tagged' needs '\(needed)'",
                hint: "such as {tag_bytes: 1, types: {\"01\": {size: 2, fields: {v: i16 at 0}}}}")
        }
        guard let tagBytes = object.integer("tag_bytes", in: 1...8), let types = object["types"] else { return nil }
        var tagged = BinaryLayout.Tagged(at: object.integer("at", in: 0...268_435_455) ?? 0, tagBytes: tagBytes, types: [])
        guard let members = types.members, !members.isEmpty else {
            diagnostics.add(at: types.mark, "'types' of 'tagged' needs tags with what stands behind them, not \(types.kindInWords)")
            return nil
        }
        for (key, value) in members {
            guard let type = type(key, value, tagBytes) else { continue }
            if tagged.types.contains(where: { $0.tag == type.tag }) {
                diagnostics.add(at: key.mark, "the tag '\(key.text ?? "")' stands twice")
            }
            tagged.types.append(type)
        }
        return tagged
    }

    private func type(_ key: StrictNode, _ node: StrictNode, _ tagBytes: Int) -> BinaryLayout.Tagged.RecordType? {
        let text = key.text ?? ""
        var tag: [UInt8] = []
        var digits = text.utf8[...]
        while digits.count >= 2, let byte = UInt8(String(Substring(digits.prefix(2))), radix: 16) {
            tag.append(byte)
            digits = digits.dropFirst(2)
        }
        guard digits.isEmpty, tag.count == tagBytes else {
            diagnostics.add(
                at: key.mark, "the tag '\(text)' is not \(tagBytes) bytes in hexadecimal digits",
                hint: "such as \"\(String(repeating: "0", count: tagBytes * 2 - 1))1\"")
            return nil
        }
        guard let object = ObjectReader(node, "the tag '\(text)'", keys: Keys.taggedType, diagnostics) else { return nil }
        guard let size = object.integer("size", in: 0...1_000_000) else {
            if object["size"] == nil { diagnostics.add(at: node.mark, "the tag '\(text)' needs 'size', the bytes behind it") }
            return nil
        }
        let fields = fields(object["fields"])
        for field in fields where field.at < 0 ? -field.at > size : field.at + field.size > size {
            diagnostics.add(at: node.mark, "field '\(field.name)' reaches beyond the \(size) bytes of the tag '\(text)'")
        }
        return BinaryLayout.Tagged.RecordType(tag: tag, size: size, fields: fields, list: object.text("list"))
    }

    // MARK: Groups and fields

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
            guard words.count == 3, words[1] == "at", let at = Int(words[2]), Self.places.contains(at) else {
                diagnostics.add(at: node.mark, "field '\(name)' does not read as 'TYPE at OFFSET'", hint: "such as 'u16 at 3'")
                return nil
            }
            return field(name, String(words[0]), at, node.mark, nil, nil, nil)
        }
        guard let object = ObjectReader(node, "field '\(name)'", keys: Keys.field, diagnostics) else { return nil }
        guard let type = object.text("type"), let at = object.integer("at", in: Self.places) else {
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

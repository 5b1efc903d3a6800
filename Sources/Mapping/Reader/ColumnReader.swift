import CopyFormat
import Payload

/// Reads one column, short form or long, and checks that its steps fit its type.
struct ColumnReader {
    let sources: SourceReader
    let conditions: ConditionReader
    let diagnostics: DiagnosticList
    /// The root that a column without `from` reads from: the innermost loop or `$`.
    let innermost: DocumentRoot
    let mappingPolicy: ErrorPolicy

    func read(_ name: StrictNode, _ node: StrictNode) -> ColumnSyntax? {
        guard let text = name.text else {
            diagnostics.add(at: name.mark, "a column's name is a single word")
            return nil
        }
        guard isColumnName(text) else {
            diagnostics.add(
                at: name.mark, "'\(text)' is no column name",
                hint: "a column name has 1 to 63 of a-z, 0-9 and _, and does not start with a digit")
            return nil
        }
        return node.members == nil ? short(text, name.mark, node) : long(text, name.mark, node)
    }

    private func isColumnName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 63, !(0x30...0x39).contains(first) else { return false }
        return bytes.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: "_") }
    }

    /// `TYPE [not null] [from SOURCE]`
    private func short(_ name: String, _ mark: SourceMark, _ node: StrictNode) -> ColumnSyntax? {
        guard let text = node.text, !node.isNull else {
            diagnostics.add(at: node.mark, "column '\(name)' needs a type, such as 'real' or 'text not null from topic.device'")
            return nil
        }
        var typeText = text
        var source: Source?
        if let range = text.range(of: " from ") {
            typeText = String(text[..<range.lowerBound])
            guard let read = sources.read(text[range.upperBound...].trimmingSpaces, at: node.mark) else { return nil }
            source = read
        }
        guard let (type, isNotNull) = type(typeText, at: node.mark, column: name) else { return nil }
        guard let from = source ?? fieldOfTheSameName(name, at: node.mark) else { return nil }
        var column = ColumnSyntax(
            name: name, mark: mark, type: type, isNotNull: isNotNull, from: [from], trim: false, nullIf: [], when: [], map: [])
        column.isNotNull = isNotNull
        checkRest(column)
        checkBytes(column, at: node.mark)
        return column
    }

    private func checkRest(_ column: ColumnSyntax) {
        guard column.from.contains(.rest), column.from.count > 1 || (column.type != .jsonb && column.type != .json) else { return }
        diagnostics.add(at: column.mark, "column '\(column.name)': rest is jsonb, and comes alone")
    }

    /// Beside fields that are none bytes are base64 text: a column of bytes would take the letters for them.
    private func checkBytes(_ column: ColumnSyntax, at mark: SourceMark) {
        guard column.type == .bytea, column.joinSeparator == nil else { return }
        for source in column.from {
            guard case .someField = sources.shape(of: source) else { continue }
            diagnostics.add(
                at: mark, "column '\(column.name)': '\(source)' is whichever field comes, and bytes among them are not told from text",
                hint: "name the field, as in $.raw or record.raw")
        }
    }

    private func fieldOfTheSameName(_ name: String, at mark: SourceMark) -> Source? {
        let root =
            switch innermost {
            case .payload: "$"
            case .embed(let name), .loop(let name): name
            }
        do throws(DocumentShape.Fault) { _ = try sources.shape(of: root, [.name(name)]) } catch {
            diagnostics.add(at: mark, "column '\(name)': \(error.message)", hint: error.hint ?? "say where it comes from")
            return nil
        }
        return .document(innermost, [.name(name)])
    }

    private func type(_ text: String, at mark: SourceMark, column: String) -> (ColumnType, Bool)? {
        var words = text.trimmingSpaces
        let isNotNull = words.lowercased().hasSuffix(" not null")
        if isNotNull { words = String(words.dropLast(9)) }
        guard let type = TypeReader(diagnostics: diagnostics).read(words, at: mark, column: column) else { return nil }
        return (type, isNotNull)
    }

    // MARK: Long form

    private func long(_ name: String, _ mark: SourceMark, _ node: StrictNode) -> ColumnSyntax? {
        guard let object = ObjectReader(node, "column '\(name)'", keys: Keys.column, diagnostics) else { return nil }
        guard let typeNode = object["type"], let typeText = object.text("type") else {
            if object["type"] == nil { diagnostics.add(at: object.mark, "column '\(name)' needs a type") }
            return nil
        }
        guard let (type, isNotNull) = type(typeText, at: typeNode.mark, column: name) else { return nil }
        var column = ColumnSyntax(
            name: name, mark: mark, type: type, isNotNull: isNotNull, from: [], trim: false, nullIf: [], when: [], map: [])
        if let flag = object.flag("not_null") {
            if isNotNull, !flag {
                diagnostics.add(
                    at: object.mark(of: "not_null"), "column '\(name)' is not null by its type, and not by 'not_null'", hint: "keep one")
            }
            column.isNotNull = isNotNull || flag
        }
        guard readSource(object, &column) else { return nil }
        column.when = conditions.read(object["when"])
        if object["is"] != nil { column.isKind = conditions.kinds(object, "column '\(name)'") }
        column.trim = object.flag("trim") ?? false
        column.nullIf = object.texts("null_if")
        readMap(object, &column)
        readParse(object, &column)
        readArithmetic(object, &column)
        readPlus(object, &column)
        column.minimum = bound("min", object, column)
        column.maximum = bound("max", object, column)
        checkBounds(object, column)
        readDefault(object, &column)
        ConstantChecks(diagnostics: diagnostics).check(column, object)
        column.onError = object.choice("on_error", ErrorPolicy.self)
        column.comment = object.text("comment")
        if (column.onError ?? mappingPolicy) == .setNull, column.isNotNull, column.defaultValue == nil, column.onError != nil {
            diagnostics.add(
                at: object.mark(of: "on_error"), "column '\(name)' is not null and has no default, so on_error: set_null cannot hold",
                hint: "give it a default, or another on_error")
        }
        return column
    }

    private func readSource(_ object: ObjectReader, _ column: inout ColumnSyntax) -> Bool {
        let given = ["from", "join", "const"].filter { object[$0] != nil }
        if given.count > 1 {
            diagnostics.add(at: object.mark(of: given[1]), "column '\(column.name)' has '\(given[0])' and '\(given[1])'", hint: "keep one")
            return false
        }
        if let constant = object["const"] {
            guard let text = object.text("const") else { return false }
            column.from = [.constant(constant.isNull ? .null : .text(text))]
        } else if object["join"] != nil {
            let parts = object.list("join").map { sources.read($0) }
            guard !parts.contains(where: { $0 == nil }) else { return false }
            column.from = parts.compactMap { $0 }
            column.joinSeparator = object.text("with") ?? " "
        } else if object["from"] != nil {
            let parts = object.list("from").map { sources.read($0) }
            guard !parts.isEmpty, !parts.contains(where: { $0 == nil }) else { return false }
            column.from = parts.compactMap { $0 }
        } else {
            guard let source = fieldOfTheSameName(column.name, at: object.mark) else { return false }
            column.from = [source]
        }
        if object["with"] != nil, object["join"] == nil { diagnostics.add(at: object.mark(of: "with"), "'with' goes with 'join'") }
        checkRest(column)
        checkBytes(column, at: object["from"]?.mark ?? object.mark)
        return true
    }

    private func readMap(_ object: ObjectReader, _ column: inout ColumnSyntax) {
        if let node = object["map"] {
            guard let members = node.members else {
                diagnostics.add(at: node.mark, "'map' of column '\(column.name)' needs values and what they become")
                return
            }
            if members.isEmpty { diagnostics.add(at: node.mark, "'map' of column '\(column.name)' maps nothing") }
            if column.type.isArray { diagnostics.add(at: node.mark, "column '\(column.name)': a map does not fit an array") }
            column.map = members.compactMap { key, value in
                guard let text = key.text, let to = value.text else {
                    diagnostics.add(at: value.mark, "'map' of column '\(column.name)' maps single values")
                    return nil
                }
                return (text, value.isNull ? .null : .text(to))
            }
        }
        if let node = object["map_else"], let text = object.text("map_else") {
            column.mapElse = node.isNull ? .null : .text(text)
            if column.map.isEmpty {
                diagnostics.add(
                    at: object.mark(of: "map_else"), "column '\(column.name)' has 'map_else' without 'map'",
                    hint: "name what is mapped in 'map'; for what is absent there is 'default'")
            }
        }
    }

    private func readParse(_ object: ObjectReader, _ column: inout ColumnSyntax) {
        let element: ColumnType = if case .array(let element) = column.type { element } else { column.type }
        let isTime = element.isTime
        if let node = object["parse"], let text = object.text("parse") {
            var rule: ParseRule?
            var fits = false
            switch text {
            case "rfc3339": (rule, fits) = (.rfc3339, isTime)
            case "decimal_comma": (rule, fits) = (.decimalComma, element.isNumeric)
            case "hex": (rule, fits) = (.hex, element.isNumeric || element == .bytea)
            case "ddmm": (rule, fits) = (.ddmm, element.isNumeric)
            case "base64": (rule, fits) = (.base64, element == .bytea)
            case "json": (rule, fits) = (.json, element == .jsonb || element == .json)
            default:
                if let unit = UnixUnit(rawValue: text) {
                    (rule, fits) = (.unix(unit), isTime)
                } else if isTime {
                    do throws(TimePattern.Fault) {
                        _ = try TimePattern(text)
                        (rule, fits) = (.pattern(text), true)
                    } catch {
                        let known = UnixUnit.allCases.map(\.rawValue) + ["rfc3339"]
                        let hint =
                            suggestion(for: text, among: known) ?? "fields are yyyy yy MM dd HH mm ss S; any other letter is an error"
                        switch error {
                        case .unknownLetter(let letter):
                            diagnostics.add(
                                at: node.mark, "'\(letter)' in the time pattern '\(text)' of column '\(column.name)' is no field",
                                hint: hint)
                        case .incompleteDate:
                            diagnostics.add(
                                at: node.mark, "the time pattern '\(text)' of column '\(column.name)' needs year, month and day")
                        }
                        return
                    }
                }
            }
            guard let rule, fits else {
                let hint = suggestion(
                    for: text, among: ["rfc3339", "decimal_comma", "hex", "ddmm", "base64", "json"] + UnixUnit.allCases.map(\.rawValue))
                diagnostics.add(
                    at: node.mark, "parse: \(text) does not fit column '\(column.name)' of type \(column.type.sql)",
                    hint: rule == nil ? hint : nil)
                return
            }
            column.parse = rule
        }
        if let node = object["zone"], let zone = object.text("zone") {
            if !isTime { diagnostics.add(at: node.mark, "'zone' is for times; column '\(column.name)' is \(column.type.sql)") }
            do throws(TimeZoneRules.Fault) {
                _ = try TimeZoneRules(zone)
                column.zone = zone
            } catch {
                if case .noDatabase(let folder) = error {
                    diagnostics.add(at: node.mark, "there is no time zone database at \(folder)", hint: "install the package tzdata")
                } else {
                    diagnostics.add(at: node.mark, "time zone '\(zone)' is not known", hint: "use an IANA name such as Europe/Berlin")
                }
            }
        }
        if case .pattern(let text) = column.parse, object["zone"] == nil, element != .date {
            diagnostics.add(
                at: object.mark(of: "parse"), "the time pattern '\(text)' of column '\(column.name)' says no offset",
                hint: "add zone: UTC, or the zone of the device")
        }
    }

    private func readArithmetic(_ object: ObjectReader, _ column: inout ColumnSyntax) {
        for key in ["scale", "offset"] {
            guard let node = object[key], let text = object.text(key) else { continue }
            guard DecimalNumber(text) != nil else {
                diagnostics.add(at: node.mark, "'\(key)' of column '\(column.name)' is a number, not '\(text)'")
                continue
            }
            if !column.type.isNumeric {
                diagnostics.add(at: node.mark, "'\(key)' is for numbers; column '\(column.name)' is \(column.type.sql)")
            }
            if key == "scale" { column.scale = text } else { column.offset = text }
        }
        if let node = object["convert"], let text = object.text("convert") {
            if !column.type.isNumeric {
                diagnostics.add(at: node.mark, "'convert' is for numbers; column '\(column.name)' is \(column.type.sql)")
            }
            do throws(Units.Fault) {
                column.convert = try Units.conversion(text)
            } catch {
                switch error {
                case .malformed:
                    diagnostics.add(at: node.mark, "convert: '\(text)' does not read as 'unit to unit'", hint: "such as 'degF to degC'")
                case .unknown(let unit):
                    diagnostics.add(
                        at: node.mark, "unit '\(unit)' is not known",
                        hint: suggestion(for: unit, among: Units.names) ?? "units are \(Units.names.joined(separator: " "))")
                case .dimensions(let from, let to): diagnostics.add(at: node.mark, "convert: '\(text)' turns \(from) into \(to)")
                }
            }
        }
        if let node = object["sign"], let sign = ObjectReader(node, "sign of column '\(column.name)'", keys: Keys.sign, diagnostics) {
            if !column.type.isNumeric {
                diagnostics.add(at: node.mark, "'sign' is for numbers; column '\(column.name)' is \(column.type.sql)")
            }
            let negative = sign.texts("negative")
            if sign["from"] == nil || sign["negative"] == nil || negative.isEmpty {
                diagnostics.add(at: node.mark, "'sign' needs 'from' and 'negative'", hint: "such as {from: $.ns, negative: [S, W]}")
            }
            if let from = sign["from"], let source = sources.read(from) { column.sign = SignSyntax(from: source, negative: negative) }
        }
    }

    private func readPlus(_ object: ObjectReader, _ column: inout ColumnSyntax) {
        guard let node = object["plus"], let plus = ObjectReader(node, "plus of column '\(column.name)'", keys: Keys.plus, diagnostics)
        else { return }
        if !column.type.isTime { diagnostics.add(at: node.mark, "'plus' is for times; column '\(column.name)' is \(column.type.sql)") }
        guard let from = plus["from"] else {
            diagnostics.add(at: node.mark, "'plus' needs 'from'")
            return
        }
        var nanoseconds: Int64 = 1_000_000_000
        if let times = plus["times"], let text = plus.text("times") {
            guard let read = DurationText.nanoseconds(text) else {
                diagnostics.add(at: times.mark, "'\(text)' is no duration", hint: "such as '20 ms' or '1 s'")
                return
            }
            nanoseconds = read
        }
        guard let source = sources.read(from) else { return }
        column.plus = PlusSyntax(from: source, by: plus["by"].flatMap { sources.read($0) }, timesNanoseconds: nanoseconds)
    }

    private func bound(_ key: String, _ object: ObjectReader, _ column: ColumnSyntax) -> Bound? {
        guard let node = object[key], let text = object.text(key) else { return nil }
        if column.type.isTime {
            if text.hasPrefix("+") || text.hasPrefix("-") {
                guard let nanoseconds = DurationText.nanoseconds(text.dropFirst().trimmingSpaces) else {
                    diagnostics.add(at: node.mark, "'\(text)' is no duration", hint: "such as '+1 d'")
                    return nil
                }
                return .fromReceived((text.hasPrefix("-") ? -1 : 1) * (nanoseconds / 1000))
            }
            if let microseconds = time(text) { return .time(microseconds) }
            diagnostics.add(
                at: node.mark, "'\(key)' of column '\(column.name)' is a time such as 2020-01-01T00:00:00Z or +1 d, not '\(text)'")
            return nil
        }
        guard column.type.isNumeric else {
            diagnostics.add(at: node.mark, "'\(key)' is for numbers and times; column '\(column.name)' is \(column.type.sql)")
            return nil
        }
        guard DecimalNumber(text) != nil else {
            diagnostics.add(at: node.mark, "'\(key)' of column '\(column.name)' is a number, not '\(text)'")
            return nil
        }
        return .number(text)
    }

    private func checkBounds(_ object: ObjectReader, _ column: ColumnSyntax) {
        let isEmpty: Bool
        switch (column.minimum, column.maximum) {
        case (.number(let low), .number(let high)):
            guard let low = DecimalNumber(low), let high = DecimalNumber(high) else { return }
            isEmpty = high < low
        case (.time(let low), .time(let high)), (.fromReceived(let low), .fromReceived(let high)): isEmpty = high < low
        default: return
        }
        guard isEmpty else { return }
        diagnostics.add(at: object.mark(of: "min"), "'min' of column '\(column.name)' is above 'max': no value is between them")
    }

    private func readDefault(_ object: ObjectReader, _ column: inout ColumnSyntax) {
        guard let node = object["default"], let text = object.text("default"), !node.isNull else { return }
        if text == "received", column.type.isTime {
            column.defaultValue = .received
            return
        }
        if column.type.isTime, time(text) == nil {
            diagnostics.add(
                at: node.mark, "default '\(text)' of column '\(column.name)' is no time", hint: "such as 2020-01-01T00:00:00Z, or received")
            return
        }
        column.defaultValue = .literal(text)
    }
}

/// A time of a mapping file, RFC 3339; a date stands for its midnight in UTC.
func time(_ text: String) -> Int64? {
    var full = text.count == 10 ? text + "T00:00:00Z" : text
    return full.withUTF8 { try? RFC3339.microseconds(UnsafeRawBufferPointer($0), zone: nil) }
}

extension StringProtocol {
    var trimmingSpaces: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}

import Payload

/// Reads a payload into nodes that own their text, as a mapping's decoder sees it. For showing only: bounded, and off every path that stores something.
struct PayloadReading {
    /// Nodes that are kept; of larger payloads the rest is not shown.
    static let nodesMaximum = 50_000

    private var room = nodesMaximum
    private var scratch = [UInt8]()

    /// - Parameters:
    ///   - payload: unpacked.
    ///   - json: the payload as the JSON text that `jsonb from $` would store; asked for where the decoder has no form of its own here.
    /// - Returns: nil where the payload does not decode.
    static func read(_ payload: [UInt8], _ decode: DecodeSyntax, maximumDepth: Int, json: () -> [UInt8]?) -> PayloadNode? {
        var reading = PayloadReading()
        if case .json(let allowsNaN, let lines) = decode {
            let options = JSON.Options(maximumDepth: maximumDepth, allowsNaN: allowsNaN)
            return lines ? reading.lines(payload, options) : reading.document("$", payload, options)
        }
        if case .csv(let options, _) = decode { return reading.csv(payload, options) }
        if case .text = decode {
            return String(validating: payload, as: UTF8.self).map { PayloadNode(key: "$", kind: .string, text: $0) }
        }
        if case .bytes = decode { return PayloadNode(key: "$", kind: .bytes, text: hexadecimal(payload[...])) }
        return json().flatMap { reading.document("$", $0, JSON.Options(maximumDepth: JSON.depthLimit, allowsNaN: false)) }
    }

    /// Reads JSON text; nil where it is none.
    static func read(json: [UInt8], key: String) -> PayloadNode? {
        var reading = PayloadReading()
        return reading.document(key, json, JSON.Options(maximumDepth: JSON.depthLimit, allowsNaN: false))
    }

    // MARK: JSON

    private mutating func document(_ key: String, _ text: [UInt8], _ options: JSON.Options) -> PayloadNode? {
        text.withUnsafeBytes { bytes in
            guard let value = try? JSON.validate(bytes, options: options) else { return nil }
            return node(key, value)
        }
    }

    private mutating func lines(_ text: [UInt8], _ options: JSON.Options) -> PayloadNode? {
        let list = PayloadNode(key: "$", kind: .array)
        let isWhole = text.withUnsafeBytes { bytes in
            var lines = JSON.Lines(bytes)
            while let line = lines.next() {
                guard let value = try? JSON.validate(line, options: options) else { return false }
                guard take(list) else { return true }
                list.children.append(node(String(list.children.count), value))
            }
            return true
        }
        return isWhole ? list : nil
    }

    /// Room for one more child; without it the list is cut.
    private mutating func take(_ parent: PayloadNode) -> Bool {
        guard room > 0 else {
            parent.isCut = true
            return false
        }
        room -= 1
        return true
    }

    private mutating func node(_ key: String, _ value: Value) -> PayloadNode {
        guard value.kind == .object || value.kind == .array else { return leaf(key, value) }
        let container = PayloadNode(key: key, kind: value.kind == .object ? .object : .array)
        var items = JSON.Items(value)
        var name = Value.missing
        var item = Value.missing
        while items.next(key: &name, item: &item) {
            guard take(container) else { break }
            container.children.append(node(text(of: name), item))
        }
        return container
    }

    private mutating func leaf(_ key: String, _ value: Value) -> PayloadNode {
        let kind: PayloadNode.Kind =
            switch value.kind {
            case .missing, .null: .null
            case .false, .true: .boolean
            case .integer, .unsigned, .double, .number: .number
            case .timestamp: .time
            case .bytes: .bytes
            case .string, .escapedString, .object, .array: .string
            }
        return PayloadNode(key: key, kind: kind, text: text(of: value))
    }

    private mutating func text(of value: Value) -> String {
        switch value.kind {
        case .missing, .null: return "null"
        case .false: return "false"
        case .true: return "true"
        case .integer: return String(Int64(bitPattern: value.word))
        case .unsigned: return String(value.word)
        case .double:
            let number = Double(bitPattern: value.word).description
            return number.hasSuffix(".0") ? String(number.dropLast(2)) : number
        case .timestamp: return CivilTime.text(unixMicroseconds: Int64(bitPattern: value.word))
        case .escapedString:
            scratch = [UInt8](repeating: 0, count: Int(value.count))
            let count = scratch.withUnsafeMutableBytes { target in target.baseAddress.map { JSON.unescape(value, into: $0) } ?? 0 }
            return String(decoding: scratch[..<count], as: UTF8.self)
        case .bytes: return Self.hexadecimal(Array(value.bytes)[...])
        case .number, .string, .object, .array: return String(decoding: value.bytes, as: UTF8.self)
        }
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    // MARK: CSV

    private mutating func csv(_ payload: [UInt8], _ options: CSVOptions) -> PayloadNode? {
        let list = PayloadNode(key: "$", kind: .array)
        var scratch = ScratchMemory()
        let isWhole = payload.withUnsafeBytes { bytes in
            guard var reader = try? CSVReader(bytes, options: options) else { return false }
            var names: [String] = []
            if case .names(let given) = options.header { names = given }
            if options.header == .firstLine {
                guard let cells = Self.cells(&reader, &scratch), let cells else { return false }
                names = cells
            }
            while true {
                guard let cells = Self.cells(&reader, &scratch) else { return false }
                guard let cells else { return true }
                guard room > cells.count, take(list) else {
                    list.isCut = true
                    return true
                }
                room -= cells.count
                list.children.append(Self.line(String(list.children.count), cells, names, pairsFrom: options.pairsFrom))
            }
        }
        return isWhole ? list : nil
    }

    /// The cells of the next line; nil inside where there is none, nil outside where the text is no CSV.
    private static func cells(_ reader: inout CSVReader, _ scratch: inout ScratchMemory) -> [String]?? {
        scratch.reset()
        var cells: [String] = []
        do throws(CSVError) {
            let isThere = try reader.nextLine(scratch: &scratch) { _, value in cells.append(String(decoding: value.bytes, as: UTF8.self)) }
            return .some(isThere ? cells : nil)
        } catch {
            return nil
        }
    }

    private static func line(_ key: String, _ cells: [String], _ names: [String], pairsFrom: Int?) -> PayloadNode {
        let line = PayloadNode(key: key, kind: .object)
        line.isLine = true
        var place = 0
        while place < cells.count {
            if let pairsFrom, place >= pairsFrom {
                if place + 1 < cells.count { line.children.append(PayloadNode(key: cells[place], kind: .string, text: cells[place + 1])) }
                place += 2
            } else {
                let name = place < names.count && !names[place].isEmpty ? names[place] : String(place)
                line.children.append(PayloadNode(key: name, kind: .string, text: cells[place]))
                place += 1
            }
        }
        return line
    }
}

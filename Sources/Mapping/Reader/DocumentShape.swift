import Payload

/// What is known of a payload's form before any payload has come: enough to refuse paths that lead nowhere in every one of them.
indirect enum DocumentShape {
    /// Whatever it holds is its own matter.
    case anything
    /// Has no members; what it is, in words.
    case single(String)
    /// A field of bytes, in words; where the payload is written as text it is base64.
    case bytes(String)
    /// Some field of a binary payload, and among them are bytes.
    case someField
    case list(of: DocumentShape)
    /// A line of CSV, as a loop finds it or as a part of the payload written as text.
    case line(CSVOptions, isWritten: Bool)
    /// These, and no others.
    case members([(name: String, shape: DocumentShape)])

    /// Why a path leads nowhere.
    struct Fault: Error {
        var message: String
        var hint: String?
    }

    init(_ decode: DecodeSyntax) {
        switch decode {
        case .text, .bytes: self = .single("a \(decode.name) payload")
        case .csv(let options, _): self = .list(of: .line(options, isWritten: false))
        case .json(_, lines: true): self = .list(of: .anything)
        case .binary(let layout): self = .init(layout)
        case .senml, .airvantage: self = .list(of: .anything)
        case .json(_, lines: false), .msgpack, .cbor, .sparkplug: self = .anything
        }
    }

    private init(_ layout: BinaryLayout) {
        func shapes(_ fields: [BinaryField]) -> [(name: String, shape: DocumentShape)] {
            fields.map { field in
                let isBytes = field.type == .bytes && !fields.contains { $0.name == field.name && $0.type != .bytes }
                return (field.name, isBytes ? .bytes("the field '\(field.name)'") : .single("the field '\(field.name)'"))
            }
        }
        var members = shapes(layout.fields)
        for group in layout.groups { members.append((group.name, .list(of: .members(shapes(group.fields))))) }
        let types = layout.tagged?.types ?? []
        for type in types where type.list == nil { members += shapes(type.fields) }
        for list in layout.tagged?.lists ?? [] {
            members.append((list, .list(of: .members(shapes(types.filter { $0.list == list }.flatMap(\.fields))))))
        }
        self = .members(members)
    }

    /// What one step of a path leads to.
    func member(_ segment: PathSegment) throws(Fault) -> DocumentShape {
        guard case .name(let name) = segment else {
            switch self {
            case .single(let words), .bytes(let words): throw Fault(message: "\(words) has no members")
            case .list(let element): return element
            case .members, .someField: return someMember
            case .anything, .line: return .anything
            }
        }
        switch self {
        case .anything: return .anything
        case .someField: return .someField
        case .single(let words), .bytes(let words):
            throw Fault(message: "\(words) has no field '\(name)'", hint: words.hasPrefix("a ") ? "use from: $" : nil)
        case .list(let element):
            guard PathSegment.arrayIndex(name) != nil else {
                throw Fault(
                    message: "'\(name)' is no place in a list", hint: "loop over it with each, or name an item by its place, such as .0")
            }
            if case .line(let options, _) = element { return .line(options, isWritten: true) }
            return element
        case .line(let options, let isWritten): return try Self.cell(name, options, isWritten)
        case .members(let members):
            guard let found = members.last(where: { $0.name == name }) else {
                throw Fault(
                    message: "the layout has no '\(name)'",
                    hint: suggestion(for: name, among: members.map(\.name)) ?? "it has \(members.map(\.name).joined(separator: ", "))")
            }
            return found.shape
        }
    }

    /// What one of its members is, when it is not known which.
    private var someMember: DocumentShape { holdsBytes ? .someField : .anything }

    private var holdsBytes: Bool {
        switch self {
        case .bytes, .someField: true
        case .list(let element): element.holdsBytes
        case .members(let members): members.contains { $0.shape.holdsBytes }
        case .anything, .single, .line: false
        }
    }

    private static func cell(_ name: String, _ options: CSVOptions, _ isWritten: Bool) throws(Fault) -> DocumentShape {
        let cell = DocumentShape.single("a cell")
        if let place = PathSegment.arrayIndex(name) {
            guard place < 0, isWritten else { return cell }
            throw Fault(
                message: "the cells of a line are counted from its end only in a loop over the lines",
                hint: "loop over them, as in each: {line: $.*}, and take line.\(place)")
        }
        switch options.header {
        case .firstLine: return cell
        case _ where options.pairsFrom != nil: return cell
        case .names(let names):
            guard !names.contains(name) else { return cell }
            throw Fault(
                message: "no cell of a line has the name '\(name)'",
                hint: suggestion(for: name, among: names) ?? "the header has \(names.joined(separator: ", "))")
        case .none:
            throw Fault(
                message: "no cell of a line has the name '\(name)'",
                hint:
                    "without a header the cells are line.0, line.1 and so on; with header: first_line, or a list of names, they have names")
        }
    }

    /// What a loop over it finds.
    func item() throws(Fault) -> DocumentShape {
        switch self {
        case .anything: return .anything
        case .members, .someField: return someMember
        case .single(let words), .bytes(let words): throw Fault(message: "\(words) has no items")
        case .list(let element): return element
        case .line: return .single("a cell")
        }
    }
}

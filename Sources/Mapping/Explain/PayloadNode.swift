import Payload

/// One place of a decoded payload: a leaf with its text, or a container with its members; and what a mapping does with it.
public final class PayloadNode {
    public enum Kind: String, Sendable {
        case object, array, string, number, boolean, null, bytes, time
    }

    /// What becomes of a leaf.
    public enum Fate: String, Sendable {
        /// Some column takes it.
        case mapped
        /// A column that takes the `rest` takes it.
        case rest
        /// `ignore` names it.
        case ignored
        /// A `when` asks for it; nothing stores it.
        case tested
        /// Nothing names it.
        case unmapped
    }

    /// A member's name, or the index of an element.
    public let key: String
    public let kind: Kind
    /// A leaf's text: strings as they are, everything else as JSON or hexadecimal digits write it. Foreign: to be escaped where it is shown.
    public let text: String
    public internal(set) var children: [PayloadNode] = []
    /// There are more children than were kept.
    public internal(set) var isCut = false
    /// A line of CSV: its cells have places as well as names.
    var isLine = false

    /// `table.column` of the columns that take it, in the order in which they were met.
    public private(set) var columns: [String] = []
    /// Those that take its name or its place (`var@key`, `var@index`).
    public private(set) var nameColumns: [String] = []
    public private(set) var restColumns: [String] = []
    var isIgnored = false
    var isTested = false

    init(key: String, kind: Kind, text: String = "") {
        self.key = key
        self.kind = kind
        self.text = text
    }

    public var isContainer: Bool { kind == .object || kind == .array }

    /// What becomes of a leaf, or of an empty container.
    public var fate: Fate {
        if !columns.isEmpty { return .mapped }
        if !restColumns.isEmpty { return .rest }
        if isIgnored { return .ignored }
        return isTested ? .tested : .unmapped
    }

    /// The member or element of that name: the last of repeated ones; an array counts from its end where the name is negative.
    func child(_ name: String) -> PayloadNode? {
        if kind == .array {
            guard let index = Int(name) else { return nil }
            let place = index < 0 ? children.count + index : index
            return children.indices.contains(place) && !(index < 0 && isCut) ? children[place] : nil
        }
        if let named = children.last(where: { $0.key == name }) { return named }
        guard isLine, let place = Int(name), children.indices.contains(place) else { return nil }
        return children[place]
    }

    func use(by column: String) { if !columns.contains(column) { columns.append(column) } }
    func useName(by column: String) { if !nameColumns.contains(column) { nameColumns.append(column) } }
    func useAsRest(by column: String) { if !restColumns.contains(column) { restColumns.append(column) } }

    /// The leaves below it, or itself.
    func forEachLeaf(_ body: (PayloadNode) -> Void) {
        if children.isEmpty { return body(self) }
        for child in children { child.forEachLeaf(body) }
    }
}

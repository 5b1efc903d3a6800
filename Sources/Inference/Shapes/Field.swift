/// What was seen at one place of many documents.
final class Field {
    let name: String
    /// Below the row's object.
    let path: [String]
    /// Documents that had it, null or not.
    private(set) var seenCount = 0
    private(set) var nullCount = 0
    /// Scalars that were not null, and whose topic and time they are.
    private(set) var scalars: [(value: TimedValue, topic: Int)] = []
    private(set) var objectCount = 0
    private(set) var arrays: [(items: [SampleValue], unit: Int)] = []
    private(set) var members: [Field] = []
    private var places: [String: Int] = [:]

    /// An object with more members than this is not a record.
    private static let membersMax = 400

    private init(name: String, path: [String]) {
        self.name = name
        self.path = path
    }

    /// The root of rows.
    convenience init(_ units: [RowUnit]) {
        self.init(name: "", path: [])
        for (index, unit) in units.enumerated() { add(unit.value, unit, index) }
    }

    private func add(_ value: SampleValue, _ unit: RowUnit, _ index: Int) {
        seenCount += 1
        switch value {
        case .null: nullCount += 1
        case .boolean, .number, .text:
            scalars.append((TimedValue(value: value, receivedMicroseconds: unit.receivedMicroseconds), unit.topic))
        case .array(let items): arrays.append((items, index))
        case .object(let members):
            objectCount += 1
            // Of repeated names the last one counts.
            var last: [String: SampleValue] = [:]
            for member in members { last[member.name] = member.value }
            for member in members {
                guard let value = last.removeValue(forKey: member.name) else { continue }
                field(member.name)?.add(value, unit, index)
            }
        }
    }

    private func field(_ name: String) -> Field? {
        if let place = places[name] { return members[place] }
        guard members.count < Self.membersMax, path.count < 8 else { return nil }
        let field = Field(name: name, path: path + [name])
        places[name] = members.count
        members.append(field)
        return field
    }

    subscript(name: String) -> Field? { places[name].map { members[$0] } }

    /// Nothing but objects, and nulls.
    var isObject: Bool { objectCount > 0 && arrays.isEmpty && scalars.isEmpty }
    /// Nothing but arrays, and nulls.
    var isArray: Bool { !arrays.isEmpty && objectCount == 0 && scalars.isEmpty }
    /// Nothing but scalars, and nulls.
    var isScalar: Bool { !scalars.isEmpty && objectCount == 0 && arrays.isEmpty }
    /// Documents where it has a value.
    var valueCount: Int { seenCount - nullCount }

    /// Itself and all below, in the order of the documents.
    var all: [Field] { [self] + members.flatMap(\.all) }

    /// The field at a path below this one.
    func at(_ path: ArraySlice<String>) -> Field? {
        guard let first = path.first else { return self }
        return self[first]?.at(path.dropFirst())
    }
}

/// What one row may be made of.
struct RowUnit {
    /// Place of its message in the sample.
    var message: Int
    var topic: Int
    var receivedMicroseconds: Int64
    /// The object that the row is read from.
    var value: SampleValue
    /// The document or the item around the innermost loop.
    var outer: SampleValue
    /// The member's name, where the loop runs over an object.
    var key: String?
}

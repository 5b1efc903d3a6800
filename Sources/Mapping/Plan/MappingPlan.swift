import CopyFormat
import MQTT
import Payload

/// All mappings compiled: which topics they take, how payloads become fields, which tables they write. Immutable, shared by all shards.
public final class MappingPlan: Sendable {
    /// What one COPY writes: a table with a list of columns. Blocks with the same ones share a target.
    ///
    /// All blocks share the one of a table with `on_conflict: ignore` or `merge`, whatever columns they have: a row meets those before it, so all have to be
    /// in one order, that in which they came. What a block does not write is NULL in its rows, which `merge` takes for the value that is there.
    public struct Target: Sendable {
        public var table: String
        public var columns: [Column]
        /// What becomes of rows whose key is there; nil: rows are appended.
        public var conflict: Conflict?
        /// How the table is divided, where a mapping says so.
        public var partition: PartitionSyntax?

        /// The fields of its rows in COPY's stream. Rows that may meet others of their key are numbered in a field before the columns, in the order in which
        /// they came.
        public var fieldCount: Int { columns.count + (conflict == nil ? 0 : 1) }

        /// The types of these fields.
        public var fieldTypes: [ColumnType] { (conflict == nil ? [] : [.bigint]) + columns.map(\.type) }

        /// Some column has a type that only the database can read: COPY takes the rows as text. In the buffer its values are text, the others as ever.
        public var isText: Bool { columns.contains { !$0.type.hasBinaryForm } }
    }

    /// A column of a target.
    public struct Column: Sendable, Equatable {
        public var name: String
        /// As the table has it, or, where no database was asked, as the mapping declares it.
        public var stored: StoredType

        public var type: ColumnType { stored.type }
    }

    /// How rows of one key meet.
    public struct Conflict: Sendable, Equatable {
        /// `ignore`, `update` or `merge`.
        public var policy: ConflictPolicy
        /// At least one column.
        public var key: [String]
        public var newer: String?
    }

    public let targets: [Target]
    /// The smallest set of filters that covers all patterns: one contained in another is left out, and gives it its QoS if that is higher.
    public let subscriptions: [Subscription]
    /// By mapping and pattern: the identifier of the subscription that serves it; 0 where it has none.
    let subscriptionIdentifiers: [[UInt32]]
    /// Identifiers of subscriptions; empty where none meet.
    let identifiersInUse: Set<UInt32>
    /// Topics to which mappings report.
    let errorReportFilters: [TopicFilter]
    /// Tables as the mappings describe them, by name.
    public let tables: [TableDefinition]
    /// Names of the mappings, in the order in which counters and failures index them.
    public let names: [String]
    /// Patterns of each mapping, as written.
    public let patterns: [[String]]
    /// Some mapping reads Sparkplug B.
    public let usesSparkplug: Bool
    /// Whether any mapping stores which broker handed a message over.
    public let usesBroker: Bool
    /// Some mapping wants edge nodes to be asked for births that are missing.
    let asksForBirths: Bool
    let mappings: [CompiledMapping]
    let router: Router

    /// Compiles mappings that the reader has accepted.
    /// - Parameter tableTypes: the types that tables really have, where known: table → column → type.
    public init(_ syntax: [MappingSyntax], tableTypes: [String: [String: StoredType]] = [:]) {
        tables = TableDefinition.all(of: syntax)
        var targets = TargetList(tableTypes: tableTypes, tables: tables)
        mappings = syntax.map { MappingCompiler.compile($0, targets: &targets) }
        self.targets = targets.targets
        asksForBirths = syntax.contains { if case .sparkplug(asksForBirths: true) = $0.decode { true } else { false } }
        usesSparkplug = syntax.contains { $0.decode.needsOrder }
        usesBroker = mappings.contains(where: \.usesBroker)
        router = Router(mappings.map(\.patterns))
        names = syntax.map(\.name)
        patterns = syntax.map { $0.topics.map(\.value.description) }
        let cover = SubscriptionCover(syntax)
        subscriptions = cover.subscriptions
        subscriptionIdentifiers = cover.identifiers
        errorReportFilters = syntax.compactMap { $0.errorReportTopic.flatMap { try? TopicFilter($0.filter) } }
        identifiersInUse = Set(cover.subscriptions.compactMap(\.identifier))
    }

    /// Filters of each mapping's patterns, by mapping.
    public var filters: [[TopicFilter]] { mappings.map { $0.patterns.compactMap { try? TopicFilter($0.filter) } } }

    /// Pairs of mappings that some topic may reach both of.
    public var overlaps: [(String, String)] {
        var pairs: [(String, String)] = []
        for left in names.indices {
            for right in names.indices where right > left {
                let filters = { (index: Int) in self.mappings[index].patterns.compactMap { try? TopicFilter($0.filter) } }
                let meet = filters(left).contains { one in filters(right).contains { one.intersects($0) } }
                if meet { pairs.append((names[left], names[right])) }
            }
        }
        return pairs
    }
}

/// Collects targets while mappings are compiled.
struct TargetList {
    let tableTypes: [String: [String: StoredType]]
    /// By table.
    private let conflicts: [String: MappingPlan.Conflict]
    private let tables: [String: TableDefinition]
    /// All columns of tables whose rows have one order, by table.
    private let sharedColumns: [String: [MappingPlan.Column]]
    private(set) var targets: [MappingPlan.Target] = []
    var shared = SharedParts()

    init(tableTypes: [String: [String: StoredType]], tables: [TableDefinition]) {
        self.tableTypes = tableTypes
        self.tables = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0) })
        conflicts = Dictionary(
            uniqueKeysWithValues: tables.filter { $0.onConflict != .append }
                .map { ($0.name, MappingPlan.Conflict(policy: $0.onConflict, key: $0.key, newer: $0.newer)) })
        sharedColumns = Dictionary(
            uniqueKeysWithValues: tables.filter { $0.onConflict == .ignore || $0.onConflict == .merge }.map { table in
                (
                    table.name,
                    table.columns.map { column in
                        MappingPlan.Column(name: column.name, stored: tableTypes[table.name]?[column.name] ?? StoredType(column.type))
                    }
                )
            })
    }

    mutating func target(of block: BlockSyntax) -> Int {
        let table = block.table.name
        let columns =
            sharedColumns[table]
            ?? block.columns.map { column in
                MappingPlan.Column(name: column.name, stored: tableTypes[table]?[column.name] ?? StoredType(column.type))
            }
        if let known = targets.firstIndex(where: { $0.table == table && $0.columns == columns }) { return known }
        targets.append(
            MappingPlan.Target(table: table, columns: columns, conflict: conflicts[table], partition: tables[table]?.partition))
        return targets.count - 1
    }

    /// The times that a column of a divided table may have.
    func timeLimits(table: String, column: String) -> TimeLimits? {
        guard let definition = tables[table], definition.partition?.by == column else { return nil }
        return TimeLimits(table: table, retention: definition.retention)
    }
}

/// What a divided table takes: rows that are too old would be dropped again, and one bad clock must not make a thousand partitions.
struct TimeLimits: Sendable {
    var table: String
    /// How far back, from the time of receipt, in microseconds; nil: however far.
    var past: Int64?
    var retention: String
    /// How far ahead.
    static let future: Int64 = 86_400_000_000

    init(table: String, retention: RetentionSyntax?) {
        self.table = table
        self.retention = retention?.description ?? ""
        // As long as the longest month and year: what the calendar keeps is never refused.
        let hours = retention.map { Int64($0.count) * Int64($0.unit.longestHours) }
        past = hours.map { $0 * 3_600_000_000 }
    }
}

extension MappingPlan {
    /// Names of the mappings that write to a target.
    public func mappingNames(writing target: Int) -> [String] {
        zip(names, mappings).filter { $0.1.targets.contains(target) }.map(\.0)
    }

    /// Tables that each mapping writes, by mapping.
    public var tableNames: [[String]] {
        mappings.map { mapping in Set(mapping.targets.map { targets[$0].table }).sorted() }
    }
}

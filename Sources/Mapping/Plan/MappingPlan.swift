import CopyFormat
import MQTT
import Payload

/// All mappings compiled: which topics they take, how payloads become fields, which tables they write. Immutable, shared by all shards.
public final class MappingPlan: Sendable {
    /// What one COPY writes: a table with a list of columns. Blocks with the same ones share a target.
    public struct Target: Sendable {
        public var table: String
        /// Types as the table has them.
        public var columns: [(name: String, type: ColumnType)]
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
    /// Some mapping wants edge nodes to be asked for births that are missing.
    let asksForBirths: Bool
    let mappings: [CompiledMapping]
    let router: Router

    /// Compiles mappings that the reader has accepted.
    /// - Parameter tableTypes: the types that tables really have, where known: table → column → type.
    public init(_ syntax: [MappingSyntax], tableTypes: [String: [String: ColumnType]] = [:]) {
        var targets = TargetList(tableTypes: tableTypes)
        mappings = syntax.map { MappingCompiler.compile($0, targets: &targets) }
        self.targets = targets.targets
        asksForBirths = syntax.contains { if case .sparkplug(asksForBirths: true) = $0.decode { true } else { false } }
        usesSparkplug = syntax.contains { $0.decode.needsOrder }
        router = Router(mappings.map(\.patterns))
        names = syntax.map(\.name)
        patterns = syntax.map { $0.topics.map(\.value.description) }
        let cover = SubscriptionCover(syntax)
        subscriptions = cover.subscriptions
        subscriptionIdentifiers = cover.identifiers
        errorReportFilters = syntax.compactMap { $0.errorReportTopic.flatMap { try? TopicFilter($0.filter) } }
        identifiersInUse = Set(cover.subscriptions.compactMap(\.identifier))
        tables = TableDefinition.all(of: syntax)
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
    var tableTypes: [String: [String: ColumnType]]
    var targets: [MappingPlan.Target] = []

    mutating func target(table: String, columns: [(name: String, type: ColumnType)]) -> Int {
        if let known = targets.firstIndex(where: { target in
            target.table == table && target.columns.map(\.name) == columns.map(\.name) && target.columns.map(\.type) == columns.map(\.type)
        }) {
            return known
        }
        targets.append(MappingPlan.Target(table: table, columns: columns))
        return targets.count - 1
    }
}

extension MappingPlan {
    /// Names of the mappings that write to a target.
    public func mappingNames(writing target: Int) -> [String] {
        zip(names, mappings).filter { $0.1.targets.contains(target) }.map(\.0)
    }
}

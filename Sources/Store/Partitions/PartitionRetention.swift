import Mapping
import Payload
import PostgreSQL

/// What is to be done with partitions whose rows are all too old, and with those on which an earlier round began. A value: it changes nothing.
///
/// Rows that go are gone, so what is not certain stays. A partition goes when it is as wide as the mapping says or was made by us; a table that is no partition
/// (any more) goes only when it was us who detached it.
struct PartitionRetention {
    enum Step: Equatable {
        /// Detached by us already.
        case drop(_ table: String)
        /// Detached by us, and not too old any more: retention has been raised since.
        case attachAgain(_ table: String, PartitionMark)
        case remove(_ partition: String, PartitionMark)
        /// Its detachment was begun by us.
        case finishRemoving(_ partition: String, PartitionMark)
        /// The same, but it is not too old any more. Until it is back nobody sees its rows.
        case takeBack(_ partition: String, PartitionMark)
        /// It was to be detached, and is not too old any more.
        case unmark(_ partition: String, PartitionMark)
        /// It stays, and a person may want to know why.
        case leave(_ reason: String)
        /// It stays, and a person has to do something.
        case complain(_ reason: String)
    }

    let steps: [Step]

    /// - Parameters:
    ///   - limit: what ended before is too old, microseconds since 1970; `Int64.min`: everything is kept.
    ///   - list: the table's partitions.
    ///   - detached: tables beside it whose comments say that they were partitions of it, with what they say.
    init(
        of table: TableDefinition, every unit: TimeUnit, limit: Int64, _ list: PartitionList,
        detached: [(name: String, mark: PartitionMark)]
    ) {
        var steps: [Step] = []
        for (name, mark) in detached {
            switch mark.state {
            case .made: break
            case .dropping: steps.append(mark.upper <= limit ? .drop(name) : .attachAgain(name, mark))
            case .detaching:
                steps.append(
                    .leave(
                        "\(name) was detached before its round had ended, or by hand, and holds old rows: drop it, or COMMENT ON TABLE \(name) IS NULL"
                    ))
            }
        }
        // PostgreSQL detaches one at a time: that which was begun is in the way of the others.
        let begun = list.partitions.filter(\.isBeingDetached)
        let isHeldUp = begun.contains { ($0.mark?.state ?? .made) == .made }
        for partition in begun + list.partitions.filter({ !$0.isBeingDetached }) {
            let name = partition.qualifiedName
            let isTooOld = (partition.upper ?? .max) <= limit
            let mark = partition.mark ?? Self.mark(ofWhole: partition, unit, table)
            if partition.isBeingDetached {
                guard let mark = partition.mark, mark.state != .made else {
                    steps.append(
                        .complain(
                            "somebody began to detach \(name) and has not ended, so its rows are not seen: "
                                + "ALTER TABLE \(quoteQualified(table.name)) DETACH PARTITION \(name) FINALIZE"))
                    continue
                }
                steps.append(isTooOld ? .finishRemoving(name, mark) : .takeBack(name, mark))
            } else if isTooOld {
                if let mark, partition.isTable {
                    if isHeldUp { continue }
                    steps.append(
                        partition.isOwned
                            ? .remove(name, mark)
                            : .complain("\(name) is older than \(table.retention?.description ?? ""), but another role owns it"))
                } else {
                    steps.append(.leave("\(name) is older than \(table.retention?.description ?? "") and stays: it is not one of ours"))
                }
            } else if let mark = partition.mark, mark.state != .made {
                steps.append(.unmark(name, mark))
            }
        }
        self.steps = steps
    }

    /// That of a partition which is as wide as the mapping says, whoever made it.
    private static func mark(ofWhole partition: PartitionList.Partition, _ unit: TimeUnit, _ table: TableDefinition) -> PartitionMark? {
        guard let lower = partition.lower, let upper = partition.upper, Self.calendar.contains(lower), unit.start(of: lower) == lower,
            unit.end(from: lower) == upper
        else { return nil }
        return PartitionMark(.made, of: table.name, from: lower, until: upper)
    }

    /// The years 1 to 9999.
    private static let calendar: Range<Int64> = -62_135_596_800_000_000..<253_402_300_800_000_000

    /// Tables beside a divided one that say they were its partitions.
    static func detached(
        from table: TableDefinition, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> [(name: String, mark: PartitionMark)] {
        let bare = PartitionMark(.made, of: table.name, from: 0, until: 1).table
        let rows = try connection.query(
            """
            SELECT format('%I.%I', nspname, relname), obj_description(c.oid, 'pg_class')
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE relkind IN ('r', 'p') AND NOT relispartition AND pg_has_role(relowner, 'USAGE')
              AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass($1))
              AND starts_with(obj_description(c.oid, 'pg_class'), 'penstock: ') ORDER BY 1
            """, [quoteQualified(table.name)])
        return rows.compactMap { row in
            guard let mark = row[1].flatMap({ PartitionMark($0) }), mark.table == bare else { return nil }
            return (row[0] ?? "", mark)
        }
    }
}

import CopyFormat
import Mapping
import PostgreSQL

/// How a table is divided and indexed, held against what the mapping says.
extension TableCheck {
    mutating func checkPartitions(_ wanted: TableDefinition, _ found: CatalogTable, _ mappings: String) {
        guard let partition = wanted.partition else { return }
        func problem(_ words: String, _ remedy: String? = nil) {
            problems.append(Problem(message: "table '\(wanted.name)' of mapping \(mappings) \(words)", remedy: remedy))
        }
        switch partition.with {
        case .native:
            if found.hypertableColumn != nil {
                problem("is a hypertable of TimescaleDB, which makes its own chunks; say with: timescale in 'partition'")
            } else if !found.isDivided {
                problem("is not divided, and no ALTER TABLE divides one: make a new table and copy, or take 'partition' out of the mapping")
            } else if found.partitionColumn != partition.by {
                problem(
                    "is divided otherwise than by range of '\(partition.by)'; correct 'partition', or leave it out and make partitions yourself"
                )
            } else if !found.isOwned {
                warnings.append(
                    "table '\(wanted.name)' of mapping \(mappings) belongs to another role than \(found.role): its owner makes and drops the partitions, "
                        + "by `penstock migrate` each day; a row without one is a dead letter until there is one")
            }
        case .timescale:
            if !found.hasTimescale {
                problem("wants to be a hypertable, but the extension is not in this database", "CREATE EXTENSION timescaledb")
            } else if found.hypertableColumn == nil {
                problem(
                    "is no hypertable",
                    "SELECT create_hypertable(\(quoteLiteral(quoteQualified(wanted.name))), \(quoteLiteral(partition.by)), "
                        + "chunk_time_interval => INTERVAL '1 \(partition.every.rawValue)', migrate_data => true)")
            } else if found.hypertableColumn != partition.by {
                problem("is a hypertable by '\(found.hypertableColumn ?? "")', not by '\(partition.by)'")
            }
        }
    }

    /// An index that begins as one that is wanted serves as well, with whatever name.
    mutating func checkAdditions(_ wanted: TableDefinition, _ found: CatalogTable) {
        for index in wanted.wantedIndexes {
            let columns = index.columns.map { $0.name + ($0.isDescending ? " desc" : "") }
            let opposite = index.columns.map { $0.name + ($0.isDescending ? "" : " desc") }
            // B-trees are read in both directions.
            guard !found.indexes.contains(where: { $0.starts(with: columns) || $0.starts(with: opposite) }) else { continue }
            additions.append(wanted.creation(of: index))
            warnings.append(
                "table '\(wanted.name)' has no index on (\(columns.joined(separator: ", "))): `penstock migrate` makes it, and rows wait meanwhile; "
                    + "CREATE INDEX CONCURRENTLY does not let them wait")
        }
        guard let view = wanted.view else { return }
        if !found.hasLatestView {
            additions.append(view)
            warnings.append("the view '\(wanted.viewName)' is missing: `penstock migrate` makes it")
        } else if let known = found.latestColumns {
            // A view has the columns that its table had when it was made. PostgreSQL lets it get more, behind those.
            let columns = found.columns.map(\.name) + missingColumns.map(\.name)
            guard columns.starts(with: known), columns.count > known.count else { return }
            additions.append(view)
            warnings.append(
                "the view '\(wanted.viewName)' lacks columns of its table (\(columns[known.count...].joined(separator: ", "))): "
                    + "`penstock migrate` adds them")
        }
    }
}

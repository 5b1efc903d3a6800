import ArgumentParser
import Foundation
import Ingest
import MQTT
import Mapping
import PostgreSQL
import Store

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Checks mappings and runs their tests; unless offline, also tables, types, rights, durability, the broker's login and granted QoS."
    )

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Ask neither the database nor the broker.")
    var offline = false

    func run() async throws {
        let setup = try Setup(options)
        var problems = setup.mappings.flatMap { MappingTestRunner.run($0).map { $0.description + SourceExcerpt.excerpt(at: $0.mark) } }
        let plan = MappingPlan(setup.mappings)
        for subscription in plan.subscriptions { print("subscribes to \(subscription.filter) at QoS \(subscription.qos.rawValue)") }
        for (left, right) in plan.overlaps { print("note: mappings '\(left)' and '\(right)' can both take a message") }
        Self.show(MappingNote.sharedTables(setup.mappings))
        Self.show(MappingNote.tables(setup.mappings, isShared: setup.configuration.pool.sharesMessages))
        Self.show(setup.mappings.flatMap(MappingNote.meanings))
        Self.show(setup.mappings.flatMap(MappingNote.costs))
        if !offline {
            problems += try await Self.checkDatabase(setup.configuration, setup.mappings)
            problems += await Self.checkBroker(setup.configuration, plan)
        }
        guard problems.isEmpty else { throw Failure(.failed, all: problems) }
        let tests = setup.mappings.reduce(0) { $0 + $1.tests.count }
        print("\(counted(setup.mappings.count, "mapping")), \(counted(tests, "test")): all right\(offline ? " (offline)" : "")")
    }

    private static func show(_ notes: [MappingNote]) {
        for note in notes {
            switch note.kind {
            case .warning: Terminal.warning(note.description)
            case .note, .cost: print("note: \(note)")
            }
        }
    }

    private static func checkDatabase(_ configuration: Configuration, _ mappings: [MappingSyntax]) async throws -> [String] {
        try await blocking {
            do {
                let database = try configuration.database.connect()
                var problems: [String] = []
                if configuration.ddl == .off {
                    do { try Migrator.requireAll(database.connection) } catch { problems.append("\(error)") }
                }
                if let problem = try Catalog.encodingProblem(database.connection) { problems.append(problem) }
                problems += try Catalog.durabilityWarnings(database.connection)
                let mappings = try TablePlaces.placed(mappings, database.connection)
                let tables = MappingPlan(mappings).tables
                let checks = try MappedTables(checking: tables, database.connection)
                // With the types that the tables really have, as the service writes them.
                let plan = MappingPlan(mappings, tableTypes: checks.types)
                for table in tables {
                    guard let check = checks.checks[table.name] else { continue }
                    for warning in check.warnings { Terminal.warning(warning) }
                    let policy = table.ddl ?? configuration.ddl
                    if check.isMissing, policy != .off {
                        print("note: table '\(table.name)' does not exist yet; the service will make it (ddl: \(policy.rawValue))")
                    } else {
                        problems += check.problems.map(\.description)
                        if check.problems.isEmpty { problems += rehearse(plan, table.name, database.connection) }
                    }
                }
                return problems
            } catch let failure as Failure {
                return failure.messages
            } catch {
                return ["the database: \(error)"]
            }
        }
    }

    /// Has PostgreSQL plan the statements by which rows meet others of their key, and takes back what that needs. Nothing is stored.
    private static func rehearse(_ plan: MappingPlan, _ table: String, _ connection: borrowing Connection) -> [String] {
        var problems: [String] = []
        for target in plan.targets where target.table == table {
            guard let conflict = target.conflict else { continue }
            let staged = StagedRows(target, conflict)
            do throws(PostgreSQLError) {
                let plans = staged.merges.map { "EXPLAIN \($0); " }.joined()
                try connection.execute("BEGIN; \(staged.creation); \(plans)ROLLBACK")
            } catch {
                try? connection.execute("ROLLBACK")
                problems.append(
                    "table '\(table)': PostgreSQL does not take the statement of on_conflict: \(conflict.policy.rawValue): \(error)")
            }
        }
        return problems
    }

    private static func checkBroker(_ configuration: Configuration, _ plan: MappingPlan) async -> [String] {
        do {
            let findings = try await BrokerProbe.ask(
                configuration.broker, clientIdentifier: configuration.pool.shortLivedClientIdentifier,
                subscriptions: plan.subscriptions.map { Subscription(filter: $0.filter, qos: $0.qos) })
            print("the broker at \(findings.endpoint) speaks MQTT \(findings.version)\(findings.software.map { " (\($0))" } ?? "")")
            warn(of: findings, configuration.pool)
            return findings.grants.compactMap { grant in
                guard let granted = grant.granted else {
                    return
                        "the broker refuses the subscription to '\(grant.filter)'\(grant.refusal.map { " (\($0))" } ?? ""): check its access rules"
                }
                guard granted < grant.asked else { return nil }
                return "the broker grants only QoS \(granted.rawValue) for '\(grant.filter)', asked for \(grant.asked.rawValue)"
            }
        } catch {
            return ["\(error)"]
        }
    }

    /// What a broker does, or cannot do, that an operator should know before it matters.
    private static func warn(of findings: BrokerProbe.Findings, _ pool: PoolSettings) {
        let isShared = findings.capabilities.areSharedSubscriptionsAvailable
        if pool.distribution == .shared, isShared == false {
            Terminal.warning("the broker has no shared subscriptions: set pool.distribution to auto or split")
        }
        if pool.distribution == .auto, isShared != true, pool.sessions > 1 {
            print(
                "note: the broker does not say that it has shared subscriptions, so each filter goes to one session (pool.distribution: shared asks for them)"
            )
        }
        if isShared == true, pool.distribution != .split, pool.sessions > 1, findings.software?.hasPrefix("mosquitto version 2.0.") == true
        {
            Terminal.warning(
                "\(findings.software ?? "mosquitto") can lose shared subscriptions when it restarts, and with them what is published until the service has asked for them again; pool.distribution: split avoids that"
            )
        }
    }
}

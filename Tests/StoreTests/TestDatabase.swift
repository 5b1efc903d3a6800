import CopyFormat
import Mapping
import PostgreSQL
import Sandbox
import Store
import Testing

/// A private PostgreSQL for the tests of a suite.
enum TestDatabase {
    @TaskLocal fileprivate static var url: String?

    struct NotAvailable: Error {}

    /// A new connection, times shown in UTC.
    static func connect() throws -> OpenConnection {
        guard let url else { throw NotAvailable() }
        let open = OpenConnection(try Connection(url: url))
        try open.connection.execute(
            "SET TIME ZONE 'UTC'; SET search_path = public; SET client_min_messages = warning; SET lc_monetary = 'C'")
        return open
    }
}

/// Starts the server before the first test of a suite and ends it after the last.
struct DatabaseTrait: SuiteTrait, TestScoping {
    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        let server = try await PrivatePostgreSQL()
        try await server.start()
        _ = try Migrator.apply(try Connection(url: server.url()))
        try await TestDatabase.$url.withValue(server.url()) { try await function() }
        await server.stop(.immediate)
    }
}

extension SuiteTrait where Self == DatabaseTrait {
    static var withDatabase: DatabaseTrait { DatabaseTrait() }
}

/// A connection that can be handed around.
final class OpenConnection {
    let connection: Connection

    init(_ connection: consuming Connection) { self.connection = connection }

    func rows(_ sql: String) throws -> [[String?]] { try connection.query(sql) }

    /// The single value that a query gives.
    func value(_ sql: String) throws -> String? { try rows(sql).first?.first ?? nil }
}

/// One column `v` of a table `t`, written by a mapping with the types that the table has.
struct OneColumn {
    let database: OpenConnection
    let plan: MappingPlan

    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - column: the column's inside in the mapping, such as `type: real`.
    ///   - type: of the column in the table.
    init(_ database: OpenConnection, column: String, type: String) throws {
        self.database = database
        try database.connection.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (n bigint GENERATED ALWAYS AS IDENTITY, v \(type))")
        let text = "topic: t\ntable: t\ncolumns:\n  v: {\(column), from: $.v}\n"
        let reading = MappingReader.read(text: text, file: "t.yaml")
        guard reading.diagnostics.isEmpty else {
            throw Refused(description: reading.diagnostics.map(\.description).joined(separator: "; "))
        }
        let tables = try MappedTables(checking: MappingPlan(reading.mappings).tables, database.connection)
        let problems = tables.checks.values.flatMap(\.problems)
        guard problems.isEmpty else { throw Refused(description: problems.map(\.description).joined(separator: "; ")) }
        plan = MappingPlan(reading.mappings, tableTypes: tables.types)
    }

    /// Stores the column of these payloads, a row each, and confirms the columns as a batch does.
    func store(_ payloads: [String], format: CopyStatement.Format) throws {
        var evaluator = Evaluator(plan: plan)
        let buffer = UnsafeMutablePointer<CopyBuffer>.allocate(capacity: 1)
        buffer.initialize(to: CopyBuffer(capacity: 64))
        defer {
            buffer.deinitialize(count: 1)
            buffer.deallocate()
        }
        for payload in payloads {
            _ = Array("t".utf8).withUnsafeBytes { topic in
                Array(payload.utf8).withUnsafeBytes { payload in
                    evaluator.process(
                        MessageInput(
                            topic: topic, payload: payload, receivedMicroseconds: 1_704_067_200_000_000, qos: 1, isRetained: false),
                        into: buffer)
                }
            }
            if let failure = evaluator.failures.first { throw Refused(description: failure.reason) }
        }
        let target = plan.targets[0]
        let copy = CopyStatement(table: target.table, columns: target.columns.map(\.name), format: format)
        let rows = buffer.pointee.bytes(0..<buffer.pointee.count)
        let text = TextRows([rows], types: target.fieldTypes)
        let outcome = database.connection.run([.copy(copy, rows: [format == .text ? text.bytes : rows])])
        _ = text.bytes.count
        switch outcome {
        case .done: return
        case .refused(let error, _): throw Refused(description: "\(error)")
        case .lost(let error, _): throw error
        }
    }

    /// What stands in the table, as text, in the order in which it came.
    func stored() throws -> [String?] { try database.rows("SELECT v::text FROM t ORDER BY n").map { $0[0] } }
}

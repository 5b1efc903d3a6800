import PostgreSQL

/// Brings the `penstock` schema up to what this program needs.
public enum Migrator {
    /// Why the schema cannot be brought up to date.
    public enum Failure: Error, CustomStringConvertible {
        case database(PostgreSQLError)
        /// An applied step does not read as it did when it was applied.
        case changed(Migration)
        /// The database has steps that this program does not know.
        case newerThanProgram(Int)
        /// This step was not applied yet.
        case lacking(Migration)

        public var description: String {
            switch self {
            case .database(let error): error.description
            case .changed(let step):
                "migration \(step.number) (\(step.name)) differs from what was applied to this database; use the program that applied it, or a newer one"
            case .newerThanProgram(let number):
                "the database has migration \(number), which this program does not know; use a program at least as new as the database"
            case .lacking(let step):
                "the schema 'penstock' of the database lacks migration \(step.number) (\(step.name)): run `penstock migrate`"
            }
        }
    }

    private static let bookkeeping = """
        CREATE SCHEMA IF NOT EXISTS penstock;
        CREATE TABLE IF NOT EXISTS penstock.migration (
            number   integer     PRIMARY KEY,
            name     text        NOT NULL,
            checksum text        NOT NULL,
            applied  timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE penstock.migration IS 'Steps of this schema that were applied';
        COMMENT ON COLUMN penstock.migration.number IS 'Order of the steps, from 1';
        COMMENT ON COLUMN penstock.migration.name IS 'Name of the step''s file';
        COMMENT ON COLUMN penstock.migration.checksum IS 'Of the SQL that was applied (FNV-1a, 64 bits)';
        COMMENT ON COLUMN penstock.migration.applied IS 'When';
        """

    /// The steps that are still to be applied, checked against those that were. Changes nothing.
    public static func pending(_ connection: borrowing Connection, of steps: [Migration] = Migration.all) throws(Failure) -> [Migration] {
        let rows: [[String?]]
        do throws(PostgreSQLError) {
            guard try connection.query("SELECT to_regclass('penstock.migration') IS NOT NULL").first?.first == "t" else { return steps }
            rows = try connection.query("SELECT number, checksum FROM penstock.migration ORDER BY number")
        } catch {
            throw .database(error)
        }
        var applied: [Int: String] = [:]
        for row in rows { applied[row[0].flatMap { Int($0) } ?? 0] = row[1] ?? "" }
        if let newest = applied.keys.max(), newest > steps.count { throw .newerThanProgram(newest) }
        for step in steps {
            if let checksum = applied[step.number], checksum != step.checksum { throw .changed(step) }
        }
        return steps.filter { applied[$0.number] == nil }
    }

    /// Changes nothing.
    /// - Throws: `Failure.lacking` where a step is still to be applied.
    public static func requireAll(_ connection: borrowing Connection) throws(Failure) {
        if let first = try pending(connection).first { throw .lacking(first) }
    }

    /// Applies what is pending, each step in a transaction of its own; several processes that start together wait for one another.
    /// - Returns: the steps that were applied.
    @discardableResult
    public static func apply(_ connection: borrowing Connection, of steps: [Migration] = Migration.all) throws(Failure) -> [Migration] {
        var applied: [Migration] = []
        guard try !pending(connection, of: steps).isEmpty else { return applied }
        while let step = try applyNext(connection, of: steps) { applied.append(step) }
        return applied
    }

    private static func applyNext(_ connection: borrowing Connection, of steps: [Migration]) throws(Failure) -> Migration? {
        do throws(Failure) {
            do throws(PostgreSQLError) { try TableChange.begin(connection) } catch { throw .database(error) }
            // Another process may have been faster.
            let next = try pending(connection, of: steps).first
            do throws(PostgreSQLError) {
                if let next { try connection.execute(body(of: next)) }
                try connection.execute("COMMIT")
            } catch {
                throw .database(error)
            }
            return next
        } catch {
            try? connection.execute("ROLLBACK")
            throw error
        }
    }

    /// The SQL that `apply` runs for a step.
    public static func script(of step: Migration) -> String { "BEGIN;\n\(body(of: step))\nCOMMIT;" }

    private static func body(of step: Migration) -> String {
        """
        \(bookkeeping)
        \(step.number == 6 ? keepingRevokes(step.sql) : step.sql)
        INSERT INTO penstock.migration (number, name, checksum) VALUES (\(step.number), \(quoteLiteral(step.name)), \(quoteLiteral(step.checksum)));
        """
    }

    /// Step 6 lets the role penstock_analyst read the whole schema, though step 1 had done so already: what was revoked in between stays revoked.
    private static func keepingRevokes(_ sql: String) -> String {
        """
        SELECT set_config('penstock.revoked', coalesce((
            SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_roles AS r CROSS JOIN pg_class AS c
            WHERE r.rolname = 'penstock_analyst' AND has_schema_privilege(r.oid, 'penstock', 'USAGE') AND NOT has_table_privilege(r.oid, c.oid, 'SELECT')
                AND c.oid IN (to_regclass('penstock.dead_letter'), to_regclass('penstock.session'), to_regclass('penstock.writer'))), ''), true);
        \(sql)
        DO $$
        BEGIN
            IF current_setting('penstock.revoked') <> '' THEN
                EXECUTE 'REVOKE SELECT ON ' || current_setting('penstock.revoked') || ' FROM penstock_analyst';
            END IF;
        END
        $$;
        """
    }
}

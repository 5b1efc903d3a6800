import CLibPQ
import CopyFormat

/// One statement of a script.
public enum ScriptStep {
    /// A single statement without parameters, without a semicolon.
    case sql(String)
    /// `COPY … FROM STDIN` with its rows: pieces of whole rows in the statement's format, without header and trailer; valid until the script has run.
    case copy(CopyStatement, rows: [UnsafeRawBufferPointer])
}

/// How a script ended.
public enum ScriptOutcome: Sendable {
    /// Every statement was answered; with the warnings and notices that came.
    case done(notices: [ServerError])
    /// The server refused the statement with this index; the connection still serves, and is left inside of a failed transaction if the script began one.
    case refused(ServerError, step: Int)
    /// The connection is gone. `mayHaveCompleted`: the server may have gone on to the last statement.
    case lost(PostgreSQLError, mayHaveCompleted: Bool)
}

/// One `COPY … FROM STDIN` of a script.
public struct CopyStatement: Sendable {
    /// How rows travel.
    public enum Format: String, Sendable {
        case binary, text
    }

    /// `COPY "table" ("a", "b") FROM STDIN (FORMAT binary)`
    public let sql: String
    public let format: Format
    /// The relation as the CONTEXT of an error names it: without its schema.
    let relation: String

    /// - Parameter table: may be qualified by a schema.
    public init(table: String, columns: [String], format: Format = .binary) {
        let list = columns.map(quoteIdentifier).joined(separator: ", ")
        sql = "COPY \(quoteQualified(table)) (\(list)) FROM STDIN (FORMAT \(format.rawValue))"
        self.format = format
        relation = table.split(separator: ".", maxSplits: 1).last.map(String.init) ?? table
    }

    /// The row, counted from 1 among those of this COPY, that an error's CONTEXT names; nil when it names none.
    ///
    /// The line reads `COPY readings, line 7, column v: "…"`; its words are translated by the server. In binary format it is the last of its kind, since
    /// functions may stand above it. In text format it is the first, since a value follows it, in which other lines may stand.
    public func row(namedBy error: ServerError) -> Int? { place(namedBy: error)?.row }

    /// Whether an error says that the text of one value cannot be read. Some types say so in classes of errors that otherwise speak of a wrong table: hstore
    /// and ltree of a syntax error, PostGIS of an internal one.
    public func blamesValue(_ error: ServerError) -> Bool {
        guard format == .text, ["42601", "XX000"].contains(error.sqlState) else { return false }
        return place(namedBy: error)?.namesColumn ?? false
    }

    private func place(namedBy error: ServerError) -> (row: Int, namesColumn: Bool)? {
        let prefix = "COPY \(relation)"
        let lines = (error.context ?? "").split(separator: "\n").filter { $0.hasPrefix(prefix) }
        guard let line = format == .text ? lines.first : lines.last else { return nil }
        let number = line.dropFirst(prefix.count).drop { !$0.isASCII || !$0.isNumber }
        let digits = number.prefix { $0.isASCII && $0.isNumber }
        guard let row = Int(digits), row > 0 else { return nil }
        // Behind the number stands the whole line, after a colon, or the column and its value.
        let next = number.dropFirst(digits.count).first
        return (row, next != nil && next != ":")
    }
}

extension Connection {
    /// Runs statements that travel as one simple query, the rows of each COPY after it.
    ///
    /// A script with one COPY costs two round trips: the server goes on to the statements behind a COPY by itself as its stream of rows ends. As everywhere
    /// in PostgreSQL the first refused statement ends the script.
    ///
    /// - Parameter steps: each exactly one statement; at least one.
    public func run(_ steps: [ScriptStep]) -> ScriptOutcome {
        precondition(!steps.isEmpty, "a script has statements")
        var streams: [(format: CopyStatement.Format, rows: [UnsafeRawBufferPointer])] = []
        let script = steps.map { step in
            switch step {
            case .sql(let sql): return sql
            case .copy(let statement, let rows):
                streams.append((statement.format, rows))
                return statement.sql
            }
        }
        guard PQsendQuery(handle, script.joined(separator: "; ")) == 1 else { return .lost(connectionError(), mayHaveCompleted: false) }
        var answered = 0
        var sent = 0
        var failure: PostgreSQLError?
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_COPY_IN {
                guard sent < streams.count else {
                    _ = PQputCopyEnd(handle, "no further COPY was expected")
                    continue
                }
                send(streams[sent].rows, streams[sent].format)
                sent += 1
                continue
            }
            do throws(PostgreSQLError) {
                try check(result)
                answered += 1
            } catch {
                if failure == nil { failure = error }
            }
        }
        guard isOpen else {
            let error = failure ?? connectionError()
            // Before the end of the last stream has left, the server cannot have read it, and without it cannot reach what follows.
            return .lost(error, mayHaveCompleted: sent == streams.count && !error.isServerRefusal)
        }
        switch failure {
        case nil: return .done(notices: takeNotices())
        case .server(let error): return .refused(error, step: min(answered, steps.count - 1))
        case .connection(let text): return .lost(.connection(text), mayHaveCompleted: sent == streams.count)
        }
    }

    /// Hands the rows to libpq in slices, which bounds what libpq copies at a time.
    private func send(_ pieces: [UnsafeRawBufferPointer], _ format: CopyStatement.Format) {
        var isSent = format == .text || CopyBuffer.header.withUnsafeBytes { put($0) }
        for piece in pieces where isSent { isSent = put(piece) }
        if isSent, format == .binary { isSent = CopyBuffer.trailer.withUnsafeBytes { put($0) } }
        // A failed put means a lost connection or an error that the server has already sent: PQgetResult tells which.
        _ = PQputCopyEnd(handle, isSent ? nil : "not all rows could be sent")
    }

    private func put(_ piece: UnsafeRawBufferPointer) -> Bool {
        let sliceBytes = 128 * 1024
        var offset = 0
        while offset < piece.count {
            let count = min(sliceBytes, piece.count - offset)
            let slice = UnsafeRawBufferPointer(rebasing: piece[offset..<offset + count])
            guard PQputCopyData(handle, slice.bindMemory(to: CChar.self).baseAddress, Int32(count)) == 1 else { return false }
            offset += count
        }
        return true
    }
}

extension PostgreSQLError {
    /// The server itself said that a statement failed, so those behind it were certainly not reached.
    ///
    /// The messages of a server that goes down (class 57P) are no such word: they can come after COMMIT took effect and before its answer.
    fileprivate var isServerRefusal: Bool {
        guard case .server(let error) = self else { return false }
        return error.severity == "ERROR" && !error.sqlState.hasPrefix("57P")
    }
}

extension ServerError {
    /// `SyncRepWaitForLSN` warns so when the wait for a synchronous standby ends early: the transaction is committed here only.
    public var saysStandbyWaitWasCancelled: Bool {
        severity == "WARNING" && message.contains("wait for synchronous replication")
    }
}

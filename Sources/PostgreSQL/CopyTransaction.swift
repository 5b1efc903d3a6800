import CLibPQ
import CopyFormat

/// How a transaction ended.
public enum TransactionOutcome: Sendable {
    /// COMMIT was answered.
    case committed
    /// Nothing of it is in the database. With `connectionIsUsable` the next one may follow on the same connection.
    case rolledBack(PostgreSQLError, connectionIsUsable: Bool)
    /// The connection died when COMMIT could have taken effect: it may be in or not.
    case unknown(PostgreSQLError)
    /// Committed here, but the wait for a synchronous standby was cancelled: it may be lost with this server.
    case committedWithoutStandby
}

/// One `COPY … FROM STDIN` of a transaction.
public struct CopyStatement: Sendable {
    /// `COPY "table" ("a", "b") FROM STDIN (FORMAT binary)`
    public let sql: String

    /// - Parameter table: may be qualified by a schema.
    public init(table: String, columns: [String]) {
        sql = "COPY \(quoteQualified(table)) (\(columns.map(quoteIdentifier).joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    }
}

extension Connection {
    /// Runs one transaction that is one or more COPYs between a prologue and an epilogue.
    ///
    /// All of it travels as one simple query, so that a transaction of one table costs two round trips: `BEGIN`, the prologue and the first COPY go out
    /// together, and the server goes on to the next COPY, and at last to the epilogue and `COMMIT`, by itself as each stream of rows ends.
    ///
    /// The outcome is unknown only when the connection dies after the last byte of the last COPY may have left: before that the server has not read
    /// the end of a stream that it must read before it can reach COMMIT.
    /// - Parameters:
    ///   - prologue: statements after BEGIN, each ended by a semicolon, or empty.
    ///   - copies: at least one; the buffer of each must be a finished COPY stream.
    ///   - epilogue: statements before COMMIT, likewise.
    public func transaction(
        prologue: String, copies: [(statement: CopyStatement, buffer: UnsafePointer<CopyBuffer>)], epilogue: String
    ) -> TransactionOutcome {
        precondition(!copies.isEmpty, "a transaction without COPY is an ordinary statement")
        let script = "BEGIN; \(prologue) \(copies.map { $0.statement.sql + ";" }.joined(separator: " ")) \(epilogue) COMMIT"
        guard PQsendQuery(handle, script) == 1 else { return .rolledBack(connectionError(), connectionIsUsable: false) }
        var next = 0
        var failure: PostgreSQLError?
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            if PQresultStatus(result) == PGRES_COPY_IN {
                guard next < copies.count else {
                    _ = PQputCopyEnd(handle, "no further COPY was expected")
                    continue
                }
                send(copies[next].buffer)
                next += 1
            } else {
                do throws(PostgreSQLError) { try check(result) } catch { if failure == nil { failure = error } }
            }
        }
        guard isOpen else {
            let error = failure ?? connectionError()
            // Every stream was ended, and no error of the server came before the connection went: COMMIT may have been reached.
            if next == copies.count, !error.isServerRefusal { return .unknown(error) }
            return .rolledBack(error, connectionIsUsable: false)
        }
        if let failure {
            if PQtransactionStatus(handle) != PQTRANS_IDLE {
                do throws(PostgreSQLError) { try execute("ROLLBACK") } catch { return .rolledBack(failure, connectionIsUsable: false) }
            }
            return .rolledBack(failure, connectionIsUsable: isOpen)
        }
        let notices = takeNotices()
        if notices.contains(where: \.saysStandbyWaitWasCancelled) { return .committedWithoutStandby }
        return .committed
    }

    /// Hands the rows to libpq in slices, which bounds what libpq copies at a time.
    private func send(_ buffer: UnsafePointer<CopyBuffer>) {
        let sliceBytes = 128 * 1024
        let isSent = buffer.pointee.withUnsafeBytes { bytes -> Bool in
            var offset = 0
            while offset < bytes.count {
                let count = min(sliceBytes, bytes.count - offset)
                let slice = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
                guard PQputCopyData(handle, slice.bindMemory(to: CChar.self).baseAddress, Int32(count)) == 1 else { return false }
                offset += count
            }
            return true
        }
        // A failed put means a lost connection or an error that the server has already sent: PQgetResult tells which.
        _ = PQputCopyEnd(handle, isSent ? nil : "not all rows could be sent")
    }
}

extension PostgreSQLError {
    /// The server itself said that the transaction failed, so COMMIT was certainly not reached.
    ///
    /// The messages of a server that goes down (class 57P) are no such word: they can come after COMMIT took effect and before its answer.
    fileprivate var isServerRefusal: Bool {
        guard case .server(let error) = self else { return false }
        return error.severity == "ERROR" && !error.sqlState.hasPrefix("57P")
    }
}

extension ServerError {
    /// `SyncRepWaitForLSN` warns so when the wait for a synchronous standby ends early: the transaction is committed here only.
    fileprivate var saysStandbyWaitWasCancelled: Bool {
        severity == "WARNING" && message.contains("wait for synchronous replication")
    }
}

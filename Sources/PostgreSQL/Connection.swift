import CLibPQ
import CopyFormat
import Glibc

/// One connection to PostgreSQL, and the only owner of libpq's: nothing of libpq leaves this module.
///
/// Calls block, so it belongs on a thread of its own and is touched by that one only. It is closed when it goes out of scope.
public struct Connection: ~Copyable {
    let handle: OpaquePointer
    private let notices: Unmanaged<NoticeLog>

    /// Connects.
    /// - Parameters:
    ///   - url: a libpq connection string or URI; empty for the PG* environment, service and password files.
    ///   - defaults: parameters for what the string does not say (`application_name`, `connect_timeout` …).
    /// - Throws: `PostgreSQLError.connection`; its text never holds the connection string.
    public init(url: String, defaults: [String: String] = [:]) throws(PostgreSQLError) {
        var parameters = Self.standardDefaults
        parameters.merge(defaults) { $1 }
        for (name, _) in parameters where Self.mentions(name, in: url) { parameters[name] = nil }
        // dbname comes last: with expand_dbname it may be a whole connection string, whose words win over those before it.
        var names: [UnsafeMutablePointer<CChar>?] = parameters.keys.map { strdup($0) }
        var values: [UnsafeMutablePointer<CChar>?] = parameters.values.map { strdup($0) }
        names += [strdup("dbname"), nil]
        values += [strdup(url), nil]
        defer { for text in names + values { free(text) } }
        let opened = names.withUnsafeBufferPointer { names in
            values.withUnsafeBufferPointer { values in
                names.withMemoryRebound(to: UnsafePointer<CChar>?.self) { names in
                    values.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                        PQconnectdbParams(names.baseAddress, values.baseAddress, 1)
                    }
                }
            }
        }
        guard let opened else { throw .connection("out of memory") }
        guard PQstatus(opened) == CONNECTION_OK else {
            let text = Self.message(of: opened)
            PQfinish(opened)
            throw .connection(text)
        }
        let notices = Unmanaged.passRetained(NoticeLog())
        PQsetNoticeReceiver(
            opened,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<NoticeLog>.fromOpaque(context).takeUnretainedValue().add(ServerError(result))
            }, notices.toOpaque())
        handle = opened
        self.notices = notices
    }

    deinit {
        PQfinish(handle)
        notices.release()
    }

    /// Dead peers are noticed within half a minute; a replica is not taken for the primary.
    private static let standardDefaults = [
        "application_name": "penstock", "connect_timeout": "10", "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "5",
        "keepalives_count": "3", "tcp_user_timeout": "10000", "target_session_attrs": "read-write", "client_encoding": "UTF8",
    ]

    private static func mentions(_ name: String, in url: String) -> Bool { url.contains(name + "=") || url.contains(name + " =") }

    private static func message(of handle: OpaquePointer) -> String {
        oneLine(String(cString: PQerrorMessage(handle)))
    }

    /// libpq's lines as one, without their indentation; its question whether the server is running is left out, since our advice asks it.
    static func oneLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }
        return lines.filter { !$0.isEmpty && !$0.hasPrefix("Is the server running") }.joined(separator: "; ")
    }

    /// Whether the connection stands, as far as libpq knows.
    public var isOpen: Bool { PQstatus(handle) == CONNECTION_OK }

    /// The server's version, as 150_004 for 15.4.
    public var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// Takes the warnings and notices that came since the last call.
    public func takeNotices() -> [ServerError] { notices.takeUnretainedValue().take() }

    /// Runs one or several statements without parameters; results are thrown away.
    public func execute(_ sql: String) throws(PostgreSQLError) {
        guard PQsendQuery(handle, sql) == 1 else { throw connectionError() }
        try drain()
    }

    /// Runs one statement and returns its rows as text.
    /// - Parameter parameters: for `$1`, `$2` …; nil is NULL.
    public func query(_ sql: String, _ parameters: [String?] = []) throws(PostgreSQLError) -> [[String?]] {
        let values: [UnsafeMutablePointer<CChar>?] = parameters.map { $0.flatMap { strdup($0) } }
        defer { for value in values { free(value) } }
        let result = values.withUnsafeBufferPointer { values in
            values.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                PQexecParams(handle, sql, Int32(parameters.count), nil, values.baseAddress, nil, nil, 0)
            }
        }
        guard let result else { throw connectionError() }
        defer { PQclear(result) }
        try check(result)
        return (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
    }

    // MARK: Results

    /// Reads all results of what was sent; the first error is thrown once the connection is ready for the next statement.
    func drain() throws(PostgreSQLError) {
        var failure: PostgreSQLError?
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            do throws(PostgreSQLError) { try check(result) } catch { if failure == nil { failure = error } }
            if PQresultStatus(result) == PGRES_COPY_IN { _ = PQputCopyEnd(handle, "no COPY was expected here") }
        }
        if let failure { throw failure }
        guard isOpen else { throw connectionError() }
    }

    func check(_ result: OpaquePointer) throws(PostgreSQLError) {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_COPY_IN, PGRES_NONFATAL_ERROR, PGRES_SINGLE_TUPLE: return
        default:
            // Without a SQLSTATE it is libpq that speaks: the connection is gone.
            guard isOpen, PQresultErrorField(result, Int32(UnicodeScalar("C").value)) != nil else {
                let sqlState = PQresultErrorField(result, Int32(UnicodeScalar("C").value)).map { String(cString: $0) }
                if sqlState != nil { throw .server(ServerError(result)) }
                throw connectionError()
            }
            throw .server(ServerError(result))
        }
    }

    func connectionError() -> PostgreSQLError { .connection(Self.message(of: handle)) }
}

/// The last notices of a connection: at most 16, so that a chatty server costs no memory.
private final class NoticeLog {
    private var notices: [ServerError] = []

    func add(_ notice: ServerError) {
        if notices.count < 16 { notices.append(notice) }
    }

    func take() -> [ServerError] {
        defer { notices.removeAll() }
        return notices
    }
}

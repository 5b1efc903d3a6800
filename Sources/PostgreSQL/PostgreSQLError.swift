import CLibPQ

/// What PostgreSQL, or the way to it, said no to.
public enum PostgreSQLError: Error, Sendable {
    /// There is no connection (any more). The text is libpq's, without the connection string.
    case connection(String)
    /// The server refused a statement, or a connection.
    case server(ServerError)
}

/// The fields of an error message of the server (PostgreSQL documentation, "Error and Notice Message Fields").
public struct ServerError: Sendable, Hashable {
    public var sqlState: String
    public var severity: String
    public var message: String
    public var detail: String?
    public var hint: String?
    /// Where the error happened: for COPY it names the relation and the line.
    public var context: String?
    public var schema: String?
    public var table: String?
    public var column: String?
    public var constraint: String?

    init(_ result: OpaquePointer) {
        func field(_ code: UnicodeScalar) -> String? { PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) } }
        sqlState = field("C") ?? ""
        severity = field("V") ?? field("S") ?? "ERROR"
        message = field("M") ?? String(cString: PQresultErrorMessage(result))
        detail = field("D")
        hint = field("H")
        context = field("W")
        schema = field("s")
        table = field("t")
        column = field("c")
        constraint = field("n")
    }
}

extension PostgreSQLError: CustomStringConvertible {
    /// For people: what was met, and what to do where that is known.
    public var description: String {
        switch self {
        case .connection(let text): Self.withAdvice(text)
        case .server(let error): error.description
        }
    }

    /// libpq reports a refused connection as text only.
    private static func withAdvice(_ text: String) -> String {
        let advice: String? =
            if text.contains("password authentication failed") || text.contains("no password supplied") {
                "check the user and password of database.url, PGPASSWORD or the password file"
            } else if text.contains("does not exist"), text.contains("database") {
                "create it (createdb), or correct database.url"
            } else if text.contains("does not exist"), text.contains("role") {
                "create the role (createuser), or correct database.url"
            } else if text.contains("Connection refused") || text.contains("No such file or directory") {
                "is PostgreSQL running there, and is the port right?"
            } else if text.contains("could not translate host name") {
                "check the host name in database.url"
            } else if text.contains("no pg_hba.conf entry") {
                "the server's pg_hba.conf does not let this user in from here"
            } else {
                nil
            }
        return advice.map { "\(text) (\($0))" } ?? text
    }

    /// As PostgreSQL names it; libpq tells no code of a connection that cannot be had, or is lost: class 08 then.
    public var sqlState: String {
        switch self {
        case .connection: "08000"
        case .server(let error): error.sqlState
        }
    }

    /// Whether the settings are at fault, so that trying again changes nothing: wrong password, no such role or database.
    public var isMisconfiguration: Bool {
        guard case .connection(let text) = self else { return false }
        return text.contains("authentication failed") || text.contains("no password supplied") || text.contains("no pg_hba.conf entry")
            || (text.contains("does not exist") && (text.contains("database") || text.contains("role")))
    }
}

extension ServerError: CustomStringConvertible {
    public var description: String {
        var text = "\(message) (SQLSTATE \(sqlState))"
        if let detail { text += "; \(detail)" }
        if let hint { text += "; hint: \(hint)" }
        if let context { text += "; \(context.split(separator: "\n").first ?? "")" }
        return text
    }

    /// The SQLSTATE of a server whose table of locks is full, or its memory.
    public static let outOfLocks = "53200"

    /// A row has no partition to go to. (A check constraint that fails has the same SQLSTATE, and a name.)
    public var saysPartitionIsMissing: Bool { sqlState == "23514" && constraint == nil }

    /// What the error means for rows that were sent.
    public var classification: ErrorClassification { ErrorClassification(sqlState: sqlState) }
}

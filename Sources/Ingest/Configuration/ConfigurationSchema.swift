import Mapping

/// The JSON Schema of `penstock.yaml`, for editors: the keys are those of `ConfigurationReader.keys`; a test holds them together.
public enum ConfigurationSchema {
    /// JSON text with a newline at its end.
    public static var text: String {
        var members: [(name: String, value: SchemaNode)] = [
            ("$schema", .text("http://json-schema.org/draft-07/schema#")), ("title", .text("The configuration of Penstock")),
            (
                "description",
                .text(
                    "Every key can be left out. ${NAME} and ${NAME:-default} stand for variables of the environment; each key is also PENSTOCK_<PATH>."
                )
            ),
        ]
        if case .object(let root) = object("").schema { members += root }
        return SchemaNode.object(members).json() + "\n"
    }

    /// The keys of a section, as `ConfigurationReader.keys` names it.
    static func object(_ section: String) -> ObjectDescription {
        let prefix = section.isEmpty ? "" : section + "."
        let own = keys.filter { key in
            key.name.hasPrefix(prefix) && key.name != section && !key.name.dropFirst(prefix.count).contains(".")
        }
        return ObjectDescription(
            own.map { key in
                let isSection = keys.contains { $0.name.hasPrefix(key.name + ".") }
                return KeyDescription(
                    String(key.name.dropFirst(prefix.count)), key.words, isSection ? object(key.name).schema : key.value)
            })
    }

    /// A value of the environment may stand for any other one.
    private static let variable: SchemaNode = .text(like: "\\$\\{.+\\}")
    private static let nothing: SchemaNode = .object([("type", .text("null"))])
    private static let section: SchemaNode = nothing
    private static let words: SchemaNode = .scalar

    private static func choice(_ words: [String]) -> SchemaNode { .anyOf([.choice(words), variable, nothing]) }
    private static func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> SchemaNode where Choice.RawValue == String {
        choice(Choice.allCases.map(\.rawValue))
    }
    private static func whole(_ range: ClosedRange<Int>) -> SchemaNode { .anyOf([.whole(range), variable, nothing]) }
    private static let truth: SchemaNode = .anyOf([.truth, variable, nothing])
    private static let duration: SchemaNode = .anyOf([.text(like: "^[0-9.]+ *(ns|us|µs|ms|s|min|m|h|d)$"), variable, nothing])
    private static let size: SchemaNode = .anyOf([
        .object([("type", .text("integer")), ("minimum", .number(0))]), .text(like: "^[0-9]+ *(B|KB|MB|GB|KiB|MiB|GiB)?$"), variable,
        nothing,
    ])

    /// By path.
    static let keys: [KeyDescription] = [
        KeyDescription("broker", "The MQTT broker.", section),
        KeyDescription(
            "broker.url", "mqtt, mqtts, ws or wss; of a list each is tried in turn. Default mqtt://localhost:1883.",
            .oneOrMore(.anyOf([.text(like: "^(mqtts?|wss?)://.+$"), variable]))),
        KeyDescription(
            "broker.version", "The version of MQTT; auto (default) speaks 5 and comes down to 3.1.1.",
            .anyOf([
                .choice(["auto", "5", "5.0", "3.1.1", "3.1"]), .object([("enum", .list([.number(5)]))]),
                .object([("type", .text("number"))]), variable,
            ])),
        KeyDescription("broker.username", "The name to log in with.", words),
        KeyDescription("broker.password", "The password; better in a file.", words),
        KeyDescription("broker.password_file", "A file that holds the password; read again for each connection.", words),
        KeyDescription("broker.tls", "For mqtts and wss.", section),
        KeyDescription("broker.tls.ca_file", "Certificates that are trusted, PEM; the system's if not given.", words),
        KeyDescription("broker.tls.cert_file", "Our certificate, PEM.", words),
        KeyDescription("broker.tls.key_file", "Its key, PEM.", words),
        KeyDescription("broker.tls.key_password_file", "A file that holds the key's password.", words),
        KeyDescription("broker.tls.server_name", "The name that the broker's certificate must have.", words),
        KeyDescription(
            "broker.tls.verify", "full (default), or none, which lets anybody pretend to be the broker.",
            choice(TLSSettings.Verification.self)),
        KeyDescription(
            "broker.tls.min_version", "The oldest version of TLS that is spoken.",
            .anyOf([.choice(TLSSettings.Version.allCases.map(\.rawValue)), .object([("type", .text("number"))]), variable])),
        KeyDescription("broker.tls.psk_identity", "The name of a pre-shared key.", words),
        KeyDescription("broker.tls.psk_file", "A file that holds the pre-shared key.", words),
        KeyDescription("broker.keep_alive", "How often the connection is asked for life. Default 30s.", duration),
        KeyDescription("broker.connect_timeout", "How long connecting may take. Default 10s.", duration),
        KeyDescription("broker.session_expiry", "How long the broker keeps the sessions, at least 1m. Default 7d.", duration),
        KeyDescription("broker.receive_maximum", "Messages under way before we acknowledge. Default 65535.", whole(1...65_535)),
        KeyDescription("broker.max_packet_bytes", "The largest packet that is taken. Default 16MiB.", size),
        KeyDescription(
            "broker.status_topic",
            "Where each session says that it is online or offline; null: nowhere. Default penstock/{client_id}/status.", words),
        KeyDescription(
            "broker.server_reference", "Whether to go where the broker sends us: ignore (default) or follow.", choice(["ignore", "follow"])),
        KeyDescription("broker.watch", "Whether to watch the broker's $SYS topics. Default true.", truth),
        KeyDescription("database", "PostgreSQL.", section),
        KeyDescription("database.url", "A connection string or URI of libpq. Default postgresql://localhost/telemetry.", words),
        KeyDescription("database.url_file", "A file that holds it.", words),
        KeyDescription("database.statement_timeout", "How long a statement may take. Default 60s.", duration),
        KeyDescription("database.lock_timeout", "How long a statement may wait for a lock. Default 30s.", duration),
        KeyDescription("database.tcp_user_timeout", "How long what was sent may stay unanswered. Default 10s.", duration),
        KeyDescription(
            "database.give_up", "How long the database may be away before messages are left to the broker. Default 5m.", duration),
        KeyDescription("pool", "The sessions with the broker.", section),
        KeyDescription("pool.client_id", "Client identifiers are <client_id>-<n>. Default penstock.", words),
        KeyDescription("pool.sessions", "How many. Default 8.", whole(1...1024)),
        KeyDescription("pool.shards", "Threads that decode. Default 2.", whole(1...256)),
        KeyDescription(
            "pool.distribution", "How messages are spread over sessions: auto (default), shared or split.", choice(Distribution.self)),
        KeyDescription("pool.group", "The group of shared subscriptions. Default penstock.", words),
        KeyDescription("pool.lease", "How long a process may be silent before others take its sessions. Default 5s.", duration),
        KeyDescription("batch", "What is stored at once.", section),
        KeyDescription("batch.max_bytes", "Default 8MiB.", size),
        KeyDescription("batch.max_messages", "Default 50000.", whole(1...10_000_000)),
        KeyDescription("batch.linger", "How long a batch waits for more while the database is idle. Default 0ms.", duration),
        KeyDescription("dead_letter", "Messages that become no rows.", section),
        KeyDescription("dead_letter.max_per_minute", "Of one mapping. Default 6000.", whole(1...100_000_000)),
        KeyDescription("dead_letter.on_flood", "What happens to more: slow (default) or drop.", choice(FloodPolicy.self)),
        KeyDescription(
            "dead_letter.max_reports_per_minute", "Reports of one mapping (report_errors_to). Default 60.", whole(1...1_000_000)),
        KeyDescription(
            "dead_letter.keep", "How long letters are kept, at least 1h, or forever; those that wait for their table stay. Default 30d.",
            .anyOf([.choice(["forever"]), duration])),
        KeyDescription("decode", "Bounds of decoding.", section),
        KeyDescription("decode.max_bytes", "Larger payloads are dead letters. Default 8MiB.", size),
        KeyDescription("decode.max_depth", "Deeper ones too. Default 64.", whole(1...1024)),
        KeyDescription("log", "What the service says on standard error.", section),
        KeyDescription("log.level", "Default info.", choice(LogSettings.Level.self)),
        KeyDescription("log.format", "text (default) or json.", choice(LogSettings.Format.self)),
        KeyDescription("http", "The status page, metrics and health; null or off: none.", section),
        KeyDescription(
            "http.listen", "Address and port; off: none. Away from this machine it needs a token. Default 127.0.0.1:9464.", words),
        KeyDescription("http.token_file", "A file with what requests have to show: Authorization: Bearer <token>.", words),
        KeyDescription("mappings", "The folder of mappings. Default mappings.", words),
        KeyDescription("ddl", "What the running service may make in the schema: off (default), create or evolve.", choice(DDLPolicy.self)),
        KeyDescription("shutdown_timeout", "How long ending may take. Default 10s.", duration),
    ]
}

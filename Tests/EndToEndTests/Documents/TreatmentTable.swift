/// What is not simply run as it stands: with what it needs, what it says and does, or why it is not run and what is looked at instead.
enum TreatmentTable {
    /// By the whole text.
    static let exact: [String: Treatment] = commands.merging(statements) { $1 }.merging(notRun) { $1 }

    /// By how it begins.
    static let beginnings: KeyValuePairs<String, Treatment> = [
        "scripts/check-operations --scrape": .run(
            .init(typed: ["scripts/check-operations --scrape \"http://$PENSTOCK_HTTP_LISTEN/metrics\""], prints: ["alerts"])),
        "scripts/": .instead(.script, why: "it builds and measures for minutes, or is the gate that runs this test"),
        "Tests/Page/": .instead(.script, why: "it wants a browser"),
        "docker ": .instead(.compose, why: "it wants images, and a daemon"),
        "podman ": .instead(.nothing, why: "it is named as another builder"),
        "kubectl ": .instead(.kubernetes, why: "there is no cluster"),
        "install ": .instead(.unit, why: "it would change this machine"),
        "systemctl ": .instead(.unit, why: "it would change this machine"),
        "systemd-": .instead(.unit, why: "it would change this machine"),
        "SELECT mapping, stage, column_name, sqlstate": .run(.init(before: letter, prints: ["readings", "temperature"])),
    ]

    /// A message whose temperature is a word lies among the dead letters, and no other one.
    private static let letter: [Treatment.Step] = [
        .sql("DELETE FROM penstock.dead_letter"), .shell(#"mosquitto_pub -q 1 -t sensors/d1/state -m '{"temperature": "warm"}'"#),
        .until("(SELECT count(*) FROM penstock.dead_letter) = 1"),
    ]
    private static let mended = Treatment.Step.sql(
        "UPDATE penstock.dead_letter SET payload = convert_to('{\"temperature\": 1}', 'UTF8')")
    private static let dropped = [Treatment.Step.stopService]

    private static let commands: [String: Treatment] = [
        "penstock try --topic sensors/d1/state --payload '{\"temperature\": 21.5, \"humidity\": 40}'": .run(
            .init(prints: ["readings: takes 'sensors/{device}/state'", "table readings, 1 row", "21.5"])),
        "penstock try --topic T --payload P": .run(
            .init(typed: ["penstock try --topic sensors/d1/state --payload '{\"temperature\": 21.5}'"], prints: ["1 row"])),
        "penstock try --live 3": .run(.init(prints: ["1 row"])),
        "penstock try --live 5": .run(.init(prints: ["1 row"])),
        "penstock try --live 20": .run(.init(prints: ["1 row"])),
        "penstock check --offline": .run(.init(prints: ["subscribes to sensors/+/state", "all right (offline)"])),
        "penstock check [--offline]": .run(
            .init(typed: ["penstock check", "penstock check --offline"], prints: ["all right"])),
        "penstock migrate": .run(
            .init(
                prints: ["the schema 'penstock' and", "up to date"],
                holds: ["to_regclass('readings') IS NOT NULL", "to_regclass('penstock.session') IS NOT NULL"])),
        "penstock migrate --dry-run": .run(.init(prints: ["the tables are as the mappings need them"])),
        "penstock migrate [--dry-run]": .run(.init(typed: ["penstock migrate", "penstock migrate --dry-run"])),
        "penstock run": .run(
            .init(
                typed: ["true"], before: [.startService],
                holds: ["(SELECT count(*) FROM readings) > 0", "(SELECT count(*) FROM climate) > 0"])),
        "penstock status": .run(.init(prints: ["ready", "readings"])),
        // With dead letters of this hour it ends with 1.
        "penstock status --json": .run(.init(ends: [0, 1], prints: ["\"sessions\""])),
        "penstock replay": .run(
            .init(before: letter + [mended], prints: ["1 stored as 1 row"], holds: ["NOT EXISTS (SELECT FROM penstock.dead_letter)"])),
        "penstock replay [--mapping M] [--dry-run]": .run(
            .init(
                typed: ["penstock replay --mapping readings --dry-run", "penstock replay --mapping readings"], before: letter + [mended],
                holds: ["NOT EXISTS (SELECT FROM penstock.dead_letter)"])),
        "penstock replay --mapping M --dry-run": .run(
            .init(
                typed: ["penstock replay --mapping readings --dry-run"], before: letter + [mended],
                holds: ["(SELECT count(*) FROM penstock.dead_letter) = 1"])),
        "penstock sessions": .run(.init(prints: ["penstock-0  used by process", "sensors/+/state"])),
        "penstock sessions drop CLIENT_ID": .run(
            .init(
                typed: ["penstock sessions drop penstock-6"], before: dropped,
                holds: ["NOT EXISTS (SELECT FROM penstock.session WHERE client_id = 'penstock-6')"], after: [.startService])),
        "penstock sessions drop penstock-7": .run(
            .init(
                before: dropped, holds: ["NOT EXISTS (SELECT FROM penstock.session WHERE client_id = 'penstock-7')"],
                after: [.startService])),
        "penstock sessions drop": .run(
            .init(
                typed: ["for number in 0 1 2 3 4 5 6 7; do penstock sessions drop penstock-$number || exit 1; done"], before: dropped,
                holds: ["NOT EXISTS (SELECT FROM penstock.session)"], after: [.startService])),
        "penstock schema": .run(.init(prints: ["\"$schema\"", "on_conflict"])),
        "penstock schema configuration": .run(.init(prints: ["\"$schema\"", "linger"])),
        "penstock simulate --kinds all": .run(
            .init(typed: ["penstock simulate --kinds all --count 20"], prints: ["acknowledged by the broker"])),
        "penstock infer --topic 'site/#' --seconds 60 --out mappings": .run(
            .init(typed: ["\(elsewhere)penstock infer --topic 'site/#' --seconds 2 --out mappings && \(passes)"], prints: inferred)),
        "penstock infer --topic 'site/#' --messages 2000 --out mappings": .run(
            .init(typed: ["\(elsewhere)penstock infer --topic 'site/#' --messages 20 --out mappings && \(passes)"], prints: inferred)),
        "penstock infer --samples captured/ --out mappings": .run(
            .init(
                typed: [
                    "\(elsewhere)mkdir captured && mosquitto_sub -v -t 'site/#' -C 10 >captured/lines "
                        + "&& mosquitto_sub -F %j -t 'site/#' -C 10 >captured/objects && penstock infer --samples captured/ --out mappings && \(passes)"
                ], prints: inferred + ["20 messages"])),
        "penstock infer --topic 'site/#'": .run(
            .init(typed: ["penstock infer --topic 'site/#' --messages 20"], prints: ["topic: site/", "become rows"])),
        "mosquitto_sub -v": .run(.init(typed: ["mosquitto_sub -v -t 'site/#' -C 1"], prints: ["site/north/greenhouse/"])),
        "mosquitto_sub -F %j": .run(.init(typed: ["mosquitto_sub -F %j -t 'site/#' -C 1"], prints: ["\"topic\":\"site/north/greenhouse/"])),
        "mosquitto_sub -v -t '#'": .run(.init(typed: ["mosquitto_sub -v -t '#' -C 20"], prints: ["/state "])),
        "pg_dump --format custom --file telemetry.dump telemetry": .run(
            .init(before: [.until("(SELECT count(*) FROM climate) > 100")])),
        "pg_restore --exit-on-error --dbname telemetry_restored telemetry.dump": .run(
            .init(
                after: [
                    // What the service has counted is what is there: the dump is of one instant, though rows came all the time.
                    .shell(
                        "test \"$(psql -XAt telemetry_restored -c \"SELECT sum(rows) = (SELECT count(*) FROM climate) FROM penstock.table_activity "
                            + "WHERE table_name = 'climate'\")\" = t"),
                    .shell("PENSTOCK_DATABASE_URL=postgresql:///telemetry_restored penstock check"), .shell("dropdb telemetry_restored"),
                ])),
        "swift test list": .run(.init(typed: ["swift test list --help"], prints: ["swift test list"])),
    ]

    /// A folder of its own: with the mappings of the service beside them, two would take each message.
    private static let elsewhere = "cd \"$(mktemp -d)\" && "
    private static let passes = "penstock check --offline"
    private static let inferred = ["become rows", "1 mapping, ", "all right (offline)"]

    private static let statements: [String: Treatment] = [
        "SET TIME ZONE 'Europe/Berlin';": .run(.init(prints: ["SET"])),
        "GRANT penstock_analyst TO alice;": .run(
            .init(before: [.sql("CREATE ROLE alice LOGIN")], holds: ["pg_has_role('alice', 'penstock_analyst', 'MEMBER')"])),
        "REVOKE SELECT ON penstock.dead_letter, penstock.sparkplug_birth FROM penstock_analyst;": .run(
            .init(
                before: [.until("has_table_privilege('penstock_analyst', 'penstock.dead_letter', 'SELECT')")],
                holds: [
                    "NOT has_table_privilege('penstock_analyst', 'penstock.dead_letter', 'SELECT')",
                    "has_table_privilege('penstock_analyst', 'climate', 'SELECT')",
                ])),
        "\\d+ weather": .run(.init(prints: ["not reduced to sea level"])),
        "SELECT penstock.latest_query('climate')": .run(.init(prints: ["SELECT", "climate"])),
        "COPY (SELECT …) TO STDOUT (FORMAT csv, HEADER)": .run(
            .init(typed: ["COPY (SELECT * FROM climate LIMIT 1) TO STDOUT (FORMAT csv, HEADER)"], prints: ["time,site,device"])),
        "UPDATE heatpump SET fw = extra->>'fw'": .run(
            .init(
                before: [
                    .shell(#"mosquitto_pub -q 1 -t cellar/wp1/state -m "{\"ts\": $(date +%s)000, \"fw\": \"2.1.0\", \"mode\": 1}""#),
                    .until("EXISTS (SELECT FROM heatpump)"), .sql("ALTER TABLE heatpump ADD COLUMN fw text"),
                ], holds: ["(SELECT bool_and(fw = '2.1.0') FROM heatpump)"])),
        "ALTER ROLE ada SET idle_in_transaction_session_timeout = '5min'": .run(
            .init(
                before: [.sql("CREATE ROLE ada")],
                holds: ["(SELECT rolconfig = '{idle_in_transaction_session_timeout=5min}' FROM pg_roles WHERE rolname = 'ada')"])),
        "SELECT pid, query, wait_event_type FROM pg_stat_activity WHERE state <> 'idle'": .run(.init(prints: ["pg_stat_activity"])),
        "SELECT wait_event_type, wait_event, count(*) FROM pg_stat_activity GROUP BY 1, 2": .run(.init(prints: ["wait_event_type"])),
    ]

    private static let notRun: [String: Treatment] = [
        "penstock try": .instead(.help, why: "it wants a message"),
        "penstock simulate": .instead(.help, why: "it runs until it is ended"),
        "penstock infer": .instead(.help, why: "it wants topics"),
        "penstock demo": .instead(.help, why: "it runs until it is ended; CommandLineTests runs it for two seconds"),
        "COPY (SELECT …) TO 'weather.parquet';": .instead(.nothing, why: "it is typed into DuckDB"),
        "ATTACH 'postgresql://…' AS telemetry (TYPE postgres);": .instead(.nothing, why: "it is typed into DuckDB"),
        "callgrind_annotate callgrind.out": .instead(.nothing, why: "it is valgrind's, for a file of valgrind's"),
        "docker inspect": .instead(.nothing, why: "it is named as a place where secrets are seen"),
        "--static-swift-stdlib": .instead(.nothing, why: "it is an option of swift build"),
        "--help": .instead(.nothing, why: "every program knows it"),
    ]
}

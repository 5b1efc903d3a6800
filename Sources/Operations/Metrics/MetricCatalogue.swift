import Ingest

/// Every metric of the service, in the order in which a scrape shows them.
enum MetricCatalogue {
    static let secondsBuckets = LatencyHistogram.boundsMicroseconds.map { Double($0) / 1_000_000 }
    private static let rowBuckets: [Double] = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000]

    static let received = MetricDescription(
        "penstock_messages_received_total", .counter, "Messages that a mapping has taken, repeats included, by quality of service.")
    static let acknowledged = MetricDescription(
        "penstock_messages_acknowledged_total", .counter, "Acknowledgements sent to the broker, each after its message became durable.")
    static let redelivered = MetricDescription(
        "penstock_messages_redelivered_total", .counter, "Messages that the broker has marked as sent again.")
    static let settled = MetricDescription(
        "penstock_messages_settled_total", .counter, "Messages whose rows or dead letter are durable, or that are known to make neither.")
    static let givenUp = MetricDescription(
        "penstock_messages_given_up_total", .counter,
        "Messages that could not be stored and were left to the broker, which sends them again.")
    static let inFlight = MetricDescription(
        "penstock_in_flight_messages", .gauge, "Messages that have come and are neither settled nor given up.")
    static let rows = MetricDescription("penstock_rows_committed_total", .counter, "Rows committed, by table.")
    static let letters = MetricDescription(
        "penstock_dead_letters_total", .counter, "Messages committed as dead letters, by the stage at which they failed.")
    static let dropped = MetricDescription(
        "penstock_messages_dropped_total", .counter,
        "Messages that are gone: no_room for QoS 0 while the database was away or slow, flood for dead letters above the limit.")
    static let filtered = MetricDescription(
        "penstock_messages_filtered_total", .counter, "Messages that a mapping's own filter has left out.")
    static let noValues = MetricDescription(
        "penstock_rows_without_values_total", .counter, "Rows that were not written because none of their values was there.")
    static let unrouted = MetricDescription("penstock_unrouted_total", .counter, "Messages that no mapping takes.")
    static let commitSeconds = MetricDescription(
        "penstock_commit_seconds", .histogram, "From a batch's arrival at the writer until the database has answered COMMIT.",
        buckets: secondsBuckets, scale: 1e-9)
    static let latency = MetricDescription(
        "penstock_ingest_latency_seconds", .histogram, "From a message's arrival until it is durable, of every settled message.",
        buckets: secondsBuckets)
    static let batchRows = MetricDescription("penstock_batch_rows", .histogram, "Rows of each committed batch.", buckets: rowBuckets)
    static let batchBytes = MetricDescription(
        "penstock_batch_bytes", .gauge, "Bytes of messages and rows in memory that are not durable yet.")
    static let oldest = MetricDescription(
        "penstock_oldest_unacknowledged_seconds", .gauge, "Age of the oldest message that has come and is not settled; 0 with none.")
    static let unacknowledged = MetricDescription(
        "penstock_unacknowledged_messages", .gauge, "Messages at QoS 1 and 2 that wait for their acknowledgement, by session.")
    static let sessionConnected = MetricDescription(
        "penstock_session_connected", .gauge, "Whether the broker has accepted the session (1) or not (0).")
    static let sessionSubscribed = MetricDescription(
        "penstock_session_subscribed", .gauge, "Whether the session has all its subscriptions (1) or not (0).")
    static let sessionLost = MetricDescription(
        "penstock_session_lost_total", .counter, "Times that the broker had forgotten a session, and perhaps messages with it.")
    static let reconnects = MetricDescription(
        "penstock_reconnects_total", .counter, "Connections that ended and were made again, by side: broker or database.")
    static let bound = MetricDescription(
        "penstock_bound", .gauge, "Part of the shards that wait for the network, for the broker's window or for the database.")
    static let databaseUp = MetricDescription(
        "penstock_database_up", .gauge, "Whether the database takes batches and leases (1) or not (0).")
    static let databaseErrors = MetricDescription(
        "penstock_database_errors_total", .counter, "Errors of the database, by SQLSTATE; 08000 for connections that are refused or lost.")
    static let lastCommit = MetricDescription(
        "penstock_last_commit_timestamp_seconds", .gauge, "When the last batch was committed, in seconds since 1970; 0: none was.")
    static let lastMessage = MetricDescription(
        "penstock_last_message_timestamp_seconds", .gauge, "When the last message of a mapping came, in seconds since 1970; 0: none has.")
    static let lastError = MetricDescription(
        "penstock_last_error_timestamp_seconds", .gauge,
        "When a message of a mapping last went wrong, in seconds since 1970; 0: none has.")
    static let parked = MetricDescription(
        "penstock_mapping_parked", .gauge, "Whether a mapping's table cannot be written (1), so that its messages become dead letters.")
    static let brokerDropped = MetricDescription(
        "penstock_broker_dropped_total", .counter,
        "Messages that the broker says it has dropped, for any of its clients, since this process looks.")
    static let sequenceGaps = MetricDescription(
        "penstock_sparkplug_gaps_total", .counter, "Times that messages of a Sparkplug edge node were missing, by their sequence numbers.")
    static let ready = MetricDescription("penstock_ready", .gauge, "What /readyz says: 1 ready, 0 not.")
    static let buildInfo = MetricDescription("penstock_build_info", .gauge, "Always 1; the labels say what runs.")
    static let cpuSeconds = MetricDescription("process_cpu_seconds_total", .counter, "Processor time used, user and system.")
    static let residentBytes = MetricDescription("process_resident_memory_bytes", .gauge, "Resident memory.")
    static let virtualBytes = MetricDescription("process_virtual_memory_bytes", .gauge, "Virtual memory.")
    static let openFiles = MetricDescription("process_open_fds", .gauge, "Open file descriptors.")
    static let maximumFiles = MetricDescription("process_max_fds", .gauge, "How many file descriptors may be open.")
    static let startTime = MetricDescription("process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.")

    static let all = [
        received, acknowledged, redelivered, settled, givenUp, inFlight, rows, letters, dropped, filtered, noValues, unrouted,
        commitSeconds,
        latency, batchRows, batchBytes, oldest, unacknowledged, sessionConnected, sessionSubscribed, sessionLost, reconnects, bound,
        databaseUp, databaseErrors, lastCommit, lastMessage, lastError, parked, brokerDropped, sequenceGaps, ready, buildInfo, cpuSeconds,
        residentBytes, virtualBytes, openFiles, maximumFiles, startTime,
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

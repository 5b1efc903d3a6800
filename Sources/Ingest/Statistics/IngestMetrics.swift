import CoreMetrics

/// What is recorded as it happens: once a batch, or once an event. What happens with each message is counted by the shards as plain integers (`ShardStatistics`).
public struct IngestMetrics: Sendable {
    /// From a batch's arrival at the writer until the database has answered COMMIT.
    let commitSeconds: CoreMetrics.Timer
    /// Rows of a batch that was committed.
    let batchRows: Recorder
    /// The broker had forgotten a session that was there.
    let sessionLost: Counter
    /// Connections that ended and are made again.
    let brokerReconnects: Counter
    let databaseReconnects: Counter
    private let factory: any MetricsFactory

    /// - Parameter factory: where values go; nowhere if not given.
    public init(factory: any MetricsFactory = NOOPMetricsHandler.instance) {
        self.factory = factory
        commitSeconds = CoreMetrics.Timer(
            label: "penstock_commit_seconds", dimensions: [], preferredDisplayUnit: .seconds, factory: factory)
        batchRows = Recorder(label: "penstock_batch_rows", dimensions: [], aggregate: true, factory: factory)
        sessionLost = Counter(label: "penstock_session_lost_total", dimensions: [], factory: factory)
        brokerReconnects = Counter(label: "penstock_reconnects_total", dimensions: [("side", "broker")], factory: factory)
        databaseReconnects = Counter(label: "penstock_reconnects_total", dimensions: [("side", "database")], factory: factory)
    }

    /// PostgreSQL has refused a statement, or a connection could not be had (class 08). Errors are rare, or each costs a round trip: looking up the counter
    /// is nothing beside that.
    func databaseError(sqlState: String) {
        Counter(label: "penstock_database_errors_total", dimensions: [("sqlstate", sqlState)], factory: factory).increment()
    }
}

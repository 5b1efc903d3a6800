import Synchronization

/// A broker with a script, a database that the script may look into, and one ingester with one session at QoS 2.
final class ScriptedStage {
    let workplace: Workplace
    let probe: DatabaseProbe
    private let broker: ScriptedBroker
    private let progress: Progress

    /// What the script of one connection has beside the connection.
    final class Prompt: Sendable {
        let probe: DatabaseProbe
        private let progress: Progress
        private let isDone = Mutex(false)

        fileprivate init(_ probe: DatabaseProbe, _ progress: Progress) {
            self.probe = probe
            self.progress = progress
        }

        /// All that was to be seen was seen; said by itself at the end of the script.
        func done() {
            let isFirst = isDone.withLock { isDone in
                defer { isDone = true }
                return !isDone
            }
            if isFirst { progress.done.withLock { $0 += 1 } }
        }
    }

    fileprivate final class Progress: Sendable {
        let probe = Mutex<DatabaseProbe?>(nil)
        let done = Mutex(0)
    }

    /// - Parameter script: what the broker does with the connection of this number, counted from 0.
    init(_ script: @escaping @Sendable (ScriptedConnection, Int, Prompt) throws -> Void) async throws {
        let progress = Progress()
        broker = try ScriptedBroker { connection, number in
            guard let probe = progress.probe.withLock({ $0 }) else { return }
            let prompt = Prompt(probe, progress)
            try script(connection, number, prompt)
            prompt.done()
        }
        self.progress = progress
        workplace = try await Workplace(
            sessions: 1, shards: 1, mappings: ["telemetry": Mappings.telemetryExactlyOnce],
            broker: WireVersion.v3_1_1.configurationLine + "\nstatus_topic: null",
            withoutBroker: broker.port)
        probe = try workplace.probe()
        progress.probe.withLock { [probe] in $0 = probe }
    }

    /// Waits until the scripts of so many connections have seen all that they want to see.
    func waitForScript(_ count: Int) async throws {
        try await workplace.eventually("\(count) connections have gone by their script") {
            if let complaint = broker.complaints.first { throw ScriptedConnection.Unexpected(description: complaint) }
            return progress.done.withLock { $0 } >= count
        }
    }

    /// The `seq` of all stored rows.
    func sequences() throws -> [Int] {
        try probe.rows("SELECT seq FROM readings ORDER BY seq").compactMap { $0[0].flatMap { Int($0) } }
    }

    func close() async throws {
        broker.stop()
        try await workplace.close()
    }
}

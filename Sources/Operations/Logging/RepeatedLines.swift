import Foundation
import Logging
import Synchronization

/// Tells a warning or an error once, and counts it while it comes again: the log of an outage says what is wrong and for how long, not how often it was tried.
///
/// A line that goes on is told again after a minute, then after ten, then each hour, with `repeated`: how often it came since. What came last is told, too, once it
/// has been quiet for a minute and another line is written. Two lines are the same when level, message and metadata are, but for `session` and numbers that stand
/// alone or in a `reason` (SQLSTATEs are none). Lines below warnings pass as they are.
public struct RepeatedLines: LogHandler {
    private var handler: any LogHandler
    private let memory: Memory
    private let now: @Sendable () -> ContinuousClock.Instant

    public init(_ handler: any LogHandler, memory: Memory, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.handler = handler
        self.memory = memory
        self.now = now
    }

    public var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    public var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    public func log(event: LogEvent) {
        let now = now()
        for line in memory.takeQuiet(since: now - Memory.firstPause, at: now) { line.write() }
        guard event.level >= .warning else { return handler.log(event: event) }
        memory.take(Line(handler, event), named: name(of: event), at: now)?.write()
    }

    /// What tells a line from another.
    private func name(of event: LogEvent) -> String {
        var name = "\(event.level) \(event.message)"
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }) {
            let text = "\(value)"
            if key == "session" || text.allSatisfy(\.isNumber) { continue }
            name += " \(key)=\(key == "reason" ? Self.withoutNumbers(text) : text)"
        }
        return name
    }

    /// A SQLSTATE is no number: it says what is wrong.
    private static func withoutNumbers(_ reason: String) -> String {
        let parts = reason.components(separatedBy: "SQLSTATE ")
        return parts[0].filter { !$0.isNumber } + parts.dropFirst().map { $0.prefix(5) + $0.dropFirst(5).filter { !$0.isNumber } }.joined()
    }
}

extension RepeatedLines {
    /// A line with the handler that writes it.
    struct Line: Sendable {
        let handler: any LogHandler
        var event: LogEvent

        init(_ handler: any LogHandler, _ event: LogEvent) {
            self.handler = handler
            self.event = event
        }

        func repeated(_ times: Int) -> Line {
            guard times > 0 else { return self }
            var line = self
            line.event.metadata = (event.metadata ?? [:]).merging(["repeated": "\(times)"]) { $1 }
            return line
        }

        func write() { handler.log(event: event) }
    }

    /// What was told, for all loggers of a process.
    public final class Memory: Sendable {
        private struct Entry {
            var line: Line
            var toldAt: ContinuousClock.Instant
            var seenAt: ContinuousClock.Instant
            var pause: Duration
            var untold = 0
        }

        /// Reasons hold foreign text, so there is no end to different lines: so many are remembered.
        static let entriesMaximum = 1000
        static let firstPause = Duration.seconds(60)
        static let longestPause = Duration.seconds(3600)

        private let entries = Mutex<[String: Entry]>([:])

        public init() {}

        /// Writes what came again and was not told: before the process ends.
        public func writeUntold() {
            let lines = entries.withLock { entries in
                defer { entries.removeAll() }
                return entries.values.filter { $0.untold > 0 }.sorted { $0.seenAt < $1.seenAt }.map { $0.line.repeated($0.untold) }
            }
            for line in lines { line.write() }
        }

        /// - Returns: nil where the line is only counted.
        func take(_ line: Line, named name: String, at now: ContinuousClock.Instant) -> Line? {
            entries.withLock { entries in
                if var entry = entries[name] {
                    entry.line = line
                    entry.seenAt = now
                    let isTold = now - entry.toldAt >= entry.pause
                    let untold = entry.untold
                    if isTold {
                        entry.toldAt = now
                        entry.pause = min(entry.pause * 10, Self.longestPause)
                        entry.untold = 0
                    } else {
                        entry.untold += 1
                    }
                    entries[name] = entry
                    return isTold ? line.repeated(untold) : nil
                }
                if entries.count >= Self.entriesMaximum, let oldest = entries.min(by: { $0.value.seenAt < $1.value.seenAt }) {
                    entries[oldest.key] = nil
                }
                entries[name] = Entry(line: line, toldAt: now, seenAt: now, pause: Self.firstPause)
                return line
            }
        }

        /// The lines that came again untold and not since then, with how often. What was quiet for two hours is news when it comes once more.
        func takeQuiet(since then: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> [Line] {
            entries.withLock { entries in
                var lines: [Line] = []
                for (name, entry) in entries where entry.seenAt <= then {
                    if entry.untold > 0 {
                        lines.append(entry.line.repeated(entry.untold))
                        entries[name]?.toldAt = now
                        entries[name]?.untold = 0
                    } else if now - entry.seenAt > Self.longestPause * 2 {
                        entries[name] = nil
                    }
                }
                return lines
            }
        }
    }
}

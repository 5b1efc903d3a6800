import Logging
import Synchronization
import Testing

@testable import Operations

@Suite("A line that comes again and again")
struct RepeatedLinesTests {
    /// What was written, and a clock that stands until it is moved.
    private final class Paper: Sendable {
        let lines = Mutex<[String]>([])
        let elapsed = Mutex(Duration.zero)
        private let start = ContinuousClock.now
        let memory = RepeatedLines.Memory()

        func logger(session: Int? = nil) -> Logger {
            var logger = Logger(label: "test") { _ in
                RepeatedLines(Pen(paper: self), memory: self.memory) { self.start + self.elapsed.withLock { $0 } }
            }
            if let session { logger[metadataKey: "session"] = "penstock-\(session)" }
            return logger
        }

        func wait(_ time: Duration) { elapsed.withLock { $0 += time } }

        /// What was written since it was read last.
        func read() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    private struct Pen: LogHandler {
        let paper: Paper
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let words = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            paper.lines.withLock { $0.append((["\(event.message)"] + words).joined(separator: " ")) }
        }
    }

    @Test("is told once, after a minute, after ten, and each hour, with how often it came")
    func ladder() {
        let paper = Paper()
        let logger = paper.logger()
        var told: [Int: String] = [:]
        for second in stride(from: 0, through: 3 * 3600, by: 5) {
            logger.error("away", metadata: ["reason": "no route, attempt \(second)", "next_try_ms": "\(second * 7)"])
            if let line = paper.read().first { told[second] = line }
            paper.wait(.seconds(5))
        }
        #expect(told.keys.sorted() == [0, 60, 660, 4260, 7860])
        #expect(told[0] == "away next_try_ms=0 reason=no route, attempt 0")
        #expect(told[60] == "away next_try_ms=420 reason=no route, attempt 60 repeated=11")
        #expect(told[7860]?.hasSuffix("repeated=719") == true)
    }

    @Test("of several sessions is one, of several tables several")
    func sameness() {
        let paper = Paper()
        for session in 0..<8 { paper.logger(session: session).warning("refused", metadata: ["reason": "not authorized"]) }
        #expect(paper.read() == ["refused reason=not authorized session=penstock-0"])
        paper.logger(session: 3).warning("refused", metadata: ["reason": "bad user name"])
        for table in ["t1", "t2", "t1"] { paper.logger().error("wrong", metadata: ["table": "\(table)"]) }
        paper.logger().warning("wrong", metadata: ["table": "t1"])
        #expect(paper.read() == ["refused reason=bad user name session=penstock-3", "wrong table=t1", "wrong table=t2", "wrong table=t1"])
    }

    @Test("with another SQLSTATE is another one")
    func sqlStates() {
        let paper = Paper()
        for state in ["53200", "53300", "40P01", "53200"] {
            paper.logger().error(
                "not taken", metadata: ["reason": "line 2 (SQLSTATE \(state)); row \(Int.random(in: 0...99))", "writer": "0"])
        }
        #expect(paper.read().map { $0.contains("53200") || $0.contains("53300") || $0.contains("40P01") } == [true, true, true])
    }

    @Test("is counted to the end, though it comes no more")
    func end() {
        let paper = Paper()
        for _ in 0..<5 { paper.logger().warning("lost") }
        paper.logger().info("found")
        #expect(paper.read() == ["lost", "found"])
        paper.wait(.seconds(61))
        paper.logger().info("all is well")
        #expect(paper.read() == ["lost repeated=4", "all is well"])
        paper.wait(.seconds(7201))
        paper.logger().info("all is well")
        for _ in 0..<3 { paper.logger().warning("lost") }
        #expect(paper.read() == ["all is well", "lost"])
        paper.memory.writeUntold()
        paper.memory.writeUntold()
        #expect(paper.read() == ["lost repeated=2"])
    }

    @Test("below a warning is told each time")
    func information() {
        let paper = Paper()
        for _ in 0..<3 { paper.logger().notice("moved") }
        #expect(paper.read() == ["moved", "moved", "moved"])
    }

    @Test("needs no more memory, whatever others write")
    func bound() {
        let paper = Paper()
        let word: (Int) -> String = { String($0, radix: 2).map { $0 == "0" ? "a" : "b" }.joined() }
        for number in 1...(RepeatedLines.Memory.entriesMaximum + 1) {
            paper.wait(.microseconds(1))
            paper.logger().warning("refused", metadata: ["topic": "\(word(number))"])
        }
        #expect(paper.read().count == RepeatedLines.Memory.entriesMaximum + 1)
        // The oldest one is forgotten, and nothing else.
        paper.logger().warning("refused", metadata: ["topic": "\(word(2))"])
        #expect(paper.read().isEmpty)
        paper.logger().warning("refused", metadata: ["topic": "\(word(1))"])
        #expect(paper.read().count == 1)
    }
}

import Foundation
import MQTT
import Store
import Testing

@testable import Ingest
@testable import Operations

@Suite("The report")
struct StatusReportTests {
    private func report(_ snapshot: ServiceSnapshot?, letters: [StatusReport.DeadLetter] = []) -> StatusReport {
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        let problems = snapshot.map { Problems($0, uptimeSeconds: 60, now: now) } ?? Problems(.starting("it waits"))
        return StatusReport(
            snapshot, problems: problems, history: StatusHistory(), letters: letters,
            facts: ServiceFacts(version: "1", configuration: Configuration(), startedAt: now), process: ProcessFacts(), now: now)
    }

    @Test("in JSON every key is there, in snake_case, null where nothing is known")
    func json() throws {
        let data = try report(ServiceSnapshot()).json()
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "version", "started_at", "now", "ready", "problems", "totals", "rates", "history", "latency", "bound_by", "bound_hint",
                "sessions", "mappings", "dead_letters", "database", "broker", "process",
            ])
        #expect(object["bound_by"] is NSNull)
        #expect(object["started_at"] as? String == "2027-01-15T08:00:00.000Z")
        let latency = try #require(object["latency"] as? [String: Any])
        #expect(Set(latency.keys) == ["p50_ms", "p99_ms", "oldest_unacknowledged_seconds"])
        let history = try #require(object["history"] as? [String: Any])
        #expect(Set(history.keys) == ["step_seconds", "messages_per_second", "rows_per_second", "latency_p50_ms", "latency_p99_ms"])
        #expect((history["latency_p50_ms"] as? [Any])?.count == StatusHistory.stepsMaximum)
    }

    @Test("what was written is read again")
    func roundTrip() throws {
        let written = report(nil)
        let read = try StatusReport(json: written.json())
        #expect(try read.json(pretty: true) == written.json(pretty: true))
        #expect(read.problems.first?.what == "the service is starting: it waits")
        #expect(!read.ready)
    }

    @Test(
        "where the database is, without what may be secret",
        arguments: [
            ("postgresql://u:p@h:5432/db", "postgresql://u@h:5432/db"), ("postgresql://h/db?password=p", "postgresql://h/db"),
            ("postgres://u:p%40x@a:1,b:2/db?sslmode=require", "postgres://u@a:1,b:2/db"), ("postgresql:///db", "postgresql:///db"),
            ("host=h password=p dbname=db sslpassword=q", "host=h dbname=db"), ("postgresql://u:p@x@h/db", "postgresql://u@h/db"),
            ("", "as PG* variables of the environment say"),
        ])
    func databaseURL(url: String, shown: String) { #expect(ServiceFacts.shown(url) == shown) }

    @Test("rates are those of the last ten seconds, the history is as long as ever")
    func history() {
        var history = StatusHistory()
        let start = ContinuousClock.now
        var snapshot = ServiceSnapshot()
        for step in 0...200 {
            snapshot.settled += 100
            snapshot.rowsByTable["t", default: 0] += 400
            snapshot.latency.observe(microseconds: 1500, count: 100)
            history.take(snapshot, at: start + .seconds(2 * step))
        }
        #expect(history.rates == StatusReport.Rates(messagesPerSecond: 50, rowsPerSecond: 200, deadLettersPerMinute: 0))
        #expect(history.history.messagesPerSecond == [Double?](repeating: 50, count: StatusHistory.stepsMaximum))
        #expect(history.latency.p50.map { (1...2).contains($0) } == true)
    }

    @Test("what keeps the service from being ready, and what to do")
    func problems() {
        var snapshot = ServiceSnapshot()
        snapshot.databaseTrouble = Trouble(reason: "Connection refused", sinceMicroseconds: 1_799_999_000_000_000)
        snapshot.runningMappings = [Self.parked]
        snapshot.received = 3
        let problems = Problems(snapshot, uptimeSeconds: 60, now: Date(timeIntervalSince1970: 1_800_000_000))
        #expect(problems.blocking.count == 2)
        #expect(problems.blocking.first?.what == "the database takes nothing: Connection refused")
        #expect(problems.blocking.first?.since == "2027-01-15T07:43:20.000Z")
        #expect(problems.blocking.last?.what == "mapping 'm' is parked: t cannot be written: no column")
        #expect(problems.blocking.last?.since == "2027-01-15T07:55:00.000Z")
        #expect(problems.warnings.contains { $0.what.contains("the books do not balance") })
        #expect(problems.all.allSatisfy { !$0.do.isEmpty })
    }

    @Test("a service that tells nothing is starting, ending or silent, and never well")
    func absence() {
        for (absence, words) in [
            (Problems.Absence.starting("it waits"), "the service is starting: it waits"), (.ending, "the service is ending"),
            (.silent, "the event loops do not answer; what else is told here is old"),
        ] {
            #expect(Problems(absence).blocking.map(\.what) == [words] && !Problems(absence).isReady)
        }
    }

    private static let parked = MappingSnapshot(
        name: "m", patterns: ["a/+"], tables: ["t"], parked: Trouble(reason: "no column", sinceMicroseconds: 1_799_999_700_000_000))

    @Test("a parked mapping is one problem, what is wrong with its messages besides another; a table that is right again is none")
    func parkedOnce() {
        func whats(parked: Bool, _ stage: DeadLetterStage) -> [String] {
            var snapshot = ServiceSnapshot()
            snapshot.runningMappings = [Self.parked]
            if !parked { snapshot.runningMappings[0].parked = nil }
            snapshot.lastErrors["m"] = LastError(atMicroseconds: 1_799_999_990_000_000, stage: stage, text: "no column", topic: "a/b")
            let problems = Problems(snapshot, uptimeSeconds: 0, now: Date(timeIntervalSince1970: 1_800_000_000))
            return problems.all.map(\.what).filter { $0.contains("'m'") }
        }
        #expect(whats(parked: true, .table) == ["mapping 'm' is parked: t cannot be written: no column"])
        #expect(whats(parked: true, .decode).count == 2)
        #expect(whats(parked: false, .table) == [])
        #expect(whats(parked: false, .row) == ["messages of mapping 'm' become dead letters: no column"])
    }

    @Test("while the database is away nothing is said to limit the flow")
    func bound() {
        var snapshot = ServiceSnapshot()
        snapshot.bounds = [.database, .database, .network]
        #expect(report(snapshot).boundBy == "database")
        snapshot.databaseTrouble = Trouble(reason: "gone", sinceMicroseconds: 0)
        #expect(report(snapshot).boundBy == nil)
        #expect(report(snapshot).boundHint == "")
    }

    @Test("foreign text is whole in JSON, and nothing in it reaches a terminal that would not be seen there")
    func foreignText() throws {
        let hostile = "\u{9B}31m \u{1B}[2J \u{202E}gnp.exe \u{2028} \u{200B} \u{E0041} \"\\ü😀\0"
        let letter = StatusReport.DeadLetter(
            id: .max, at: "", mapping: nil, stage: "decode", topic: hostile, error: hostile, payloadPreview: hostile, payloadKind: .text,
            payloadBytes: 1)
        let written = report(ServiceSnapshot(), letters: [letter])
        for pretty in [false, true] {
            let json = try written.json(pretty: pretty)
            let text = String(decoding: json, as: UTF8.self)
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && ForeignText.isShown($0) || $0 == "\n" })
            #expect(text.contains("ü😀") && text.contains("\\u009b") && text.contains("\\u202e") && text.contains("\\udb40\\udc41"))
            #expect(try StatusReport(json: json).deadLetters == [letter])
        }
    }
}

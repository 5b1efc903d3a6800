import Foundation
import Ingest

/// The last five minutes, in steps of two seconds: what happened in each, as differences of what the shards have counted.
struct StatusHistory: Sendable {
    static let stepSeconds = 2
    static let stepsMaximum = 150
    /// Rates are those of so many steps.
    private static let stepsOfRates = 5

    private struct Counts: Sendable {
        var settled: UInt64
        var rows: UInt64
        var letters: UInt64
        var latency: LatencyHistogram
        var at: ContinuousClock.Instant
    }

    private struct Step: Sendable {
        var seconds: Double
        var messages: UInt64
        var rows: UInt64
        var letters: UInt64
        var latency: LatencyHistogram
    }

    private var last: Counts?
    private var steps: [Step] = []

    mutating func take(_ snapshot: ServiceSnapshot, at now: ContinuousClock.Instant = .now) {
        let counts = Counts(
            settled: snapshot.settled, rows: snapshot.rowsByTable.values.reduce(0, &+), letters: snapshot.deadLetters,
            latency: snapshot.latency, at: now)
        defer { last = counts }
        guard let last else { return }
        steps.append(
            Step(
                seconds: max((now - last.at) / .seconds(1), 0.001), messages: counts.settled &- min(last.settled, counts.settled),
                rows: counts.rows &- min(last.rows, counts.rows), letters: counts.letters &- min(last.letters, counts.letters),
                latency: counts.latency.since(last.latency)))
        if steps.count > Self.stepsMaximum { steps.removeFirst(steps.count - Self.stepsMaximum) }
    }

    var rates: StatusReport.Rates {
        let recent = steps.suffix(Self.stepsOfRates)
        let seconds = max(recent.reduce(0) { $0 + $1.seconds }, 0.001)
        func rate(_ count: (Step) -> UInt64) -> Double { Self.rounded(Double(recent.reduce(0) { $0 + count($1) }) / seconds) }
        return StatusReport.Rates(
            messagesPerSecond: rate(\.messages), rowsPerSecond: rate(\.rows),
            deadLettersPerMinute: Self.rounded(Double(recent.reduce(0) { $0 + $1.letters }) / seconds * 60))
    }

    /// Of the steps that rates are made of: below what a half, and 99 of 100, stay; in milliseconds.
    var latency: (p50: Double?, p99: Double?) {
        var sum = LatencyHistogram()
        for step in steps.suffix(Self.stepsOfRates) { sum.add(step.latency) }
        return (Self.milliseconds(sum.quantile(0.5)), Self.milliseconds(sum.quantile(0.99)))
    }

    /// Always of the same length, the oldest first.
    var history: StatusReport.History {
        let padding = [Double?](repeating: nil, count: Self.stepsMaximum - steps.count)
        return StatusReport.History(
            stepSeconds: Self.stepSeconds,
            messagesPerSecond: padding + steps.map { Self.rounded(Double($0.messages) / $0.seconds) },
            rowsPerSecond: padding + steps.map { Self.rounded(Double($0.rows) / $0.seconds) },
            latencyP50Ms: padding + steps.map { Self.milliseconds($0.latency.quantile(0.5)) },
            latencyP99Ms: padding + steps.map { Self.milliseconds($0.latency.quantile(0.99)) })
    }

    private static func milliseconds(_ microseconds: Double?) -> Double? { microseconds.map { rounded($0 / 1000) } }

    /// Two digits behind the point are enough to look at.
    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

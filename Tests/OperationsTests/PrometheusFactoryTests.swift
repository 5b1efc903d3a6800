import CoreMetrics
import Testing

@testable import Operations

@Suite("What is recorded through swift-metrics")
struct PrometheusFactoryTests {
    private func shown(_ factory: PrometheusFactory, _ name: String) -> [Substring] {
        guard let family = factory.metrics[name] else { return [] }
        return PrometheusText([family], .prometheus).text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    @Test("counters add up, under whichever of their handles")
    func counters() {
        let factory = PrometheusFactory()
        for _ in 0..<3 {
            Counter(label: "penstock_reconnects_total", dimensions: [("side", "broker")], factory: factory).increment(by: 2)
        }
        Counter(label: "penstock_reconnects_total", dimensions: [("side", "database")], factory: factory).increment()
        #expect(
            shown(factory, "penstock_reconnects_total") == [
                "penstock_reconnects_total{side=\"broker\"} 6", "penstock_reconnects_total{side=\"database\"} 1",
            ])
    }

    @Test("a timer's nanoseconds are shown as seconds, in the buckets of the catalogue")
    func timers() {
        let factory = PrometheusFactory()
        let timer = CoreMetrics.Timer(label: "penstock_commit_seconds", dimensions: [], preferredDisplayUnit: .seconds, factory: factory)
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(2_000_001)
        let lines = shown(factory, "penstock_commit_seconds")
        #expect(lines.contains("penstock_commit_seconds_bucket{le=\"0.002\"} 1"))
        #expect(lines.contains("penstock_commit_seconds_bucket{le=\"0.003\"} 2"))
        #expect(lines.contains("penstock_commit_seconds_count 2"))
        #expect(lines.contains { $0.hasPrefix("penstock_commit_seconds_sum 0.004") })
    }

    @Test("gauges keep the last value")
    func gauges() {
        let factory = PrometheusFactory()
        let gauge = Recorder(label: "of.another-library", dimensions: [], aggregate: false, factory: factory)
        gauge.record(3)
        gauge.record(1.5)
        #expect(shown(factory, "of_another_library") == ["of_another_library 1.5"])
    }

    @Test("label sets are bounded: what comes beyond is counted as other")
    func bounded() {
        let factory = PrometheusFactory()
        for number in 0..<1000 {
            Counter(label: "penstock_database_errors_total", dimensions: [("sqlstate", "P\(number)")], factory: factory).increment()
        }
        let lines = shown(factory, "penstock_database_errors_total")
        #expect(lines.count == PrometheusFactory.labelSetsMaximum)
        #expect(lines.contains("penstock_database_errors_total{sqlstate=\"other\"} \(1000 - PrometheusFactory.labelSetsMaximum + 1)"))
    }

    @Test("one name with two kinds stays readable")
    func twoKinds() {
        let factory = PrometheusFactory()
        Counter(label: "x_total", dimensions: [], factory: factory).increment()
        Recorder(label: "x_total", dimensions: [], aggregate: true, factory: factory).record(5)
        #expect(shown(factory, "x_total") == ["x_total 1"])
    }
}

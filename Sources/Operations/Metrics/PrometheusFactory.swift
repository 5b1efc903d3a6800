import CoreMetrics
import Synchronization

/// Where swift-metrics' values go: cells that a scrape reads. The names that are known are those of `MetricCatalogue`; others are made gauges, counters or
/// histograms as they come.
///
/// Labels may hold what others have written (an SQLSTATE that a trigger raises). So each metric has at most `labelSetsMaximum` label sets; what comes beyond is
/// counted under the label value `other`.
public final class PrometheusFactory: MetricsFactory {
    static let labelSetsMaximum = 64

    private struct Family {
        var description: MetricDescription
        var cells: [[MetricFamily.Label]: Cell] = [:]
    }

    private let families = Mutex<[String: Family]>([:])

    public init() {}

    /// All metrics as they stand, by name.
    var metrics: [String: MetricFamily] {
        families.withLock { families in
            families.mapValues { family in
                MetricFamily(family.description, family.cells.map { MetricFamily.Sample(labels: $0.key, value: $0.value.value) })
            }
        }
    }

    private func cell(_ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind) -> Cell {
        let name = Self.name(label)
        return families.withLock { families in
            let known = MetricCatalogue.byName[name]
            let fallback = MetricDescription(name, kind, "Recorded as \(label).", buckets: MetricCatalogue.secondsBuckets)
            var family = families[name] ?? Family(description: known ?? fallback)
            // One name, two kinds: the second goes nowhere, since a scrape that shows both cannot be read.
            guard family.description.kind == kind else { return Cell(family.description, kind) }
            var labels = dimensions.map { MetricFamily.Label(name: Self.name($0.0), value: $0.1) }
            if family.cells[labels] == nil, family.cells.count >= Self.labelSetsMaximum - 1 {
                labels = labels.map { MetricFamily.Label(name: $0.name, value: "other") }
            }
            if let cell = family.cells[labels] { return cell }
            let cell = Cell(family.description, kind)
            family.cells[labels] = cell
            families[name] = family
            return cell
        }
    }

    /// Letters, digits and underscores, none of the digits first.
    private static func name(_ text: String) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
            let isDigit = ("0"..."9").contains(scalar)
            if isDigit, name.isEmpty { name = "_" }
            name.unicodeScalars.append(isLetter || isDigit ? scalar : "_")
        }
        return name.isEmpty ? "_" : name
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { cell(label, dimensions, .counter) }
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        cell(label, dimensions, aggregate ? .histogram : .gauge)
    }
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { cell(label, dimensions, .histogram) }
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { cell(label, dimensions, .gauge) }

    // Cells stay: a counter that goes and comes again would begin at 0, and look like a new start.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
}

/// One label set of a metric. Values come once a batch or once an event, so a lock costs nothing that counts.
private final class Cell: CounterHandler, RecorderHandler, TimerHandler, MeterHandler {
    private enum State {
        case counter(UInt64)
        case gauge(Double)
        case histogram(HistogramValue)
    }

    private let state: Mutex<State>
    private let scale: Double

    init(_ description: MetricDescription, _ kind: MetricFamily.Kind) {
        scale = description.scale
        let start: State =
            switch kind {
            case .counter: .counter(0)
            case .gauge: .gauge(0)
            case .histogram: .histogram(HistogramValue(bounds: description.buckets))
            }
        state = Mutex(start)
    }

    var value: MetricFamily.Value {
        state.withLock { state in
            switch state {
            case .counter(let count): .count(count)
            case .gauge(let number): .number(number)
            case .histogram(let histogram): .histogram(histogram)
            }
        }
    }

    func increment(by amount: Int64) { change { if case .counter(let count) = $0 { $0 = .counter(count &+ UInt64(max(amount, 0))) } } }
    func reset() {}
    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration)) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { change { if case .gauge = $0 { $0 = .gauge(value * scale) } } }
    func increment(by amount: Double) { change { if case .gauge(let number) = $0 { $0 = .gauge(number + amount * scale) } } }
    func decrement(by amount: Double) { increment(by: -amount) }

    func record(_ value: Double) {
        change { state in
            switch state {
            case .gauge: state = .gauge(value * scale)
            case .histogram(var histogram):
                state = .counter(0)
                histogram.observe(value * scale)
                state = .histogram(histogram)
            case .counter: break
            }
        }
    }

    private func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
}

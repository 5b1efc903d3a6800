/// A metric with all its label sets, as a scrape shows it.
struct MetricFamily: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    struct Sample: Sendable {
        var labels: [Label] = []
        var value: Value
    }

    struct Label: Sendable, Hashable, Comparable {
        var name: String
        var value: String

        static func < (left: Label, right: Label) -> Bool { (left.name, left.value) < (right.name, right.value) }
    }

    enum Value: Sendable {
        case count(UInt64)
        case number(Double)
        case histogram(HistogramValue)
    }

    var description: MetricDescription
    var samples: [Sample] = []

    init(_ description: MetricDescription, _ samples: [Sample] = []) {
        self.description = description
        self.samples = samples
    }
}

/// The counts of a histogram, by bucket and not added up.
struct HistogramValue: Sendable, Equatable {
    /// Upper ends of the buckets, each included, growing.
    let bounds: [Double]
    /// One more than `bounds`: the last one is for what is larger.
    private(set) var counts: [UInt64]
    private(set) var sum: Double

    init(bounds: [Double]) {
        self.init(bounds: bounds, counts: [UInt64](repeating: 0, count: bounds.count + 1), sum: 0)
    }

    /// - Precondition: `counts` has one element more than `bounds`.
    init(bounds: [Double], counts: [UInt64], sum: Double) {
        precondition(counts.count == bounds.count + 1, "a bucket between two bounds, and one on each side")
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] &+= 1
        sum += value
    }
}

/// What a metric is: the same for all its label sets.
struct MetricDescription: Sendable {
    /// A counter's ends in `_total`.
    let name: String
    let kind: MetricFamily.Kind
    let help: String
    /// Bounds of a histogram's buckets.
    var buckets: [Double] = []
    /// What the integers that are recorded are multiplied with.
    var scale = 1.0

    init(_ name: String, _ kind: MetricFamily.Kind, _ help: String, buckets: [Double] = [], scale: Double = 1) {
        self.name = name
        self.kind = kind
        self.help = help
        self.buckets = buckets
        self.scale = scale
    }
}

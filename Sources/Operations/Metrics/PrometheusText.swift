/// Metrics as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0 for those who ask for it.
struct PrometheusText {
    enum Format: Sendable {
        case prometheus, openMetrics

        var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }

        /// - Parameter accept: the header of the request.
        init(accept: String?) {
            self = accept?.lowercased().contains("application/openmetrics-text") == true ? .openMetrics : .prometheus
        }
    }

    private let format: Format
    private(set) var text = ""

    /// Families in the order given; the samples of each by their labels.
    init(_ families: [MetricFamily], _ format: Format) {
        self.format = format
        text.reserveCapacity(16 * 1024)
        for family in families { write(family) }
        if format == .openMetrics { text += "# EOF\n" }
    }

    private mutating func write(_ family: MetricFamily) {
        let description = family.description
        // OpenMetrics names the family of a counter without the suffix of its samples.
        let name = format == .openMetrics && description.kind == .counter ? Self.withoutTotal(description.name) : description.name
        text += "# HELP \(name) \(Self.escaped(description.help, quote: format == .openMetrics))\n"
        text += "# TYPE \(name) \(description.kind.rawValue)\n"
        for sample in family.samples.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
            switch sample.value {
            case .count(let count): write(description.name, sample.labels, String(count))
            case .number(let number): write(description.name, sample.labels, Self.text(of: number))
            case .histogram(let histogram): write(description.name, sample.labels, histogram)
            }
        }
    }

    private mutating func write(_ name: String, _ labels: [MetricFamily.Label], _ histogram: HistogramValue) {
        var total: UInt64 = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], histogram.counts) {
            total &+= count
            write(name + "_bucket", labels + [MetricFamily.Label(name: "le", value: Self.text(of: bound))], String(total))
        }
        write(name + "_sum", labels, Self.text(of: histogram.sum))
        write(name + "_count", labels, String(total))
    }

    private mutating func write(_ name: String, _ labels: [MetricFamily.Label], _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{"
            text += labels.map { "\($0.name)=\"\(Self.escaped($0.value, quote: true))\"" }.joined(separator: ",")
            text += "}"
        }
        text += " \(value)\n"
    }

    /// Backslash and line feed are escaped, and where text stands in quotes, these too.
    static func escaped(_ text: String, quote: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quote: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func text(of number: Double) -> String {
        if number == .infinity { return "+Inf" }
        if number == -.infinity { return "-Inf" }
        return number.isNaN ? "NaN" : number.description
    }

    private static func withoutTotal(_ name: String) -> String { name.hasSuffix("_total") ? String(name.dropLast(6)) : name }
}

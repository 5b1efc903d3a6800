import Testing

@testable import Operations

@Suite("Metrics as text")
struct PrometheusTextTests {
    private func text(_ families: [MetricFamily], _ format: PrometheusText.Format = .prometheus) -> String {
        PrometheusText(families, format).text
    }

    private func counter(_ samples: [MetricFamily.Sample]) -> MetricFamily {
        MetricFamily(MetricDescription("a_total", .counter, "What a is."), samples)
    }

    @Test("each metric has HELP and TYPE, and its samples in the order of their labels")
    func order() {
        let family = counter(
            ["b", "a", "c"].map { MetricFamily.Sample(labels: [.init(name: "mapping", value: $0)], value: .count(7)) })
        #expect(
            text([family]) == """
                # HELP a_total What a is.
                # TYPE a_total counter
                a_total{mapping="a"} 7
                a_total{mapping="b"} 7
                a_total{mapping="c"} 7

                """)
    }

    @Test(
        "label values are escaped, so that no foreign text ends a line or a label",
        arguments: [
            (#"say "hi""#, #"say \"hi\""#), (#"C:\new"#, #"C:\\new"#), ("two\nlines", #"two\nlines"#), ("ü/#+", "ü/#+"),
            ("\"} 1\na_total 9", #"\"} 1\na_total 9"#),
        ])
    func escaping(value: String, shown: String) {
        let family = counter([MetricFamily.Sample(labels: [.init(name: "t", value: value)], value: .count(1))])
        #expect(text([family]).split(separator: "\n").last.map(String.init) == "a_total{t=\"\(shown)\"} 1")
    }

    @Test("a backslash and a line feed in HELP are escaped, quotes are only in OpenMetrics")
    func help() {
        let family = MetricFamily(MetricDescription("g", .gauge, "a\\b\n\"c\""))
        #expect(text([family]).hasPrefix("# HELP g a\\\\b\\n\"c\"\n"))
        #expect(text([family], .openMetrics).hasPrefix("# HELP g a\\\\b\\n\\\"c\\\"\n"))
    }

    @Test("buckets are added up, include their bounds, and end at +Inf with the count")
    func buckets() {
        var histogram = HistogramValue(bounds: [0.5, 1, 2.5])
        for value in [0.1, 0.5, 0.50001, 1, 2.5, 99] { histogram.observe(value) }
        let family = MetricFamily(MetricDescription("h", .histogram, "H."), [.init(labels: [], value: .histogram(histogram))])
        #expect(
            text([family]) == """
                # HELP h H.
                # TYPE h histogram
                h_bucket{le="0.5"} 2
                h_bucket{le="1.0"} 4
                h_bucket{le="2.5"} 5
                h_bucket{le="+Inf"} 6
                h_sum 103.60001
                h_count 6

                """)
    }

    @Test("OpenMetrics names a counter's family without _total, and ends with EOF")
    func openMetrics() {
        let shown = text([counter([.init(value: .count(3))])], .openMetrics)
        #expect(shown == "# HELP a What a is.\n# TYPE a counter\na_total 3\n# EOF\n")
    }

    @Test(
        "OpenMetrics is for those who ask for it",
        arguments: [
            (nil, false), ("*/*", false), ("text/plain;version=0.0.4;q=0.5", false),
            ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true),
        ] as [(String?, Bool)])
    func negotiation(accept: String?, isOpenMetrics: Bool) {
        #expect((PrometheusText.Format(accept: accept) == .openMetrics) == isOpenMetrics)
    }

    @Test(
        "infinity and NaN have names of their own",
        arguments: [(Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (0.25, "0.25")])
    func numbers(number: Double, shown: String) {
        #expect(PrometheusText.text(of: number) == shown)
    }

    @Test("the catalogue names each metric once, with a help and names that Prometheus takes")
    func catalogue() {
        #expect(Set(MetricCatalogue.all.map(\.name)).count == MetricCatalogue.all.count)
        for description in MetricCatalogue.all {
            #expect(description.name.allSatisfy { $0.isLowercase && $0.isASCII || $0 == "_" }, "\(description.name)")
            #expect(!description.help.isEmpty)
            #expect((description.kind == .counter) == description.name.hasSuffix("_total"), "\(description.name)")
            #expect(description.buckets == description.buckets.sorted())
            #expect((description.kind == .histogram) == !description.buckets.isEmpty)
        }
    }
}

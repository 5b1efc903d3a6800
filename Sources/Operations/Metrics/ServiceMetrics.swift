import Foundation
import Ingest

/// What a scrape shows: the integers of the shards, what was recorded as it happened, and the process.
struct ServiceMetrics {
    let snapshot: ServiceSnapshot
    /// What was recorded.
    let recorded: [String: MetricFamily]
    let isReady: Bool
    let version: String
    let process: ProcessFacts
    /// In seconds since 1970.
    let startedSeconds: Double
    let nowSeconds: Double

    /// In the order of the catalogue; a metric without a value is there with its description.
    var families: [MetricFamily] {
        let counted = counted
        return MetricCatalogue.all.map { description in
            recorded[description.name] ?? MetricFamily(description, counted[description.name] ?? [])
        }
            + recorded.values.filter { MetricCatalogue.byName[$0.description.name] == nil }.sorted {
                $0.description.name < $1.description.name
            }
    }

    private var counted: [String: [MetricFamily.Sample]] {
        var samples: [String: [MetricFamily.Sample]] = [:]
        func add(_ description: MetricDescription, _ value: MetricFamily.Value, _ labels: KeyValuePairs<String, String> = [:]) {
            samples[description.name, default: []].append(
                MetricFamily.Sample(labels: labels.map { MetricFamily.Label(name: $0.key, value: $0.value) }, value: value))
        }
        func count(_ description: MetricDescription, _ value: UInt64, _ labels: KeyValuePairs<String, String> = [:]) {
            add(description, .count(value), labels)
        }
        func number(_ description: MetricDescription, _ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
            add(description, .number(value), labels)
        }

        count(MetricCatalogue.acknowledged, snapshot.acknowledged)
        count(MetricCatalogue.redelivered, snapshot.redelivered)
        count(MetricCatalogue.settled, snapshot.settled)
        count(MetricCatalogue.givenUp, snapshot.givenUp)
        count(MetricCatalogue.inFlight, snapshot.inFlight)
        count(MetricCatalogue.unrouted, snapshot.unrouted)
        count(MetricCatalogue.sequenceGaps, snapshot.sequenceGaps)
        count(MetricCatalogue.brokerDropped, snapshot.brokerDropped ?? 0)
        for table in Set(snapshot.rowsByTable.keys).union(snapshot.runningMappings.flatMap(\.tables)) {
            count(MetricCatalogue.rows, snapshot.rowsByTable[table] ?? 0, ["table": table])
        }
        addMappings(count, number)
        for session in snapshot.sessions {
            let label: KeyValuePairs = ["session": session.clientIdentifier]
            count(MetricCatalogue.unacknowledged, UInt64(clamping: session.unacknowledged), label)
            count(MetricCatalogue.sessionConnected, session.isConnected ? 1 : 0, label)
            count(MetricCatalogue.sessionSubscribed, session.isSubscribed ? 1 : 0, label)
        }
        for bound in Bound.allCases {
            let part = Double(snapshot.bounds.count { $0 == bound }) / Double(max(snapshot.bounds.count, 1))
            number(MetricCatalogue.bound, part, ["by": bound.rawValue])
        }
        add(MetricCatalogue.latency, .histogram(HistogramValue(snapshot.latency)))
        count(MetricCatalogue.batchBytes, UInt64(clamping: snapshot.batchBytes))
        number(MetricCatalogue.oldest, snapshot.oldestMicroseconds.map { max(nowSeconds - Double($0) / 1e6, 0) } ?? 0)
        number(MetricCatalogue.lastCommit, Double(snapshot.lastCommitMicroseconds ?? 0) / 1e6)
        count(MetricCatalogue.databaseUp, snapshot.databaseTrouble == nil && snapshot.isEnrolled ? 1 : 0)
        count(MetricCatalogue.ready, isReady ? 1 : 0)
        count(MetricCatalogue.buildInfo, 1, ["version": version])
        number(MetricCatalogue.cpuSeconds, process.cpuSeconds)
        count(MetricCatalogue.residentBytes, process.residentBytes)
        count(MetricCatalogue.virtualBytes, process.virtualBytes)
        count(MetricCatalogue.openFiles, UInt64(clamping: process.openFiles))
        count(MetricCatalogue.maximumFiles, UInt64(clamping: process.maximumFiles))
        number(MetricCatalogue.startTime, startedSeconds)
        return samples
    }

    private typealias Adding<Value> = (MetricDescription, Value, KeyValuePairs<String, String>) -> Void

    /// Mappings that have run, and those that run now, with zeros for what has not happened: a counter that appears only with its first event hides that event
    /// from `rate()`.
    private func addMappings(_ count: Adding<UInt64>, _ number: Adding<Double>) {
        let stages = ["decode", "row", "table"]
        var letters = snapshot.lettersByKey
        var names = Set(snapshot.mappings.keys)
        for mapping in snapshot.runningMappings {
            names.insert(mapping.name)
            count(MetricCatalogue.parked, mapping.isParked ? 1 : 0, ["mapping": mapping.name])
        }
        for name in names {
            let counters = snapshot.mappings[name] ?? .init()
            let atMostOnce = counters.received &- counters.receivedAtLeastOnce &- counters.receivedExactlyOnce
            for (qos, value) in zip(["0", "1", "2"], [atMostOnce, counters.receivedAtLeastOnce, counters.receivedExactlyOnce]) {
                count(MetricCatalogue.received, value, ["mapping": name, "qos": qos])
            }
            count(MetricCatalogue.filtered, counters.filtered, ["mapping": name])
            count(MetricCatalogue.noValues, counters.noValues, ["mapping": name])
            number(MetricCatalogue.lastMessage, Double(counters.lastReceivedMicroseconds) / 1e6, ["mapping": name])
            number(MetricCatalogue.lastError, Double(snapshot.lastErrors[name]?.atMicroseconds ?? 0) / 1e6, ["mapping": name])
            for stage in stages {
                let value = letters.removeValue(forKey: LetterKey(mapping: name, stage: stage)) ?? 0
                count(MetricCatalogue.letters, value, ["mapping": name, "stage": stage])
            }
            count(
                MetricCatalogue.dropped, snapshot.messagesDroppedByMapping[name] ?? 0, ["mapping": name, "reason": "no_room"])
            count(MetricCatalogue.dropped, snapshot.lettersDroppedByMapping[name] ?? 0, ["mapping": name, "reason": "flood"])
        }
        for (key, value) in letters { count(MetricCatalogue.letters, value, ["mapping": key.mapping, "stage": key.stage]) }
        if let unmapped = snapshot.messagesDroppedByMapping[""] {
            count(MetricCatalogue.dropped, unmapped, ["mapping": "", "reason": "no_room"])
        }
    }
}

extension HistogramValue {
    init(_ histogram: LatencyHistogram) {
        self.init(bounds: MetricCatalogue.secondsBuckets, counts: histogram.counts, sum: Double(histogram.sumMicroseconds) / 1e6)
    }
}

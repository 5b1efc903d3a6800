import ArgumentParser
import Fleet
import Foundation
import Ingest
import MQTT
import NIOCore

struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Publishes the messages of simulated devices, and prints what the broker has acknowledged.")

    @Option(name: .shortAndLong, help: "The configuration file, for the broker; penstock.yaml in this folder if it is there.")
    var config: String?

    @Option(help: "The first levels of all topics.")
    var topicRoot = "site"

    @Option(help: "How many devices.")
    var devices = 1000

    @Option(help: "Messages a second; 0 as fast as the broker takes them.")
    var rate = 1000

    @Option(help: "QoS of the messages: 0, 1 or 2.")
    var qos: UInt8 = 1

    @Option(help: "Formats, with commas between: json, csv, binary.")
    var format = "json,csv,binary"

    @Option(
        help: ArgumentHelp(
            "Devices of well-known kinds in place of formats: 'all', or some of \(DeviceKind.allCases.map(\.rawValue).joined(separator: ", ")), with commas between.",
            valueName: "all|list"))
    var kinds: String?

    @Option(help: "The same seed gives the same devices of --kinds and, but for their clocks, the same payloads.")
    var seed: UInt64 = 1

    @Option(help: "How many messages; until Ctrl-C if neither this nor --seconds is given.")
    var count: Int?

    @Option(help: "For how many seconds.")
    var seconds: Int?

    func validate() throws {
        guard (1...10_000_000).contains(devices) else { throw ValidationError("--devices is from 1 to 10000000") }
        guard (0...10_000_000).contains(rate) else { throw ValidationError("--rate is from 0 to 10000000") }
        guard QoS(rawValue: qos) != nil else { throw ValidationError("--qos is 0, 1 or 2") }
        guard count ?? 1 > 0, seconds ?? 1 > 0 else { throw ValidationError("--count and --seconds are positive") }
        guard (try? TopicName(topicRoot)) != nil, topicRoot.utf8.count < 1000 else {
            throw ValidationError("--topic-root is a topic without wildcards")
        }
        _ = try formats()
        _ = try deviceKinds()
    }

    private func deviceKinds() throws -> [DeviceKind] {
        guard let kinds else { return [] }
        if kinds == "all" { return DeviceKind.allCases }
        let names = kinds.split(separator: ",").map(String.init)
        let known = names.compactMap { DeviceKind(rawValue: $0) }
        guard known.count == names.count, !known.isEmpty else {
            throw ValidationError("--kinds is 'all', or one or more of \(DeviceKind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return known
    }

    private func fleet() throws -> DeviceFleet {
        let kinds = try deviceKinds()
        return kinds.isEmpty
            ? DeviceFleet(topicRoot: topicRoot, devices: devices, formats: try formats())
            : DeviceFleet(topicRoot: topicRoot, devices: devices, kinds: kinds, seed: seed)
    }

    private func formats() throws -> [PayloadFormat] {
        let names = format.split(separator: ",").map(String.init)
        let formats = names.compactMap { PayloadFormat(rawValue: $0) }
        guard formats.count == names.count, !formats.isEmpty else { throw ValidationError("--format is one or more of json, csv, binary") }
        return formats
    }

    func run() async throws {
        let configuration = try Setup.configuration(ConfigurationOptions.parse(config.map { ["--config", $0] } ?? []))
        let endpoint = configuration.broker.endpoints[0]
        let fleet = try fleet()
        var load = FleetConfiguration(fleet: fleet, host: endpoint.host, port: endpoint.port)
        let (name, password) = (configuration.broker.username, configuration.broker.password)
        if name != nil || password != nil {
            load.credentials = Credentials(username: name, password: password.map { Array($0.value.utf8) })
        }
        load.qos = QoS(rawValue: qos) ?? .atLeastOnce
        load.rate = rate
        load.count = count
        load.duration = seconds.map { .seconds(Int64($0)) }
        let publisher = try FleetPublisher(load)
        let stop = StopSignal()
        let watching = Task { [count] in
            let started = ContinuousClock.now
            while !Task.isCancelled {
                let progress = try await publisher.progress()
                let elapsed = (ContinuousClock.now - started) / .seconds(1)
                Terminal.live(Self.line(progress, elapsed: elapsed, of: count))
                try await stop.sleep(seconds: 0.2)
                if stop.isReceived { publisher.stop() }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        defer {
            watching.cancel()
            Terminal.endLive()
        }
        do {
            try await publisher.run()
        } catch {
            throw Failure(.failed, "\(error)")
        }
        watching.cancel()
        Terminal.endLive()
        let progress = try await publisher.progress()
        guard fleet.kinds.isEmpty else {
            print(Self.table(of: try await publisher.acknowledgedMessages(), fleet, progress).text)
            return
        }
        var table = TextTable(header: ["format", "published", "acknowledged by the broker"])
        for format in try formats() {
            table.rows.append([format.rawValue, grouped(progress.published[format] ?? 0), grouped(progress.acknowledged[format] ?? 0)])
        }
        table.rows.append(["all", grouped(progress.publishedTotal), grouped(progress.acknowledgedTotal)])
        print(table.text)
    }

    private static func table(of acknowledged: [Int], _ fleet: DeviceFleet, _ progress: FleetProgress) -> TextTable {
        var counts: [DeviceKind: Int] = [:]
        for message in acknowledged { if let kind = fleet.kind(of: message) { counts[kind, default: 0] += 1 } }
        var table = TextTable(header: ["kind", "acknowledged by the broker"])
        for kind in fleet.kinds { table.rows.append([kind.rawValue, grouped(counts[kind] ?? 0)]) }
        table.rows.append(["all", grouped(progress.acknowledgedTotal)])
        return table
    }

    private static func line(_ progress: FleetProgress, elapsed: Double, of count: Int?) -> String {
        let rate = elapsed > 0 ? Int(Double(progress.acknowledgedTotal) / elapsed) : 0
        var bar = ""
        if let count {
            let filled = min(30, progress.acknowledgedTotal * 30 / count)
            bar = "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled) + "] "
        }
        return
            "\(bar)\(grouped(progress.publishedTotal)) published, \(grouped(progress.acknowledgedTotal)) acknowledged, \(grouped(rate))/s"
    }
}

import ArgumentParser
import CopyFormat
import Foundation
import Mapping

/// What it costs to turn a message into a row: routing, decoding, COPY, without broker and database.
///
/// Run it under `valgrind --tool=callgrind` for a count of instructions that hardly depends on the machine.
@main struct PlanBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "PlanBenchmark", abstract: "Measures the compiled plan on the reading of scripts/bench.")

    @Option(help: "How many mappings there are, each with topics of its own; the messages go to all of them in turn.")
    var mappings = 1

    @Option(help: "How many messages are turned into rows.")
    var messages = 1_000_000

    @Option(help: "How often that is done; the median counts.")
    var rounds = 5

    @Option(help: "How many readings a message holds, a line each; without it the message is one reading.")
    var lines: Int?

    private func mapping(_ number: Int) -> String {
        """
        topic: site\(number)/{site}/dev/{device}/telemetry
        \(lines == nil ? "" : "decode: {json: {lines: true}}\neach: $.*")
        table: readings
        columns:
          time: timestamptz not null from \(lines == nil ? "$" : "item").ts
          device: text not null from topic.device
          temp: double precision
          hum: double precision
          seq: bigint not null
          ok: boolean
          received: timestamptz not null from received
        """
    }

    private static let payload = Array(
        #"{"ts":"2026-01-01T12:00:00.123456Z","temp":17.3,"hum":52.1,"seq":137,"ok":true,"unit":"C","fw":"1.4.2"}"#.utf8)

    func run() throws {
        var syntax: [MappingSyntax] = []
        for number in 0..<mappings {
            let reading = MappingReader.read(text: mapping(number), file: "m\(number).yaml")
            guard reading.diagnostics.isEmpty else { throw ValidationError("\(reading.diagnostics)") }
            syntax += reading.mappings
        }
        let plan = MappingPlan(syntax)
        var evaluator = Evaluator(plan: plan)
        let topics = (0..<1000).map { Array("site\($0 % mappings)/7/dev/d\(String(format: "%05d", $0))/telemetry".utf8) }
        let buffers = UnsafeMutablePointer<CopyBuffer>.allocate(capacity: plan.targets.count)
        for index in plan.targets.indices { (buffers + index).initialize(to: CopyBuffer()) }
        defer {
            buffers.deinitialize(count: plan.targets.count)
            buffers.deallocate()
        }
        let content = Array(repeating: Self.payload, count: lines ?? 1).joined(separator: [UInt8(ascii: "\n")])
        var seconds: [Double] = []
        for _ in 0..<rounds {
            let start = Self.processorSeconds
            var rows = 0
            Array(content).withUnsafeBytes { payload in
                for number in 0..<messages {
                    topics[number % topics.count].withUnsafeBytes { topic in
                        rows +=
                            evaluator.process(
                                MessageInput(
                                    topic: topic, payload: payload, receivedMicroseconds: 1_767_268_800_000_000, qos: 1, isRetained: false),
                                into: buffers
                            ).rowCount
                    }
                    if buffers[0].count > 1 << 20 { buffers[0].removeAll() }
                }
            }
            guard rows == messages * (lines ?? 1) else { throw ValidationError("\(rows) rows of \(messages) messages") }
            seconds.append(Self.processorSeconds - start)
        }
        seconds.sort()
        let median = seconds[seconds.count / 2]
        print(
            "\(mappings) mappings, \(messages) messages: \(Int(median * 1e9 / Double(messages))) ns of CPU a message, median of \(rounds)")
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

import Foundation

/// Measures the ingester from end to end and prints ratios to what the broker can give. It asserts nothing: a figure is for a person to judge.
@main
struct Benchmark {
    static func main() {
        do {
            try run()
        } catch {
            say("error: \(error)")
            exit(1)
        }
    }

    private static func run() throws {
        let options = try Options(Array(CommandLine.arguments.dropFirst()))
        let stage = try Stage(options)
        defer { stage.close() }
        var report = Report(options)

        let startUp = try stage.startUpCost()
        say("start-up: \(milliseconds(startUp.cpuSeconds)) of CPU, subtracted below")
        for round in 1...options.rounds {
            let limit = try stage.drainWithConsumer()
            let penstock = try stage.drainWithPenstock(startUp)
            say("backlog \(round)/\(options.rounds): consumer in C \(rate(limit)), penstock \(rate(penstock))")
            report.backlog.append((limit, penstock))
        }
        for round in 1...options.rounds {
            let once = try stage.drainPoolWithPenstock(startUp, qos: 1)
            let exactlyOnce = try stage.drainPoolWithPenstock(startUp, qos: 2)
            say("pool \(round)/\(options.rounds): QoS 1 \(rate(once)), QoS 2 \(rate(exactlyOnce))")
            report.exactlyOnce.append((once, exactlyOnce))
        }
        for round in 1...options.rounds {
            let limit = try stage.followWithConsumer()
            let penstock = try stage.followWithPenstock(startUp)
            say("live \(round)/\(options.rounds): consumer in C \(rate(limit)), penstock \(rate(penstock))")
            report.live.append((limit, penstock))
        }
        if options.isProfiling {
            say("counting instructions and allocations under valgrind; this takes minutes")
            report.instructions = try stage.instructionsAMessage()
            report.allocations = try stage.allocationsAMessage()
        }
        print(report.text, terminator: "")
    }

    /// Progress is for the person who waits; the result alone goes to standard output.
    private static func say(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    private static func rate(_ run: Measurement) -> String { "\(Int(run.messagesASecond.rounded())) msg/s" }
    private static func milliseconds(_ seconds: Double) -> String { "\(Int((seconds * 1000).rounded())) ms" }
}

/// What the command line asks for.
struct Options {
    var messages = 200_000
    var liveMessages = 200_000
    /// For a pool of eight sessions.
    var pooledMessages = 100_000
    var rounds = 5
    var isProfiling = true
    /// Where callgrind's file of the larger run is kept.
    var callgrindFile: URL?
    /// The two sizes whose difference is counted under valgrind.
    var profiledMessages = (2_000, 12_000)
    /// `penstock` and `brokerload` are built beside this program.
    var binaries = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static let usage = """
        usage: EndToEndBenchmark [--messages N] [--live-messages N] [--rounds N] [--no-valgrind] [--callgrind FILE]
          --messages       readings in the stored backlog (200000)
          --live-messages  readings published while the consumer runs (200000)
          --rounds         rounds, of which the medians are printed (5)
          --no-valgrind    do not count instructions and allocations
          --callgrind      keep callgrind's file here, for callgrind_annotate

        """

    init(_ arguments: [String]) throws {
        var arguments = arguments[...]
        func bad(_ why: String) -> Never {
            FileHandle.standardError.write(Data("\(why)\n\(Self.usage)".utf8))
            exit(64)
        }
        while let name = arguments.popFirst() {
            func number() -> Int {
                guard let text = arguments.popFirst(), let number = Int(text), number > 0 else { bad("\(name) needs a positive number") }
                return number
            }
            switch name {
            case "--messages": messages = number()
            case "--live-messages": liveMessages = number()
            case "--rounds": rounds = number()
            case "--no-valgrind": isProfiling = false
            case "--callgrind":
                guard let path = arguments.popFirst() else { bad("--callgrind needs a file") }
                callgrindFile = URL(filePath: path)
            case "--help":
                print(Self.usage, terminator: "")
                exit(0)
            default: bad("unknown option \(name)")
            }
        }
    }
}

/// One run of one consumer.
struct Measurement {
    var messages: Int
    /// From the first message to the last: thrown away, or committed.
    var seconds: Double
    /// User and system time of the consumer's process, without its start-up.
    var cpuSeconds: Double
    /// What the servers spent meanwhile.
    var servers = ServerCosts()
    var residentBytesPeak = 0
    var commits = 0

    var messagesASecond: Double { Double(messages) / seconds }
    func microsecondsAMessage(_ seconds: Double) -> Double { seconds * 1e6 / Double(messages) }
}

/// User and system time of the processes at both ends.
struct ServerCosts {
    var brokerSeconds = 0.0
    /// All processes of PostgreSQL that live, the one that watches the rows arrive included.
    var databaseSeconds = 0.0

    static func - (later: ServerCosts, earlier: ServerCosts) -> ServerCosts {
        ServerCosts(
            brokerSeconds: later.brokerSeconds - earlier.brokerSeconds, databaseSeconds: later.databaseSeconds - earlier.databaseSeconds)
    }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

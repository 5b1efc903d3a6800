import Foundation
import Glibc
import Sandbox

/// What the command line asks for.
struct Options {
    var minutes = 1.0
    var seed = UInt64.random(in: 0..<1_000_000)
    var ingesters = 3
    /// Messages a second, over all devices.
    var rate = 300.0
    /// mosquitto 2.0.11 comes back from a clean restart without its shared subscriptions: what is published before somebody subscribes again is gone.
    var distribution = "split"
    var killsBroker = false
    /// Spoils the result, to show that the verdict sees it.
    var isSelfCheck = false
    var folder = FileManager.default.temporaryDirectory.appending(path: "penstock-torture-\(getpid())")
    var isKept = false
    var binary = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "penstock").path

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        func number<Number: LosslessStringConvertible>(_ name: String, _ type: Number.Type) throws -> Number {
            guard let value = rest.popFirst().flatMap({ Number($0) }) else { throw TortureError("\(name) needs a number") }
            return value
        }
        while let name = rest.popFirst() {
            switch name {
            case "--minutes": minutes = try number(name, Double.self)
            case "--seed": seed = try number(name, UInt64.self)
            case "--ingesters": ingesters = try number(name, Int.self)
            case "--rate": rate = try number(name, Double.self)
            case "--kill-broker": killsBroker = true
            case "--shared": distribution = "shared"
            case "--self-check": isSelfCheck = true
            case "--penstock": binary = rest.popFirst() ?? ""
            case "--keep":
                guard let path = rest.popFirst() else { throw TortureError("--keep needs a folder") }
                folder = URL(filePath: path)
                isKept = true
            default:
                throw TortureError(
                    "usage: torture [--minutes N] [--seed N] [--ingesters N] [--rate N] [--kill-broker] [--shared] [--self-check] [--penstock F] [--keep DIR]"
                )
            }
        }
    }
}

/// Real broker, real database, several ingesters and a bad network: everything is broken at random, and every message is accounted for.
@main
struct Torture {
    static func main() async {
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            let isHeld = try await run(options)
            if isHeld, !options.isKept {
                try? FileManager.default.removeItem(at: options.folder)
            } else {
                print("logs are in \(options.folder.path)")
            }
            exit(isHeld ? 0 : 1)
        } catch {
            FileHandle.standardError.write(Data("torture: \(error)\n".utf8))
            exit(1)
        }
    }

    /// At once, also into a file.
    private static func print(_ text: String, terminator: String = "\n") { FileHandle.standardOutput.write(Data((text + terminator).utf8)) }

    private static func run(_ options: Options) async throws -> Bool {
        try FileManager.default.createDirectory(at: options.folder, withIntermediateDirectories: true)
        let begin = Date()
        let path = options.folder.appending(path: "faults.log").path
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = FileHandle(forWritingAtPath: path)
        print("torture: \(options.minutes) minutes, seed \(options.seed), faults in \(path)")
        let stage = try await Stage(options)
        let chaos = Chaos(stage, seed: options.seed, killsBroker: options.killsBroker) { line in
            file?.write(Data("\(String(format: "%8.3f", Date().timeIntervalSince(begin))) \(line)\n".utf8))
        }
        try await chaos.run(seconds: options.minutes * 60)
        print("torture: healing")
        try await heal(stage)
        if options.isSelfCheck { spoil(stage) }

        let verdict = Verdict(
            publishers: stage.publishers, stored: try stage.stored(), deliveries: stage.deliveries.all, mayForget: options.killsBroker)
        print(verdict.table, terminator: "")
        print("faults: " + chaos.counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        for offence in verdict.offences.prefix(20) { print("  \(offence)") }
        print(verdict.offences.isEmpty ? "torture: held" : "torture: BROKEN, \(verdict.offences.count) offences, seed \(options.seed)")
        return options.isSelfCheck ? verdict.offences.count == 3 : verdict.offences.isEmpty
    }

    /// Everything runs again, publishers finish, ingesters store what there is and end in good order.
    private static func heal(_ stage: Stage) async throws {
        for proxy in stage.proxies { proxy.clear() }
        stage.broker.resume()
        stage.database.resume()
        try await stage.broker.start()
        try await stage.database.start()
        for ingester in stage.ingesters {
            ingester.process?.signal(SIGCONT)
            if ingester.process?.pollEnd() != nil { try stage.start(ingester) }
        }
        for publisher in stage.publishers { publisher.stop() }
        try await wait("the publishers finish", seconds: 60) { stage.publishers.allSatisfy { $0.snapshot.isIdle } }
        var last = -1
        var quietSince = Date()
        try await wait("the tables stand still", seconds: 120) {
            let count = (try? stage.stored().values.reduce(0, +)) ?? -1
            if count != last { quietSince = Date() }
            last = count
            // Longer than a lease and the longest wait between two tries.
            return count >= 0 && Date().timeIntervalSince(quietSince) > 12
        }
        for ingester in stage.ingesters { ingester.process?.signal(SIGTERM) }
        for ingester in stage.ingesters {
            guard await ingester.process?.waitForEnd(within: .seconds(15)) == .exit(0) else {
                throw TortureError("ingester \(ingester.number) did not end with 0: \(ingester.process?.errors.suffix(2000) ?? "")")
            }
        }
    }

    private static func wait(_ what: String, seconds: Double, until condition: () throws -> Bool) async throws {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            if try condition() { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw TortureError("not within \(Int(seconds)) s: \(what)")
    }

    /// One row less, one row twice, one row that nobody sent.
    private static func spoil(_ stage: Stage) {
        stage.execute("DELETE FROM numbers WHERE ctid = (SELECT ctid FROM numbers WHERE device = 'q2-d0' ORDER BY n LIMIT 1)")
        stage.execute("INSERT INTO numbers SELECT * FROM numbers WHERE device = 'q2-d1' ORDER BY n LIMIT 1")
        stage.execute("INSERT INTO numbers VALUES ('q1-d0', 99999999)")
    }
}

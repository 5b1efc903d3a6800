import Foundation
import Glibc
import Sandbox

/// Breaks one thing after the other, as a seed decides.
final class Chaos {
    private let stage: Stage
    private var random: Randomness
    private let killsBroker: Bool
    private let log: (String) -> Void
    private(set) var counts: [String: Int] = [:]

    init(_ stage: Stage, seed: UInt64, killsBroker: Bool, log: @escaping (String) -> Void) {
        self.stage = stage
        self.killsBroker = killsBroker
        self.log = log
        random = Randomness(seed: seed)
    }

    func run(seconds: Double) async throws {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            try await step()
            try await Task.sleep(for: .seconds(random.number(0.3...2)))
        }
    }

    private func note(_ fault: String, _ detail: String = "") {
        counts[fault, default: 0] += 1
        log(detail.isEmpty ? fault : "\(fault): \(detail)")
    }

    private func step() async throws {
        let ingester = random.pick(stage.ingesters)
        switch Int.random(in: 0..<20, using: &random) {
        case 0...1:
            note("SIGKILL of an ingester", "\(ingester.number)")
            ingester.process?.signal(SIGKILL)
            _ = await ingester.process?.waitForEnd(within: .seconds(5))
            try await Task.sleep(for: .seconds(random.number(0...3)))
            try stage.start(ingester)
        case 2:
            note("SIGTERM of an ingester", "\(ingester.number)")
            ingester.process?.signal(SIGTERM)
            guard await ingester.process?.waitForEnd(within: .seconds(15)) == .exit(0) else {
                throw TortureError(
                    "ingester \(ingester.number) did not end with 0 within its time: \(ingester.process?.errors.suffix(2000) ?? "")")
            }
            try stage.start(ingester)
        case 3...4:
            let seconds = random.number(0.2...9)
            note("SIGSTOP of an ingester", "\(ingester.number) for \(Int(seconds * 1000)) ms")
            ingester.process?.signal(SIGSTOP)
            try await Task.sleep(for: .seconds(seconds))
            ingester.process?.signal(SIGCONT)
        case 5:
            let seconds = random.number(0.2...3)
            note("SIGSTOP of the broker", "\(Int(seconds * 1000)) ms")
            stage.broker.suspend()
            try await Task.sleep(for: .seconds(seconds))
            stage.broker.resume()
        case 6:
            let seconds = random.number(0.2...3)
            note("SIGSTOP of PostgreSQL", "\(Int(seconds * 1000)) ms")
            stage.database.suspend()
            try await Task.sleep(for: .seconds(seconds))
            stage.database.resume()
        case 7...8:
            note("backends terminated")
            stage.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND random() < 0.5")
        case 9:
            guard let backend = stage.backends().randomElement(using: &random) else { return }
            note("SIGKILL of a backend", "\(backend)")
            kill(backend, SIGKILL)
        case 10:
            note("immediate shutdown of PostgreSQL")
            await stage.database.stop(.immediate)
            try await Task.sleep(for: .seconds(random.number(0...4)))
            try await stage.database.start()
        case 11:
            note("restart of the broker")
            try await stage.broker.restart(.fast)
        case 12 where killsBroker:
            note("SIGKILL of the broker")
            try await stage.broker.restart(.immediate)
        case 12...15:
            let proxy = random.pick(stage.proxies)
            let bytes = Int.random(in: 1...4000, using: &random)
            note("connection cut", "\(proxy.name), after \(bytes) bytes")
            proxy.cut(afterBytes: bytes)
        case 16...17:
            let proxy = random.pick(stage.proxies)
            let seconds = random.number(0.2...8)
            note("link stalled", "\(proxy.name), \(Int(seconds * 1000)) ms")
            proxy.stall(seconds: seconds)
        default:
            let proxy = random.pick(stage.proxies)
            let milliseconds = UInt32.random(in: 0...30, using: &random)
            note("link delayed", "\(proxy.name), \(milliseconds) ms")
            proxy.delay(milliseconds: milliseconds)
        }
    }
}

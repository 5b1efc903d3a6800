import Foundation
import Testing

/// The promise, in a world where everything can happen between two steps. `PENSTOCK_TEST_SEEDS` runs more seeds, `PENSTOCK_TEST_SEED` one with its trace.
@Suite("Simulated faults", .serialized)
struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let seedCount = environment["PENSTOCK_TEST_SEEDS"].flatMap { Int($0) } ?? 1000
    static let singleSeed = environment["PENSTOCK_TEST_SEED"].flatMap { UInt64($0) }
    private static let steps = 2500
    private static let parts = 2

    /// Runs a seed; on a violation once more, with its trace.
    private static func failure(seed: UInt64, bugs: Set<SeededBug> = []) -> (violation: any Error, trace: [String])? {
        do {
            let world = World(seed: seed, bugs: bugs)
            try world.run(steps: steps)
            if environment["PENSTOCK_TEST_SUMMARY"] != nil { print("seed \(seed): \(world.summary)") }
            return nil
        } catch {
            let world = World(seed: seed, bugs: bugs, isTraced: true)
            do { try world.run(steps: steps) } catch { return (error, world.trace) }
            return (Violation("not again with the same seed: \(error)"), world.trace)
        }
    }

    @Test("No acknowledgement without durability, nothing lost, QoS 2 never twice, in order, within bounds", arguments: 0..<parts)
    func holds(part: Int) async {
        let failure = await Self.inBackground { Self.play(part: part) }
        if let failure { Issue.record("\(failure)") }
    }

    /// Runs on a thread of low priority: whoever tests real servers meanwhile has deadlines to meet.
    private static func inBackground<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                // On Linux that is the thread's alone.
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 15)
                continuation.resume(returning: work())
            }
        }
    }

    /// The first seed that fails, with its trace.
    private static func play(part: Int) -> String? {
        let seeds =
            Self.singleSeed.map { part == 0 ? [$0] : [] } ?? (0..<Self.seedCount).filter { $0 % Self.parts == part }.map { UInt64($0) }
        for seed in seeds {
            guard let failure = Self.failure(seed: seed) else { continue }
            return "seed \(seed): \(failure.violation)\n"
                + failure.trace.suffix(Self.singleSeed == nil ? 400 : .max).joined(separator: "\n")
        }
        return nil
    }

    @Test("A seeded bug is caught within 1,000 seeds", arguments: SeededBug.allCases)
    func catches(bug: SeededBug) async {
        let caught = await Self.inBackground {
            (0..<1000).first { (try? World(seed: UInt64($0), bugs: [bug]).run(steps: Self.steps)) == nil }
        }
        #expect(caught != nil)
    }

    @Test("The same seed plays the same story")
    func deterministic() async {
        let stories = await Self.inBackground {
            (0..<2).map { _ in
                let world = World(seed: 7, isTraced: true)
                try? world.run(steps: Self.steps)
                return world.trace
            }
        }
        #expect(stories[0] == stories[1])
        #expect(stories[0].count > 100)
    }
}

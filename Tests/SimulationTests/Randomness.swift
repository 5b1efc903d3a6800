/// SplitMix64: the same numbers from the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        // Mixed, or neighbouring seeds would give one stream at different places.
        var mixed = (seed ^ 0xD1B5_4A32_D192_ED03) &* 0xFF51_AFD7_ED55_8CCD
        mixed = (mixed ^ (mixed >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        state = mixed ^ (mixed >> 33)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// One stream of random decisions that everything in a simulated world draws from.
final class Randomness {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    func int64(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &generator) }
    func word() -> UInt64 { generator.next() }
    /// True in one of `n` cases.
    func oneIn(_ n: Int) -> Bool { int(1...n) == 1 }
    func pick<Element>(_ elements: [Element]) -> Element? { elements.isEmpty ? nil : elements[int(0...elements.count - 1)] }
}

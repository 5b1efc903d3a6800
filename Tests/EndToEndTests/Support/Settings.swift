import Foundation

/// What the environment says about how long the tests may be.
enum Settings {
    static func number(_ name: String, default fallback: Int) -> Int {
        guard let text = ProcessInfo.processInfo.environment[name] else { return fallback }
        guard let number = Int(text), number > 0 else { preconditionFailure("\(name) is no positive number: \(text)") }
        return number
    }
}

/// SplitMix64: small, and its sequence can be had again from its seed.
struct SeededGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    /// The seed of `PENSTOCK_TEST_SEED`, or a new one.
    init() {
        seed = ProcessInfo.processInfo.environment["PENSTOCK_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...999_999)
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

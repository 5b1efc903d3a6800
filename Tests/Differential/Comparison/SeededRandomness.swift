/// SplitMix64: the same numbers from the same seed, everywhere, so that each generated case can be made again by itself.
public struct SeededRandomness: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameters:
    ///   - seed: of the whole run.
    ///   - index: of the case within it.
    public init(seed: UInt64, index: Int) {
        state = seed &* 0xFF51_AFD7_ED55_8CCD &+ UInt64(truncatingIfNeeded: index) &* 0xD1B5_4A32_D192_ED03
        // Mixed, or neighbouring cases would be one stream at different places.
        state = next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        mixed = (mixed ^ (mixed >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return mixed ^ (mixed >> 33)
    }

    /// A number from 0 to below `count`, or 0.
    mutating func below(_ count: Int) -> Int { count > 0 ? Int(next() % UInt64(count)) : 0 }

    /// True in one of `count` cases.
    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

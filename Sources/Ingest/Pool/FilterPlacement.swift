/// Gives each filter to one session, by the filter's own text: rendezvous hashing with a bound on how many a session takes.
///
/// Every process comes to the same result by itself. One filter more or less, or one session more or less, moves few of the others.
enum FilterPlacement {
    /// - Returns: for each filter the number of its session. No session has more than one filter above the average.
    static func places(of filters: [String], in sessions: Int) -> [Int] {
        precondition(sessions > 0, "filters need a session")
        let room = (filters.count + sessions - 1) / sessions
        var taken = Array(repeating: 0, count: sessions)
        var places = Array(repeating: 0, count: filters.count)
        // In an order that does not depend on that of the mappings.
        for index in filters.indices.sorted(by: { order(filters[$0], filters[$1]) }) {
            let ranked = (0..<sessions).max { weight(filters[index], $0, taken[$0] < room) < weight(filters[index], $1, taken[$1] < room) }
            places[index] = ranked ?? 0
            taken[places[index]] += 1
        }
        return places
    }

    private static func order(_ left: String, _ right: String) -> Bool {
        let (one, other) = (hash(left, seed: 0), hash(right, seed: 0))
        return one == other ? left < right : one < other
    }

    private static func weight(_ filter: String, _ session: Int, _ hasRoom: Bool) -> (Int, UInt64) {
        (hasRoom ? 1 : 0, hash(filter, seed: UInt64(session) + 1))
    }

    /// FNV-1a with a final mix; the same in every process and on every machine, unlike `Hasher`.
    private static func hash(_ text: String, seed: UInt64) -> UInt64 {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (seed &* 0x9E37_79B9_7F4A_7C15)
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

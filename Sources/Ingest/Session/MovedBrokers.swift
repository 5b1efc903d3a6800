/// Where the brokers of the list are by now, as far as they have said so (MQTT 5.0 §4.11, Server moved).
///
/// However many brokers name one another, there is one entry for each address of the list. After too many moves the address of the list counts again: it
/// may know better, and a broker must not lead us on for ever.
struct MovedBrokers {
    /// Moves from one to the next that are followed.
    static let movesMaximum = 8

    private struct Place {
        var endpoint: BrokerEndpoint
        var moves: Int
    }

    private var places: [BrokerEndpoint: Place] = [:]

    /// Where the broker of this address of the list is.
    func place(of listed: BrokerEndpoint) -> BrokerEndpoint { places[listed]?.endpoint ?? listed }

    /// A broker says that it has moved.
    /// - Parameters:
    ///   - met: where it said so.
    ///   - list: the addresses of the list; that of every broker that is where this one was changes.
    /// - Returns: false when that was none of them.
    mutating func move(from met: BrokerEndpoint, to other: BrokerEndpoint, list: [BrokerEndpoint]) -> Bool {
        let affected = list.filter { place(of: $0) == met }
        for listed in affected {
            let moves = (places[listed]?.moves ?? 0) + 1
            places[listed] = moves <= Self.movesMaximum ? Place(endpoint: other, moves: moves) : nil
        }
        return !affected.isEmpty
    }
}

import NIOCore
import PostgreSQL

/// Tables that could not be written as they are. Their messages become dead letters, stage `table`, while the others flow on; now and then one batch tries
/// whether the table is right again.
struct ParkedTargets {
    struct Parking {
        var error: ServerError
        /// When the next batch may try.
        var nextTry: NIODeadline
        var backoff: Backoff
    }

    private(set) var targets: [Int: Parking] = [:]

    var isEmpty: Bool { targets.isEmpty }

    /// Targets whose rows are not even sent now.
    func closed(now: NIODeadline) -> [(target: Int, error: ServerError)] {
        targets.filter { $0.value.nextTry > now }.map { ($0.key, $0.value.error) }.sorted { $0.target < $1.target }
    }

    /// A table was found right again: the next batch may try all of them.
    mutating func tryNow(_ now: NIODeadline) {
        for target in targets.keys { targets[target]?.nextTry = now }
    }

    /// - Returns: whether it was not parked before.
    mutating func park(_ target: Int, because error: ServerError, now: NIODeadline) -> Bool {
        var parking = targets[target] ?? Parking(error: error, nextTry: now, backoff: Backoff(base: .seconds(1), limit: .seconds(30)))
        let isNew = targets[target] == nil
        parking.error = error
        parking.nextTry = now + parking.backoff.next()
        targets[target] = parking
        return isNew
    }

    /// The target took rows again.
    mutating func unpark(_ target: Int) -> Bool { targets.removeValue(forKey: target) != nil }
}

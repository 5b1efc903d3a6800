import Mapping
import Store
import Synchronization

/// Dead letters are counted by these two.
public struct LetterKey: Sendable, Hashable {
    public var mapping: String
    /// `decode`, `row` or `table`.
    public var stage: String

    public init(mapping: String, stage: String) {
        self.mapping = mapping
        self.stage = stage
    }
}

/// The last thing that went wrong with a mapping's messages.
public struct LastError: Sendable {
    /// In microseconds since 1970, UTC.
    public var atMicroseconds: Int64
    /// Where it went wrong.
    public var stage: DeadLetterStage
    public var text: String
    /// Of the message; foreign text is escaped and cut.
    public var topic: String
}

/// A mapping as it stands.
public struct MappingSnapshot: Sendable {
    public var name: String
    public var patterns: [String]
    public var tables: [String]
    /// Why a table of it cannot be written as it is: its messages become dead letters, stage `table`, until it can. nil: it can.
    public var parked: Trouble?

    public var isParked: Bool { parked != nil }
}

/// Why something does not work, since when.
public struct Trouble: Sendable {
    public var reason: String
    /// In microseconds since 1970, UTC.
    public var sinceMicroseconds: Int64

    public init(reason: String, sinceMicroseconds: Int64) {
        self.reason = reason
        self.sinceMicroseconds = sinceMicroseconds
    }

    /// The same trouble in other words goes on since it began.
    func inOtherWords(_ reason: String) -> Trouble { Trouble(reason: reason, sinceMicroseconds: sinceMicroseconds) }
}

/// Trouble of a thread that whoever likes may look at.
final class TroubleBoard: Sendable {
    private let trouble = Mutex<Trouble?>(nil)

    var current: Trouble? { trouble.withLock { $0 } }

    func begin(_ reason: String) {
        trouble.withLock { $0 = $0?.inOtherWords(reason) ?? Trouble(reason: reason, sinceMicroseconds: wallClockMicroseconds()) }
    }

    func end() { trouble.withLock { $0 = nil } }
}

/// Mappings whose table is wrong, as the writers have found them.
final class ParkedMappings: Sendable {
    private struct Parking {
        var trouble: Trouble
        /// Those that say so.
        var writers: Set<Int> = []
    }

    private let parked = Mutex<[String: Parking]>([:])

    /// A writer has tried in vain to write a mapping's table, or has written it again, or does not know any more.
    /// - Parameter reason: why in vain; nil: not in vain, or not known.
    /// - Returns: whether that is news of any of them.
    func change(_ mappings: [String], parkedBecause reason: String?, writer: Int) -> Bool {
        parked.withLock { parked in
            var isNews = false
            for mapping in mappings {
                var parking = parked[mapping]
                if let reason {
                    let known = parking?.trouble.inOtherWords(reason)
                    let trouble = known ?? Trouble(reason: reason, sinceMicroseconds: wallClockMicroseconds())
                    parking = Parking(trouble: trouble, writers: parking?.writers ?? [])
                    isNews = parking?.writers.insert(writer).inserted == true || isNews
                } else {
                    isNews = parking?.writers.remove(writer) != nil || isNews
                }
                parked[mapping] = parking?.writers.isEmpty == true ? nil : parking
            }
            return isNews
        }
    }

    /// Dead letters have become rows of the tables that were wrong, and none is left. Should one be wrong still, its next row says so.
    func tablesAreRight() { parked.withLock { $0.removeAll() } }

    /// Why each of them is.
    var troubles: [String: Trouble] { parked.withLock { $0.mapValues(\.trouble) } }
}

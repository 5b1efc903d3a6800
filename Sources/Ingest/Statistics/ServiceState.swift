import Mapping
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
    public var text: String
    /// Of the message; foreign text is escaped and cut.
    public var topic: String
}

/// A mapping as it stands.
public struct MappingSnapshot: Sendable {
    public var name: String
    public var patterns: [String]
    public var tables: [String]
    /// A table of it cannot be written as it is: its messages become dead letters, stage `table`, until it can.
    public var isParked: Bool
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
    /// By mapping, the writers that say so.
    private let parked = Mutex<[String: Set<Int>]>([:])

    /// A writer has tried in vain to write a mapping's table, or has written it again, or does not know any more.
    /// - Returns: whether that is news of any of them.
    func change(_ mappings: [String], isParked: Bool, writer: Int) -> Bool {
        parked.withLock { parked in
            let before = parked
            for mapping in mappings {
                if isParked { parked[mapping, default: []].insert(writer) } else { parked[mapping]?.remove(writer) }
                if parked[mapping]?.isEmpty == true { parked[mapping] = nil }
            }
            return parked != before
        }
    }

    /// Dead letters have become rows of the tables that were wrong, and none is left. Should one be wrong still, its next row says so.
    func tablesAreRight() { parked.withLock { $0.removeAll() } }

    var names: Set<String> { parked.withLock { Set($0.keys) } }
}

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
    private let parked = Mutex<[String: Int]>([:])

    /// A writer has found a mapping's table wrong, or right again, or does not know any more.
    func change(_ mappings: [String], isParked: Bool) {
        parked.withLock { parked in
            for mapping in mappings {
                let count = (parked[mapping] ?? 0) + (isParked ? 1 : -1)
                parked[mapping] = count > 0 ? count : nil
            }
        }
    }

    var names: Set<String> { parked.withLock { Set($0.keys) } }
}

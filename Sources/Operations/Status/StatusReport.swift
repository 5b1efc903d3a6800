import Foundation
import MQTT

/// What `/api/status` answers: how the service stands, for the status page and for `penstock status`.
///
/// Times are RFC 3339 in UTC. What is not known is null, never left out. Names in JSON are those of the properties in snake_case.
public struct StatusReport: Codable, Sendable {
    public var version: String
    public var startedAt: String
    public var now: String
    /// What `/readyz` says.
    public var ready: Bool
    /// What a person on call asks first, the worst first; empty when all is well.
    public var problems: [Problem]
    public var totals: Totals
    public var rates: Rates
    public var history: History
    public var latency: Latency
    /// What the service waits for: `network`, `window` or `database`; null while there is nothing to do or to tell, or the database is away.
    @OrNull public var boundBy: String?
    /// What to do about that, in words; empty with nothing to say.
    public var boundHint: String
    public var sessions: [Session]
    public var mappings: [Mapping]
    /// The last 20, the newest first.
    public var deadLetters: [DeadLetter]
    public var database: Database
    public var broker: Broker
    public var process: Process

    public struct Problem: Codable, Sendable, Equatable {
        public var what: String
        @OrNull public var since: String?
        /// What to do.
        public var `do`: String
    }

    /// Since the process started, but for `inFlight`. `settled` = durable, filtered, skipped or dropped by rule.
    public struct Totals: Codable, Sendable, Equatable {
        public var received: UInt64
        public var acknowledged: UInt64
        public var settled: UInt64
        public var rows: UInt64
        public var deadLetters: UInt64
        public var redelivered: UInt64
        public var unrouted: UInt64
        public var dropped: UInt64
        public var inFlight: UInt64
    }

    /// Over the last 10 seconds.
    public struct Rates: Codable, Sendable, Equatable {
        public var messagesPerSecond: Double
        public var rowsPerSecond: Double
        public var deadLettersPerMinute: Double
    }

    /// The last 5 minutes, the oldest first; null where nothing is known.
    public struct History: Codable, Sendable, Equatable {
        public var stepSeconds: Int
        public var messagesPerSecond: [Double?]
        public var rowsPerSecond: [Double?]
        public var latencyP50Ms: [Double?]
        public var latencyP99Ms: [Double?]
    }

    /// From a message's arrival until it is durable, over the last 10 seconds.
    public struct Latency: Codable, Sendable, Equatable {
        @OrNull public var p50Ms: Double?
        @OrNull public var p99Ms: Double?
        public var oldestUnacknowledgedSeconds: Double
    }

    public struct Session: Codable, Sendable, Equatable {
        public var clientId: String
        public var connected: Bool
        public var subscribed: Bool
        @OrNull public var problem: String?
        @OrNull public var since: String?
        public var unacknowledged: Int
        public var reconnects: UInt64
        public var lost: UInt64
        public var refused: [Refused]
    }

    /// A filter that the broker does not take.
    public struct Refused: Codable, Sendable, Equatable {
        public var filter: String
        public var reason: String
    }

    public struct Mapping: Codable, Sendable, Equatable {
        public var name: String
        public var patterns: [String]
        public var tables: [String]
        public var received: UInt64
        public var rows: UInt64
        public var filtered: UInt64
        public var noValues: UInt64
        public var deadLetters: UInt64
        public var dropped: UInt64
        @OrNull public var lastMessageAt: String?
        @OrNull public var lastError: MappingError?
        /// A table of it cannot be written as it is.
        public var parked: Bool
    }

    public struct MappingError: Codable, Sendable, Equatable {
        public var at: String
        public var text: String
        public var topic: String
    }

    public struct DeadLetter: Codable, Sendable, Equatable {
        /// `penstock.dead_letter.id`.
        public var id: Int64
        public var at: String
        /// Null for a message that no mapping takes.
        @OrNull public var mapping: String?
        public var stage: String
        /// Foreign, as the two that follow: never HTML, and to be escaped for a terminal.
        public var topic: String
        public var error: String
        /// How the payload begins: 400 bytes at most as text, 100 as hexadecimal digits (`01 0a ff`).
        public var payloadPreview: String
        public var payloadKind: PayloadKind
        /// Of the whole payload.
        public var payloadBytes: Int
    }

    public struct Database: Codable, Sendable, Equatable {
        public var connected: Bool
        @OrNull public var problem: String?
        @OrNull public var since: String?
        /// Without a password.
        public var url: String
        public var commits: UInt64
        @OrNull public var lastCommitAt: String?
    }

    public struct Broker: Codable, Sendable, Equatable {
        public var url: String
        /// What it says on `$SYS` topics that it has dropped; null where it says nothing.
        @OrNull public var dropped: UInt64?
    }

    public struct Process: Codable, Sendable, Equatable {
        public var residentBytes: UInt64
        public var cpuSeconds: Double
        public var openFiles: Int
        public var uptimeSeconds: Double
    }
}

extension StatusReport {
    /// The JSON of `/api/status`.
    public func json(pretty: Bool = false) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return Self.escapingHidden(try encoder.encode(self))
    }

    /// The same JSON with everything written as `\u….` that a terminal would not show, or would obey. It stands within strings, where else nothing but ASCII does.
    static func escapingHidden(_ json: Data) -> Data {
        guard json.contains(where: { $0 >= 0x7F }) else { return json }
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x7F || ForeignText.isShown(scalar) {
                text.append(scalar)
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    text.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
                }
            }
        }
        return Data(String(text).utf8)
    }

    /// Reads the JSON of `/api/status`.
    public init(json: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(StatusReport.self, from: json)
    }
}

/// An optional that is written as null rather than left out: a reader need not tell the two apart.
@propertyWrapper
public struct OrNull<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
    public var wrappedValue: Value?

    public init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

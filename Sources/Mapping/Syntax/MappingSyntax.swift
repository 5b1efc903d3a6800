import CopyFormat
import MQTT
import Payload

/// A place in a file: line and column count from 1.
public struct SourceMark: Hashable, Sendable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, as compilers and editors write it.
    public var description: String { "\(file):\(line):\(column)" }

    /// `press.yaml:14`: the file as it is called in the folder of mappings. For what is read on another machine too.
    public var lineInFolder: String { "\(file.split(separator: "/").last ?? ""):\(line)" }
}

/// Something with the place where it stands.
public struct Located<Wrapped: Sendable>: Sendable {
    public var value: Wrapped
    public var mark: SourceMark

    public init(_ value: Wrapped, at mark: SourceMark) {
        self.value = value
        self.mark = mark
    }
}

/// One mapping file, read and checked: what the compiler turns into a plan.
public struct MappingSyntax: Sendable {
    /// The file's name without `.yaml`.
    public var name: String
    public var mark: SourceMark
    public var description: String?
    public var topics: [Located<TopicPattern>]
    public var exclude: [Located<TopicPattern>]
    /// The highest QoS asked for in the subscription: 0, 1 or 2.
    public var qos: UInt8
    public var retained: RetainedPolicy
    public var emptyPayload: EmptyPayloadPolicy
    /// Steps before the decoder, in order.
    public var unpack: [UnpackStep]
    public var decode: DecodeSyntax
    /// Payloads inside fields, in the order in which they are decoded.
    public var embeds: [EmbedSyntax]
    /// The message filter: only where the file has `rows:`.
    public var when: [ConditionSyntax]
    /// At least one; shared columns are already merged into each.
    public var blocks: [BlockSyntax]
    /// Paths that are known and not wanted (not in `rest`).
    public var ignore: [Source]
    /// What a column's error does, where the column does not say.
    public var onError: ErrorPolicy
    /// Where dead letters are reported, with captures of the topic; nil: nowhere.
    public var errorReportTopic: TopicPattern?
    public var tests: [TestSyntax]
}

/// What a mapping does with retained messages; in the order of how many it wants.
public enum RetainedPolicy: String, Sendable, CaseIterable, Comparable {
    case skip
    /// Those that come because a subscription is new.
    case new
    case use

    private var rank: Int { self == .skip ? 0 : self == .new ? 1 : 2 }

    public static func < (left: RetainedPolicy, right: RetainedPolicy) -> Bool { left.rank < right.rank }
}
public enum EmptyPayloadPolicy: String, Sendable, CaseIterable { case skip, deadLetter = "dead_letter", row }
public enum ErrorPolicy: String, Sendable, CaseIterable { case deadLetter = "dead_letter", setNull = "set_null", skipRow = "skip_row" }
public enum UnpackStep: String, Sendable, CaseIterable { case hex, base64, gzip, zlib, deflate, zstd }

/// `embed: {name: {from, unpack?, decode}}`: a payload inside a field, or inside anything else that a source gives.
public struct EmbedSyntax: Sendable {
    /// What paths into it start with.
    public var name: String
    public var mark: SourceMark
    /// No loop has begun when it is read; embeds that stand before this one have been decoded.
    public var from: Source
    public var unpack: [UnpackStep]
    public var decode: DecodeSyntax
}

/// One block of `rows`: rows of one table.
public struct BlockSyntax: Sendable {
    public var mark: SourceMark
    public var table: TableSyntax
    /// Outermost first; the default loop of the decoder, such as `line` of CSV, is already filled in.
    public var each: [LoopSyntax]
    public var when: [ConditionSyntax]
    /// In order: shared columns first, a block's own one of the same name in its place.
    public var columns: [ColumnSyntax]
    public var keepEmpty: Bool
}

/// `each: {variable: path.*}`: one iteration per item of the array or member of the object that `over` leads to.
public struct LoopSyntax: Sendable {
    public var variable: String
    public var mark: SourceMark
    /// A `.document` source.
    public var over: Source
}

public struct ConditionSyntax: Sendable {
    public var source: Source
    public var mark: SourceMark
    public var test: TestExpression
}

/// What a `when` asks of a value.
public indirect enum TestExpression: Sendable {
    case equals(Literal)
    case anyOf([TestExpression])
    case allOf([TestExpression])
    case isKind(Set<ValueKind>)
    case not(TestExpression)
    /// A glob with `*`, `?` and `[…]`, as Python's fnmatchcase reads it.
    case match(String)
    case present(Bool)
    /// Decimal text.
    case minimum(String)
    case maximum(String)
}

public enum ValueKind: String, Sendable, CaseIterable { case object, array, string, number, boolean, null, numeric }

/// A scalar of the file: text, or NULL where it is a plain `null`, `~` or nothing.
public enum Literal: Hashable, Sendable {
    case null
    case text(String)
}

/// Where a value comes from.
public enum Source: Hashable, Sendable {
    case document(DocumentRoot, [PathSegment])
    case loopKey(String)
    case loopIndex(String)
    /// The whole topic.
    case topic
    case capture(String)
    case received
    /// The payload's bytes as they came.
    case rawPayload
    case rest
    case mqtt(MessageProperty)
    case constant(Literal)
}

/// What a path can start from.
public enum DocumentRoot: Hashable, Sendable {
    /// `$`
    case payload
    case embed(String)
    case loop(String)
}

/// One step of a path.
public enum PathSegment: Hashable, Sendable {
    /// A member's name, or an index of an array when it is a whole number (−1 is the last).
    case name(String)
    /// `{var@index}`
    case indexOf(String)
    /// `{var@key}`
    case keyOf(String)
}

/// A property of the message itself.
public enum MessageProperty: Hashable, Sendable {
    case qos, retain, contentType, responseTopic, correlationData, messageExpiry, broker
    case user(String)
}

/// One column of a block.
public struct ColumnSyntax: Sendable {
    public var name: String
    public var mark: SourceMark
    public var type: ColumnType
    public var isNotNull: Bool
    /// The first that is neither missing nor null counts; at least one.
    public var from: [Source]
    /// `join`: all of `from`, put together with this between them; nil = no join.
    public var joinSeparator: String?
    public var trim: Bool
    public var nullIf: [String]
    public var when: [ConditionSyntax]
    public var isKind: Set<ValueKind>?
    public var map: [(key: String, value: Literal)]
    public var mapElse: Literal?
    public var parse: ParseRule?
    /// An IANA name that the system's time zone database holds.
    public var zone: String?
    public var plus: PlusSyntax?
    /// Decimal text.
    public var scale: String?
    public var offset: String?
    public var convert: UnitConversion?
    public var sign: SignSyntax?
    public var minimum: Bound?
    public var maximum: Bound?
    public var defaultValue: DefaultValue?
    /// nil: as the mapping says.
    public var onError: ErrorPolicy?
    public var comment: String?
}

public enum ParseRule: Hashable, Sendable {
    case rfc3339
    case unix(UnixUnit)
    /// yyyy yy MM dd HH mm ss S+ and literal characters.
    case pattern(String)
    case decimalComma, hex, ddmm, base64, json
}

public enum UnixUnit: String, Sendable, CaseIterable {
    case seconds = "unix", milliseconds = "unix_ms", microseconds = "unix_us", nanoseconds = "unix_ns", automatic = "unix_auto"
}

/// `plus: {from, by?, times?}`: adds from × by × times to a time.
public struct PlusSyntax: Sendable {
    public var from: Source
    public var by: Source?
    /// Nanoseconds that one unit of `from` stands for; 10⁹ (one second) by default.
    public var timesNanoseconds: Int64
}

public struct SignSyntax: Sendable {
    public var from: Source
    public var negative: [String]
}

/// A limit of `min` or `max`.
public enum Bound: Hashable, Sendable {
    /// Decimal text.
    case number(String)
    /// Microseconds since 1970, UTC.
    case time(Int64)
    /// Microseconds from the time of receipt (`+1 d`, `-1 h`).
    case fromReceived(Int64)
}

public enum DefaultValue: Hashable, Sendable {
    case literal(String)
    case received
}

/// A unit conversion as an exact affine step: to = (from × multiplier + addend) ÷ divisor, all whole numbers.
public struct UnitConversion: Hashable, Sendable {
    /// Names as written, for comments and messages.
    public var fromUnit: String
    public var toUnit: String
    public var multiplier: Int64
    public var addend: Int64
    /// Positive.
    public var divisor: Int64

    public init(fromUnit: String, toUnit: String, multiplier: Int64, addend: Int64, divisor: Int64) {
        self.fromUnit = fromUnit
        self.toUnit = toUnit
        self.multiplier = multiplier
        self.addend = addend
        self.divisor = divisor
    }
}

/// How payloads are decoded.
public enum DecodeSyntax: Sendable {
    /// `lines`: newline-delimited JSON, `$` is the list of documents.
    case json(allowsNaN: Bool, lines: Bool)
    case text
    case bytes
    /// `decimal: ","`: numbers are read as with `parse: decimal_comma`.
    case csv(CSVOptions, hasDecimalComma: Bool)
    case binary(BinaryLayout)
    /// What these hold is read as the JSON that says the same.
    case msgpack
    case cbor
    /// Resolved records, as JSON or CBOR.
    case senml
    /// A list of samples, of any of the payloads that AirVantage takes.
    case airvantage
    /// `rebirth: true`: nodes whose births are missing are asked for them.
    case sparkplug(asksForBirths: Bool)

    /// Whether messages have an order across topics, which only one session keeps.
    public var needsOrder: Bool { if case .sparkplug = self { true } else { false } }

    /// The decoder's name in a mapping and in messages.
    public var name: String {
        switch self {
        case .json: "json"
        case .text: "text"
        case .bytes: "bytes"
        case .csv: "csv"
        case .binary: "binary"
        case .msgpack: "msgpack"
        case .cbor: "cbor"
        case .senml: "senml"
        case .airvantage: "airvantage"
        case .sparkplug: "sparkplug"
        }
    }

    /// The loop that a block has where it names none: its variable, and the list of the payload that it runs over.
    var defaultLoop: (variable: String, over: [PathSegment])? {
        switch self {
        case .csv: ("line", [])
        case .senml: ("record", [])
        case .airvantage: ("sample", [])
        case .sparkplug: ("metric", [.name("metrics")])
        case .json, .text, .bytes, .binary, .msgpack, .cbor: nil
        }
    }
}

/// A test of the mapping's own `tests:`.
public struct TestSyntax: Sendable {
    public enum Expectation: Sendable {
        /// Rows by table, in order.
        case rows([(table: String, rows: [ExpectedRow])])
        /// The dead letter's reason contains this.
        case error(String)
    }
    public var name: String
    public var mark: SourceMark
    public var topic: String
    public var payload: [UInt8]
    /// Microseconds since 1970, UTC; default 2024-01-01T00:00:00Z.
    public var receivedMicroseconds: Int64
    public var qos: UInt8
    public var isRetained: Bool
    public var contentType: String?
    public var responseTopic: String?
    public var correlationData: [UInt8]?
    public var messageExpirySeconds: UInt32?
    public var userProperties: [(name: String, value: String)]
    /// The broker's address; nil: missing.
    public var broker: String?
    public var expectation: Expectation
}

/// One row that a test expects: columns not named must be NULL.
public struct ExpectedRow: Sendable {
    public var mark: SourceMark
    public var values: [(column: String, value: ExpectedValue)]
}

public indirect enum ExpectedValue: Sendable {
    /// Text in quotes is text in jsonb too; a plain word there may be a number or a truth value.
    case scalar(Literal, isQuoted: Bool = false)
    case list([ExpectedValue])
    case object([(key: String, value: ExpectedValue)])
}

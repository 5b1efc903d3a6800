import CopyFormat
import Payload

/// What a column needs beyond taking a slot's value: bits, so that a column without any costs one test.
struct ColumnSteps: OptionSet, Sendable {
    let rawValue: UInt32

    /// Several sources, a join, `rest` or a path that depends on a loop: the value is not simply a slot's.
    static let gathers = ColumnSteps(rawValue: 1 << 0)
    static let hasCondition = ColumnSteps(rawValue: 1 << 1)
    static let trims = ColumnSteps(rawValue: 1 << 2)
    static let hasNullIf = ColumnSteps(rawValue: 1 << 3)
    static let maps = ColumnSteps(rawValue: 1 << 4)
    /// Arithmetic or limits on a number.
    static let calculates = ColumnSteps(rawValue: 1 << 5)
    /// `plus` or limits on a time.
    static let shiftsTime = ColumnSteps(rawValue: 1 << 6)
    static let hasDefault = ColumnSteps(rawValue: 1 << 7)
    static let isNotNull = ColumnSteps(rawValue: 1 << 8)
    /// Counts for the row rule: nullable and read from the payload.
    static let countsAsValue = ColumnSteps(rawValue: 1 << 9)
    static let hasParse = ColumnSteps(rawValue: 1 << 10)

    /// Anything that comes between the slot and the encoder.
    static let preparation: ColumnSteps = [.gathers, .hasCondition, .trims, .hasNullIf, .maps]
}

/// One column of a block, as the evaluator walks it: trivial, with what is rarely needed in `ColumnDetails` of the same index.
struct CompiledColumn: Sendable {
    enum Encoding: UInt8, Sendable {
        case boolean, int2, int4, int8, float4, float8, numeric, text, bytea, timestamp, roundedTimestamp, date, time, uuid, json, jsonb
        case inet, cidr, enumeration, array
    }

    var slot: Int32
    var encoding: Encoding
    var policy: ErrorPolicy
    var steps: ColumnSteps
    /// How many bits a number of the declared type has; the wire type may have more.
    var declaredBits: UInt8
    /// Characters of `varchar(n)` and `char(n)`; 0 = no limit.
    var characterLimit: Int32
}

/// The rest of a column.
struct ColumnDetails: Sendable {
    var name: String
    /// Where the mapping declares it.
    var mark: SourceMark?
    /// What the mapping declares; its rules hold even where the table's type is wider.
    var declared: ColumnType
    /// The table's type: what is written.
    var wire: ColumnType
    /// Of an array's elements, as the table has them.
    var elementOID: UInt32 = 0
    /// Of an enum, as the table's type has them.
    var labels: [[UInt8]] = []
    var gather: Gather?
    var conditions: [CompiledCondition] = []
    var kinds: Set<ValueKind>?
    var nullIf: [ComparisonText] = []
    var map: [(key: [UInt8], value: Value)] = []
    var mapElse: Value?
    var parse: CompiledParse = .none
    var zone: TimeZoneRules?
    /// value ← (value × multiplier + addend) ÷ divisor; scale, offset and convert in one.
    var affine: (multiplier: DecimalNumber, addend: DecimalNumber, divisor: UInt64)?
    var sign: (slot: SlotSource, negative: [[UInt8]])?
    var minimum: (bound: CompiledBound, text: String)?
    var maximum: (bound: CompiledBound, text: String)?
    var plus: (from: SlotSource, by: SlotSource?, timesNanoseconds: Int64)?
    /// What is stored for an absent value.
    var standIn: StandIn?
}

/// A default: taken as it is written, without the column's steps. Ready to be encoded, so that a message without the value costs no more than one with it.
struct StandIn: Sendable {
    /// A time without microseconds stands for the time of receipt.
    var value: Value
    var column: CompiledColumn
    /// Of that column alone.
    var details: [ColumnDetails]
}

/// A value that takes more than a look at one slot.
indirect enum Gather: Sendable {
    /// The first that is neither missing nor null.
    case first([SlotSource])
    case join([SlotSource], separator: [UInt8])
    case single(SlotSource)
    /// The members of the row's object that no column takes.
    case rest(container: Int, taken: PathTrie, mayHoldNaN: Bool)
}

/// A slot, or a place below one that depends on a loop or counts from an array's end.
indirect enum SlotSource: Sendable {
    case slot(Int)
    /// `cursor` is the place of its memory of where it was last: walking an array beside a loop is then not quadratic.
    case seek(container: Int, steps: [SeekStep], cursor: Int)
    /// Bytes that stand there in base64.
    case base64(SlotSource)
}

enum SeekStep: Sendable {
    case name([UInt8])
    case index(Int)
    /// The slot of a loop's index or key.
    case slot(Int)
}

enum CompiledParse: Sendable {
    case none
    case unix(UnixUnit)
    case pattern(TimePattern)
    case decimalComma, hex, ddmm, base64, json
}

enum CompiledBound: Sendable {
    case number(DecimalNumber)
    /// Microseconds since 1970.
    case time(Int64)
    case fromReceived(Int64)
}

/// A constant to compare with: as text, and as a number where it reads as one.
struct ComparisonText: Sendable {
    var bytes: [UInt8]
    var number: DecimalNumber?

    init(_ text: String) {
        bytes = Array(text.utf8)
        number = DecimalNumber(text)
    }
}

struct CompiledCondition: Sendable {
    var source: SlotSource
    var test: CompiledTest
}

indirect enum CompiledTest: Sendable {
    case null
    case equals(ComparisonText)
    case any([CompiledTest])
    case all([CompiledTest])
    case kinds(Set<ValueKind>)
    case not(CompiledTest)
    case glob(Glob)
    case present(Bool)
    case minimum(DecimalNumber)
    case maximum(DecimalNumber)
}

extension Value: @unchecked Sendable {
    // @unchecked: only constants of a plan are shared, and those point into memory that the plan owns and never changes.
}

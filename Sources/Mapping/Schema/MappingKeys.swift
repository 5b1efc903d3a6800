import CopyFormat
import Payload

/// What each key of a mapping file is for: the same keys as `Keys`, which the readers take; a test holds them together.
enum MappingKeys {
    static let file = ObjectDescription(
        required: ["topic"],
        [
            KeyDescription("version", "The version of this format: 1.", .object([("enum", .list([.number(1), .text("1")]))])),
            KeyDescription("description", "What the mapping is for.", .anyText),
            KeyDescription(
                "topic",
                "Which topics it takes: {name} captures a level or a part of one, {name...} the rest, + and # are MQTT's. One, or a list.",
                .anyOf([.reference("topic"), .list(of: .reference("topic"), atLeast: 1)])),
            KeyDescription("exclude", "Topics that it does not take although 'topic' does.", .oneOrMore(.reference("topic"))),
            KeyDescription("qos", "The QoS of the subscription; 1 if not given.", .whole(0...2)),
            KeyDescription(
                "retained",
                "Retained messages: skip passes over them (default), use takes them, new takes them when the subscription is new.",
                .choice(RetainedPolicy.allCases.map(\.rawValue))),
            KeyDescription(
                "empty_payload", "Messages without a payload: skip (default), dead_letter, or row, in which $ is null.",
                .choice(EmptyPayloadPolicy.allCases.map(\.rawValue))),
            KeyDescription(
                "unpack", "Steps before the decoder, in order.", steps),
            KeyDescription("decode", "What the payload is; json if not given.", .reference("decode")),
            KeyDescription(
                "embed", "Payloads inside fields: {name: {from, unpack?, decode}}; the name becomes a root.", .map(of: .reference("embed"))),
            KeyDescription("ignore", "Known and unwanted fields: neither in 'rest' nor reported.", .oneOrMore(.reference("source"))),
            KeyDescription(
                "on_error", "What a column's error does: dead_letter (default), set_null or skip_row.",
                .choice(ErrorPolicy.allCases.map(\.rawValue))),
            KeyDescription(
                "report_errors_to", "A topic to which each dead letter is reported as JSON, with captures: \"{id}/errors\".", .plainText),
            KeyDescription(
                "tests", "Messages and the rows that they must become; `penstock check` runs them.", .list(of: .reference("test"))),
            KeyDescription(
                "rows", "Blocks, each with its table and columns; top columns come first in each.",
                .list(of: .reference("block"), atLeast: 1)),
        ] + block.keys)

    static let block = ObjectDescription([
        KeyDescription("table", "The table: its name, or its name and options.", .reference("table")),
        KeyDescription(
            "each", "One row for each item: a path that ends in .*, or {variable: path} for loops within loops.",
            .anyOf([.reference("loop"), .map(names: "^[A-Za-z_][A-Za-z0-9_]*$", of: .reference("loop"))])),
        KeyDescription("when", "Tests that must all hold: {source: test}.", .reference("when")),
        KeyDescription(
            "columns", "name: \"type [not null] [from source]\", or name: {type: …}.",
            .map(names: "^[a-z_][a-z0-9_]{0,62}$", of: .anyOf([.reference("shortColumn"), .reference("column")]))),
        KeyDescription("keep_empty", "Keeps rows in which no nullable column has a value; false if not given.", .truth),
    ])

    static let embed = ObjectDescription(
        required: ["from", "decode"],
        [
            KeyDescription("from", "Where it is: a source that no loop has a part in.", .reference("source")),
            KeyDescription("unpack", "Steps before its decoder, in order.", steps),
            KeyDescription("decode", "What it is.", .reference("decode")),
        ])

    private static var steps: SchemaNode { .oneOrMore(.choice(UnpackStep.allCases.map(\.rawValue))) }

    static let table = ObjectDescription(
        required: ["name"],
        [
            KeyDescription("name", "table, or schema.table.", .plainText),
            KeyDescription("key", "The columns by which a row is known; they are not null.", .oneOrMore(.plainText)),
            KeyDescription(
                "on_conflict",
                "A row whose key is there: append stores it too (default), ignore keeps the old one, update replaces it, merge replaces what has a value.",
                .choice(ConflictPolicy.allCases.map(\.rawValue))),
            KeyDescription("newer", "With update and merge: the column by which an older row does not replace a newer one.", .plainText),
            KeyDescription("partition", "Divides the table by time: {by: time, every: day}.", .reference("partition")),
            KeyDescription(
                "retention", "How long rows are kept, by whole partitions: 90 days.",
                .text(like: "^[1-9][0-9]* *(h|hours?|d|days?|w|weeks?|months?|y|years?)$")),
            KeyDescription(
                "indexes", "Indexes besides the key's, each a list of columns: [[site, time desc]].",
                .list(of: .oneOrMore(.plainText))),
            KeyDescription("latest", "Makes a view of the last row of each value of these columns: [device].", .oneOrMore(.plainText)),
            KeyDescription("comment", "The table's COMMENT.", .anyText),
            KeyDescription(
                "ddl", "What the service may make in the schema: off, create or evolve; the configuration's if not given.",
                .choice(DDLPolicy.allCases.map(\.rawValue))),
        ])

    static let partition = ObjectDescription(
        required: ["by", "every"],
        [
            KeyDescription("by", "The column of the time: timestamptz not null, and part of a key that on_conflict looks at.", .plainText),
            KeyDescription("every", "How much time one partition holds, in UTC.", .choice(TimeUnit.allCases.map(\.rawValue))),
            KeyDescription(
                "with", "What makes them: native partitions of PostgreSQL (default), or timescale, a hypertable.",
                .choice(PartitionSyntax.Maker.allCases.map(\.rawValue))),
        ])

    static let column = ObjectDescription(
        required: ["type"],
        [
            KeyDescription("type", "A type of PostgreSQL, perhaps with 'not null'.", .suggestions(typeNames)),
            KeyDescription("not_null", "As 'not null' behind the type.", .truth),
            KeyDescription("from", "Where the value comes from; of a list the first that is there.", .oneOrMore(.reference("source"))),
            KeyDescription("join", "Several sources put together to one text.", .list(of: .reference("source"), atLeast: 1)),
            KeyDescription("with", "What stands between the parts of a join; a space if not given.", .scalar),
            KeyDescription("const", "Always this value.", .scalar),
            KeyDescription("when", "The value counts only when these tests hold.", .reference("when")),
            KeyDescription("is", "The value counts only when it is of this kind.", .oneOrMore(.choice(kinds))),
            KeyDescription("trim", "Takes white space off both ends.", .truth),
            KeyDescription("null_if", "Values that stand for NULL.", .oneOrMore(.scalar)),
            KeyDescription("map", "Values and what they become.", .map(of: .scalar)),
            KeyDescription("map_else", "What values become that 'map' does not name.", .scalar),
            KeyDescription(
                "parse", "How the text reads: a form of times, numbers or bytes, or a pattern of yyyy yy MM dd HH mm ss S.",
                .suggestions(["rfc3339"] + UnixUnit.allCases.map(\.rawValue) + ["decimal_comma", "hex", "ddmm", "base64", "json"])),
            KeyDescription("zone", "The time zone of local times, such as Europe/Berlin.", .suggestions(["UTC"])),
            KeyDescription("plus", "Adds from × by × times to a time.", .reference("plus")),
            KeyDescription("scale", "Multiplies the number.", .decimal),
            KeyDescription("offset", "Adds to the number, after scale.", .decimal),
            KeyDescription("convert", "Turns one unit into another: degF to degC.", .text(like: "^(\(units)) to (\(units))$")),
            KeyDescription("sign", "Makes the number negative where another field says so.", .reference("sign")),
            KeyDescription("min", "Smaller values are errors; for times also +1 d or -1 d from the time of receipt.", .scalar),
            KeyDescription("max", "Larger values are errors; for times also +1 d from the time of receipt.", .scalar),
            KeyDescription("default", "The value where there is none; received stands for the time of receipt.", .scalar),
            KeyDescription(
                "on_error", "What an error of this column does: dead_letter, set_null or skip_row; the mapping's if not given.",
                .choice(ErrorPolicy.allCases.map(\.rawValue))),
            KeyDescription("comment", "The column's COMMENT; unit and source are added.", .anyText),
        ])

    static let plus = ObjectDescription(
        required: ["from"],
        [
            KeyDescription("from", "The number that is added.", .reference("source")),
            KeyDescription("by", "A second factor.", .reference("source")),
            KeyDescription("times", "What one stands for, such as 20 ms; 1 s if not given.", .text(like: "^[0-9.]+ *[a-zµ]+$")),
        ])

    static let sign = ObjectDescription(
        required: ["from"],
        [
            KeyDescription("from", "The field that says it.", .reference("source")),
            KeyDescription("negative", "Its values that mean negative, such as [S, W].", .oneOrMore(.anyText)),
        ])

    static let test = ObjectDescription([
        KeyDescription("is", "It is of this kind; numeric is a number, or text that reads as one.", .oneOrMore(.choice(kinds))),
        KeyDescription("not", "The opposite of a test.", .reference("condition")),
        KeyDescription("match", "A pattern with *, ? and [a-z].", .anyText),
        KeyDescription("present", "It is there, even if it is null; or it is not.", .truth),
        KeyDescription("min", "A number, at least this.", .decimal),
        KeyDescription("max", "A number, at most this.", .decimal),
    ])

    static var kinds: [String] { ValueKind.allCases.map(\.rawValue) }
    private static var units: String { Units.names.joined(separator: "|") }

    static let typeNames = [
        "boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "text", "timestamptz", "date", "time", "uuid",
        "inet", "bytea",
        "jsonb", "json",
    ].flatMap { [$0, $0 + " not null"] }
}

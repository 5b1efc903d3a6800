/// The keys of every object of a mapping file: what the reader takes, in one place.
enum Keys {
    static let file = [
        "version", "description", "topic", "exclude", "qos", "retained", "empty_payload", "unpack", "decode", "embed", "ignore", "on_error",
        "report_errors_to",
        "tests",
        "table", "each", "when", "columns", "keep_empty", "rows",
    ]
    static let embed = ["from", "unpack", "decode"]
    static let block = ["table", "each", "when", "columns", "keep_empty"]
    static let table = ["name", "key", "on_conflict", "newer", "partition", "retention", "indexes", "latest", "comment", "ddl"]
    static let partition = ["by", "every", "with"]
    static let column = [
        "type", "not_null", "from", "join", "with", "const", "when", "is", "trim", "null_if", "map", "map_else", "parse", "zone", "plus",
        "scale", "offset", "convert", "sign", "min", "max", "default", "on_error", "comment",
    ]
    static let plus = ["from", "by", "times"]
    static let sign = ["from", "negative"]
    static let test = ["is", "not", "match", "present", "min", "max"]
    static let decoders = ["json", "text", "bytes", "csv", "binary", "msgpack", "cbor", "senml", "airvantage", "sparkplug"]
    static let json = ["allow_nan", "lines"]
    static let csv = ["delimiter", "header", "decimal", "quote", "comment", "skip_lines", "pairs_from"]
    static let binary = ["endian", "length", "fields", "groups", "tagged"]
    static let sparkplug = ["rebirth"]
    static let tagged = ["at", "tag_bytes", "types"]
    static let taggedType = ["size", "fields", "list"]
    static let field = ["type", "at", "order", "bits", "size"]
    static let group = ["at", "every", "count", "fields"]
    static let mappingTest = [
        "name", "topic", "payload", "payload_hex", "payload_base64", "payload_file", "received", "mqtt", "expect", "expect_error",
    ]
    static let testMQTT = ["qos", "retain", "content_type", "response_topic", "correlation", "message_expiry", "user", "broker"]
}

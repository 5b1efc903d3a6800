import Payload

/// What each key of a decoder, and of a mapping's tests, is for.
extension MappingKeys {
    static let json = ObjectDescription([
        KeyDescription("allow_nan", "Takes bare nan and infinity as null.", .truth),
        KeyDescription("lines", "One document a line; $ is their list.", .truth),
    ])

    static let csv = ObjectDescription([
        KeyDescription("delimiter", "Between cells: one character, or tab; a comma if not given.", .anyText),
        KeyDescription(
            "header", "Names of the cells: none (default), first_line, or a list.",
            .anyOf([.choice(["none", "first_line"]), .list(of: .anyText, atLeast: 1)])),
        KeyDescription("decimal", "The decimal point of numbers: . or ,", .choice([".", ","])),
        KeyDescription("quote", "Around cells that hold a delimiter; a double quote if not given.", .anyText),
        KeyDescription("comment", "Lines that start so are passed over.", .anyText),
        KeyDescription("skip_lines", "Lines at the start that are passed over.", .whole(0...1000)),
        KeyDescription("pairs_from", "Cells from this one on are name;value pairs.", .whole(0...10_000)),
    ])

    static let binary = ObjectDescription([
        KeyDescription("endian", "The order of bytes: big (default) or little.", .choice(["big", "little"])),
        KeyDescription("length", "The exact length of a payload in bytes.", .whole(1...268_435_455)),
        KeyDescription("fields", "Fields: name: \"u16 at 3\", or {type, at, …}.", .reference("fields")),
        KeyDescription("groups", "Records that repeat.", .map(of: .reference("group"))),
        KeyDescription("tagged", "Records of several types, each behind a tag that says which.", .reference("tagged")),
    ])

    static let tagged = ObjectDescription(
        required: ["tag_bytes", "types"],
        [
            KeyDescription("at", "Where the first tag stands; 0 if not given.", .whole(0...268_435_455)),
            KeyDescription("tag_bytes", "Bytes of a tag.", .whole(1...8)),
            KeyDescription(
                "types", "By tag in hexadecimal: what stands behind it.", .map(names: "^[0-9a-fA-F]+$", of: .reference("taggedType"))),
        ])

    static let taggedType = ObjectDescription(
        required: ["size"],
        [
            KeyDescription("size", "Bytes of the record, the tag not counted.", .whole(0...1_000_000)),
            KeyDescription("fields", "Fields of the record; places count from its start.", .reference("fields")),
            KeyDescription("list", "The list that collects these records; without it their fields are the payload's own.", .plainText),
        ])

    static let field = ObjectDescription(
        required: ["type", "at"],
        [
            KeyDescription("type", "A type of number, or bcd, text or bytes, which need 'size'.", .choice(fieldTypes)),
            KeyDescription("at", "The first byte, from 0; negative counts from the end.", .whole(-268_435_455...268_435_455)),
            KeyDescription("order", "The order of bytes, as Modbus tools name it.", .choice(BinaryField.Order.allCases.map(\.rawValue))),
            KeyDescription("bits", "lo..hi; bit 0 is the least significant of the whole field.", .anyText),
            KeyDescription("size", "Bytes of bcd, text and bytes.", .whole(1...1_000_000)),
        ])

    static let group = ObjectDescription(
        required: ["at", "every", "fields"],
        [
            KeyDescription("at", "The first byte of the first record.", .whole(0...268_435_455)),
            KeyDescription("every", "Bytes from one record to the next.", .whole(1...1_000_000)),
            KeyDescription("count", "How many: a number, a field such as $.n, or to_end (default).", .anyText),
            KeyDescription("fields", "Fields of a record; places count from its start.", .reference("fields")),
        ])

    /// What each decoder takes; nil: no options.
    static let decoders: [(name: String, words: String, options: String?)] = [
        ("json", "JSON.", "json"), ("text", "The payload is one text: take it from $.", nil),
        ("bytes", "The payload is bytes: take them from $.", nil), ("csv", "Lines of cells; the loop over them is called line.", "csv"),
        ("binary", "Fields at fixed places.", "binary"), ("msgpack", "MessagePack, read as the JSON that says the same.", nil),
        ("cbor", "CBOR, read as the JSON that says the same.", nil),
        ("senml", "SenML, as JSON or CBOR, resolved; the loop over its records is called record.", nil),
        ("airvantage", "Messages as AirVantage takes them; the loop over their samples is called sample.", nil),
        ("sparkplug", "Sparkplug B; the loop over its metrics is called metric.", "sparkplug"),
    ]

    static let sparkplug = ObjectDescription([
        KeyDescription("rebirth", "Asks nodes for births that are missing; false if not given.", .truth)
    ])

    static let mappingTest = ObjectDescription(
        required: ["topic"],
        [
            KeyDescription("name", "What the test shows.", .anyText), KeyDescription("topic", "The topic of the message.", .anyText),
            KeyDescription("payload", "Its payload as text.", .scalar),
            KeyDescription("payload_hex", "Its payload in hexadecimal.", .anyText),
            KeyDescription("payload_base64", "Its payload in Base64.", .anyText),
            KeyDescription("payload_file", "A file beside the mapping that holds it.", .plainText),
            KeyDescription("received", "When it was received; 2024-01-01T00:00:00Z if not given.", .plainText),
            KeyDescription("mqtt", "Its properties.", .reference("testMQTT")),
            KeyDescription(
                "expect", "The rows that it becomes: a list, or {table: [rows]}; columns that are not named are NULL.",
                .anyOf([.list(of: .object([("type", .text("object"))])), .map(of: .list(of: .object([("type", .text("object"))])))])),
            KeyDescription("expect_error", "It is a dead letter whose reason holds this.", .anyText),
        ])

    static let testMQTT = ObjectDescription([
        KeyDescription("qos", "0, 1 or 2.", .whole(0...2)), KeyDescription("retain", "It is a retained message.", .truth),
        KeyDescription("content_type", "MQTT 5: the content type.", .anyText),
        KeyDescription("response_topic", "MQTT 5: the response topic.", .anyText),
        KeyDescription("correlation", "MQTT 5: the correlation data, as text.", .anyText),
        KeyDescription("message_expiry", "MQTT 5: seconds until the message expires.", .whole(0...Int(UInt32.max))),
        KeyDescription("user", "MQTT 5: user properties.", .map(of: .anyText)),
        KeyDescription("broker", "The address of the broker that hands it over.", .anyText),
    ])

    static var fieldTypes: [String] { BinaryField.FieldType.allCases.map(\.rawValue) }
}

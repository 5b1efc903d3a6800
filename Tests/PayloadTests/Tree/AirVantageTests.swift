import Testing

@testable import Payload

@Suite("AirVantage payloads are lists of samples")
struct AirVantageTests {
    static let airVantage: TreeDecoder = { try AirVantage.jsonText(of: $0, limits: $1, into: &$2) }

    /// A sample a line: time, name, value.
    private func samples(_ payload: [UInt8]) throws -> [String] {
        let text = try jsonText(payload, Self.airVantage)
        return text.dropFirst().dropLast().replacing("},{", with: "}\n{").split(separator: "\n")
            .map { $0.replacing(#"{"time":"#, with: "").replacing(#","name":"#, with: " ").replacing(#","value":"#, with: " ") }
            .map { String($0.dropLast()) }
    }

    @Test(
        "Each shape of messages/json gives its samples, in order",
        arguments: [
            // Values by name, by time; one time stands there twice.
            (
                """
                { "1349907137000": { "machine.temperature": 23.2, "machine.humidity": 70 },
                "1349908137000": { "machine.temperature": 24.5 },
                "1349909137000": { "machine.temperature": 22.9 },
                "1349907137000": { "machine.threshold": 30}
                }
                """,
                [
                    #""2012-10-10T22:12:17Z" "machine.temperature" 23.2"#, #""2012-10-10T22:12:17Z" "machine.humidity" 70"#,
                    #""2012-10-10T22:28:57Z" "machine.temperature" 24.5"#, #""2012-10-10T22:45:37Z" "machine.temperature" 22.9"#,
                    #""2012-10-10T22:12:17Z" "machine.threshold" 30"#,
                ]
            ),
            // Values by name.
            (
                #"{ "machine.temperature": 23.2, "machine.open": true, "mode": "eco", "none": null }"#,
                [#"null "machine.temperature" 23.2"#, #"null "machine.open" true"#, #"null "mode" "eco""#, #"null "none" null"#]
            ),
            // Lists of values with their times, in an array.
            (
                """
                [{"machine.temperature":[{"timestamp":1416324560869,"value":42.2},{"timestamp":1416324561869,"value":42.3}],
                "machine.open":[{"timestamp":null,"value":true}]},{"machine.mode":[{"timestamp":"1416324560869","value":"e\\u00e9"}]}]
                """,
                [
                    #""2014-11-18T15:29:20.869Z" "machine.temperature" 42.2"#, #""2014-11-18T15:29:21.869Z" "machine.temperature" 42.3"#,
                    #"null "machine.open" true"#, #""2014-11-18T15:29:20.869Z" "machine.mode" "e\u00e9""#,
                ]
            ),
            // The same without the array; seconds; a time that is empty, or not there; an entry without a value.
            (
                #"{"a":[{"timestamp":1416324560,"value":1},{"timestamp":"","value":2},{"value":3},{"timestamp":1416324560.5}]}"#,
                [#""2014-11-18T15:29:20Z" "a" 1"#, #"null "a" 2"#, #"null "a" 3"#, #""2014-11-18T15:29:20.5Z" "a""#]
            ),
            // Milliseconds from 10¹¹ on.
            (
                #"{"99999999999":{"a":1},"100000000000":{"a":2},"0":{"a":3},"-1.5":{"a":4}}"#,
                [
                    #""5138-11-16T09:46:39Z" "a" 1"#, #""1973-03-03T09:46:40Z" "a" 2"#, #""1970-01-01T00:00:00Z" "a" 3"#,
                    #""1969-12-31T23:59:58.5Z" "a" 4"#,
                ]
            ),
            // Shapes side by side, and none at all.
            (#"[{"a":1,"1349907137000":{"b":[2]}},{}]"#, [#"null "a" 1"#, #""2012-10-10T22:12:17Z" "b" [2]"#]), ("[]", []), ("{}", []),
        ])
    func json(payload: String, expected: [String]) throws {
        #expect(try samples(Array(payload.utf8)) == expected)
    }

    @Test(
        "The CBOR of messages/ts gives its samples, in order",
        arguments: [
            // {"h": ["x", "y", "z", "lat", "long", "speed"], "f": [0.01, 1, 1, 1, 1000000, 1000000, 1],
            //  "s": [14123204020, 0, 2, 0, 49455177, 537743, 100, 1, 0, 1, 0, 0, 0, -1.6]}
            (
                """
                a361688661786179617a636c6174646c6f6e67657370656564616687fb3f847ae147ae147b0101011a000f42401a000f42400161738e1b0000000349ce
                fdb40002001a02f2a0491a0008348f1864010001000000fbbff999999999999a
                """,
                [
                    #""2014-10-03T07:13:22Z" "x" 0"#, #""2014-10-03T07:13:22Z" "y" 2"#, #""2014-10-03T07:13:22Z" "z" 0"#,
                    #""2014-10-03T07:13:22Z" "lat" 49.455177"#, #""2014-10-03T07:13:22Z" "long" 0.537743"#,
                    #""2014-10-03T07:13:22Z" "speed" 100"#,
                    #""2014-10-03T07:13:22.1Z" "x" 0"#, #""2014-10-03T07:13:22.1Z" "y" 3"#, #""2014-10-03T07:13:22.1Z" "z" 0"#,
                    #""2014-10-03T07:13:22.1Z" "lat" 49.455177"#, #""2014-10-03T07:13:22.1Z" "long" 0.537743"#,
                    #""2014-10-03T07:13:22.1Z" "speed" 98.4"#,
                ]
            ),
            // Text, booleans and null between numbers: {"h": ["a", "b", "c"], "f": [1, 10, 1, 4],
            //  "s": [1412320402000, 15, "on", 1, 100, null, true, null, 100, 5, null, 2, 1000, -30, "off", -3]}
            (
                "a3616883616161626163616684010a01046173901b00000148d4db1a500f626f6e011864f6f5f6186405f6021903e8381d636f666622",
                [
                    #""2014-10-03T07:13:22Z" "a" 1.5"#, #""2014-10-03T07:13:22Z" "b" "on""#, #""2014-10-03T07:13:22Z" "c" 0.25"#,
                    #""2014-10-03T07:13:22.1Z" "b" true"#, #""2014-10-03T07:13:22.2Z" "a" 2"#, #""2014-10-03T07:13:22.2Z" "c" 0.75"#,
                    #""2014-10-03T07:13:23.2Z" "a" -1"#, #""2014-10-03T07:13:23.2Z" "b" "off""#, #""2014-10-03T07:13:23.2Z" "c" 0"#,
                ]
            ),
            // No factors, seconds: {"h": ["a"], "s": [1700000000, 5, 60, 1]}
            ("a261688161616173841a6553f10005183c01", [#""2023-11-14T22:13:20Z" "a" 5"#, #""2023-11-14T22:14:20Z" "a" 6"#]),
            // The first number of a column is whole wherever it stands, and a third is no decimal number: {"h": ["a"], "f": [1, 3],
            //  "s": [1700000000, null, 60, 1, 60, 1]}
            (
                "a3616881616161668201036173861a6553f100f6183c01183c01",
                [
                    #""2023-11-14T22:14:20Z" "a" 0.3333333333333333333333333333333333"#,
                    #""2023-11-14T22:15:20Z" "a" 0.6666666666666666666666666666666667"#,
                ]
            ),
            // Factors of 0.01 in 32 bits and of 0.1 in 16.
            (
                "a36168816161616682fa3c23d70af92e666173821b0000000349cefdb4fa40200000",
                [#""2014-10-03T07:13:22Z" "a" 25"#]
            ),
            ("a361688161616166820101617380", []),
        ])
    func cbor(hex: String, expected: [String]) throws {
        #expect(try samples(bytes(hex: hex)) == expected)
    }

    @Test(
        "A JSON payload of another shape is refused",
        arguments: [
            ("1", "the payload is neither an object nor an array of objects"),
            ("[1]", "the payload is neither an object nor an array of objects"),
            (#"{"a":[1]}"#, "an entry of a list that is no object with a timestamp and a value"),
            (#"{"a":{"b":1}}"#, "a timestamp that is neither null nor a number of milliseconds or seconds within the years 1 to 9999"),
            (#"{"1e20":{"b":1}}"#, "a timestamp that is neither null nor a number of milliseconds or seconds within the years 1 to 9999"),
            (
                #"{"a":[{"timestamp":true,"value":1}]}"#,
                "a timestamp that is neither null nor a number of milliseconds or seconds within the years 1 to 9999"
            ), ("{", "unexpected end of the text at byte 1"), ("", "unexpected end of the text at byte 0"),
        ])
    func refusedJSON(payload: String, words: String) {
        #expect(refusal(Array(payload.utf8), Self.airVantage) == words)
    }

    @Test(
        "A CBOR payload of another shape is refused",
        arguments: [
            ("a3616881616161668201006173820101", "a factor in 'f' is no number of up to 19 digits, or 0"),
            ("a36168816161616681016173820101", "'f' has 1 factors for the time and 1 names"),
            ("a361688161616166830101016173820101", "'f' has more factors than the time and the names of 'h'"),
            ("a36168816161616682010161738101", "'s' ends within a row of a time and 1 values"),
            ("a361688161616166820101617382617801", "a time in 's' is not a number"),
            ("a261668201016173820101", "'h' is not a list of names"),
            ("a16168816161", "'s' is not a list of samples"), ("a261688101617380", "a name in 'h' is not text"),
            (
                "a26168816161617382fb7e37e43c8800759c01",
                "a timestamp that is neither null nor a number of milliseconds or seconds within the years 1 to 9999"
            ), ("a36168816161616682016178617382fb7e37e43c8800759c01", "a factor in 'f' is no number of up to 19 digits, or 0"),
            ("a0", "'h' is not a list of names"), ("a1", "a length of 1 where only 0 bytes are left at byte 0"),
        ])
    func refusedCBOR(hex: String, words: String) {
        #expect(refusal(hex: hex, Self.airVantage) == words)
    }
}

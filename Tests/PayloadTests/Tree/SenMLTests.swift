import Testing

@testable import Payload

@Suite("SenML is resolved")
struct SenMLTests {
    /// 2024-01-01T00:00:10.25Z
    static let received: Int64 = 1_704_067_210_250_000
    static let senML: TreeDecoder = { try SenML.jsonText(of: $0, receivedMicroseconds: received, limits: $1, into: &$2) }

    static func records(_ pack: String) throws -> String {
        let text = try jsonText(Array(pack.utf8), senML)
        return text.replacing("},{", with: "},\n{")
    }

    /// RFC 8428 §5.1.1 to §5.1.7 and §6: each pack, and its records as §4.6 has them. Where no time is given it is the one of receipt.
    static let examples: [(String, String)] = [
        (
            #"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]"#,
            #"[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1,"t":1704067210.25}]"#
        ),
        (
            #"""
            [
              {"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},
              {"n":"current","u":"A","v":1.2}
            ]
            """#,
            #"""
            [{"n":"urn:dev:ow:10e2073a01080063:voltage","u":"V","v":120.1,"t":1704067210.25},
            {"n":"urn:dev:ow:10e2073a01080063:current","u":"A","v":1.2,"t":1704067210.25}]
            """#
        ),
        (
            #"""
            [
              {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
              {"n":"current","t":-5,"v":1.2},
              {"n":"current","t":-4,"v":1.3},
              {"n":"current","t":-3,"v":1.4},
              {"n":"current","t":-2,"v":1.5},
              {"n":"current","t":-1,"v":1.6},
              {"n":"current","v":1.7}
            ]
            """#, multiple
        ),
        (
            #"""
            [
              {"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":21.2},
              {"t":10,"v":21.3},
              {"t":92,"v":21.5}
            ]
            """#,
            #"""
            [{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","v":21.2,"t":1320067464},
            {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","v":21.3,"t":1320067474},
            {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","v":21.5,"t":1320067556}]
            """#
        ),
        (
            #"""
            [
              {"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
              {"u":"lon","v":24.30621},
              {"u":"lat","v":60.07965},
              {"t":60,"v":20.3},
              {"u":"lon","t":60,"v":24.30622},
              {"u":"%EL","t":150,"v":98}
            ]
            """#,
            #"""
            [{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","v":20,"t":1320067464},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lon","v":24.30621,"t":1320067464},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lat","v":60.07965,"t":1320067464},
            {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","v":20.3,"t":1320067524},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lon","v":24.30622,"t":1320067524},
            {"n":"urn:dev:ow:10e2073a01080063","u":"%EL","v":98,"t":1320067614}]
            """#
        ),
        (
            #"""
            [
              {"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},
              {"n":"label","vs":"Machine Room"},
              {"n":"open","vb":false},
              {"n":"nfc-reader","vd":"aGkgCg"}
            ]
            """#,
            #"""
            [{"n":"urn:dev:ow:10e2073a01080063:temp","u":"Cel","v":23.1,"t":1704067210.25},
            {"n":"urn:dev:ow:10e2073a01080063:label","vs":"Machine Room","t":1704067210.25},
            {"n":"urn:dev:ow:10e2073a01080063:open","vb":false,"t":1704067210.25},
            {"n":"urn:dev:ow:10e2073a01080063:nfc-reader","vd":"aGkgCg","t":1704067210.25}]
            """#
        ),
        (
            #"""
            [
              {"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},
              {"n":"humidity","u":"%RH","v":30},
              {"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},
              {"n":"humidity","u":"%RH","v":67}
            ]
            """#,
            #"""
            [{"n":"2001:db8::2/temperature","u":"Cel","v":25.2,"t":1320078429},
            {"n":"2001:db8::2/humidity","u":"%RH","v":30,"t":1320078429},
            {"n":"2001:db8::1/temperature","u":"Cel","v":12.3,"t":1320078429},
            {"n":"2001:db8::1/humidity","u":"%RH","v":67,"t":1320078429}]
            """#
        ),
        // A first record that only sets a base name, and lights that are to go off a little later.
        (
            #"[{"bn":"urn:dev:ow:10e2073a01080063:"},{"n":"temp","u":"Cel","v":23.1},{"n":"heat","u":"/","v":1},{"n":"fan","u":"/","v":0}]"#,
            #"""
            [{"n":"urn:dev:ow:10e2073a01080063:temp","u":"Cel","v":23.1,"t":1704067210.25},
            {"n":"urn:dev:ow:10e2073a01080063:heat","u":"/","v":1,"t":1704067210.25},
            {"n":"urn:dev:ow:10e2073a01080063:fan","u":"/","v":0,"t":1704067210.25}]
            """#
        ),
        (
            #"[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":0.5},{"n":"2001:db8::4","v":0.5},{"n":"2001:db8::3","t":0.1,"v":0}]"#,
            #"""
            [{"n":"2001:db8::3","u":"/","v":0.5,"t":1320078429},
            {"n":"2001:db8::4","u":"/","v":0.5,"t":1320078429},
            {"n":"2001:db8::3","u":"/","v":0,"t":1320078429.1}]
            """#
        ),
    ]

    static let multiple = #"""
        [{"n":"urn:dev:ow:10e2073a0108006:voltage","u":"V","v":120.1,"t":1276020076.001},
        {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","v":1.2,"t":1276020071.001},
        {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","v":1.3,"t":1276020072.001},
        {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","v":1.4,"t":1276020073.001},
        {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","v":1.5,"t":1276020074.001},
        {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","v":1.6,"t":1276020075.001},
        {"n":"urn:dev:ow:10e2073a0108006:current","u":"A","v":1.7,"t":1276020076.001}]
        """#

    @Test("The examples of RFC 8428 give their resolved records", arguments: examples)
    func example(pack: String, records: String) throws {
        #expect(try Self.records(pack) == records)
    }

    @Test("The example of RFC 8428 §6, the same records in CBOR, gives the same")
    func cborExample() throws {
        let hex = """
            87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00106223614120050067766f6c7461676501615602fb
            405e066666666666a3006763757272656e74062402fb3ff3333333333333a3006763757272656e74062302fb3ff4cccccccccccda3006763757272656e
            74062202fb3ff6666666666666a3006763757272656e74062102f93e00a3006763757272656e74062002fb3ff999999999999aa3006763757272656e74
            060002fb3ffb333333333333
            """
        #expect(try jsonText(hex: hex, Self.senML).replacing("},{", with: "},\n{") == Self.multiple)
    }

    @Test("Every field of CBOR has its number; bytes are base64url, and text labels are read too")
    func cborLabels() throws {
        // [{-1: 10, -2: "a", -5: 1, -6: 2, 0: "b", 1: "V", 2: 3, 5: 4, 6: -10, 7: 60}, {0: "c", 8: h'fbff'}, {"n": "d", 4: true}, {0: "e", 3: "x"}]
        let hex = """
            84 aa 200a 216161 2401 2502 006162 016156 0203 0504 0629 07183c  a2 006163 0842fbff  a2 616e6164 04f5  a2 006165 036178
            """
        let text = #"""
            [{"n":"ab","u":"V","v":4,"s":6,"t":1704067200.25,"ut":60},{"n":"ac","vd":"-_8","s":2,"t":1704067210.25},
            """#.trimmingNewline
        #expect(
            try jsonText(hex: hex, Self.senML) == text
                + #"{"n":"ad","vb":true,"s":2,"t":1704067210.25},{"n":"ae","vs":"x","s":2,"t":1704067210.25}]"#)
        // With the tag that says what CBOR is, and in an array of indefinite length.
        #expect(try jsonText(hex: "d9d9f7 9f a2 006161 0201 ff", Self.senML) == #"[{"n":"a","v":1,"t":1704067210.25}]"#)
        // Numbers are labels in CBOR only.
        #expect(refusal(Array(#"[{"0":"a","v":1}]"#.utf8), Self.senML) == "record 1: there is no name")
    }

    @Test(
        "Base values are added exactly, in decimal",
        arguments: [
            (#"[{"bn":"a","bt":1.276020076001e+09,"t":-5,"v":1}]"#, #"{"n":"a","v":1,"t":1276020071.001}"#),
            (#"[{"n":"a","bv":0.1,"v":0.2}]"#, #"{"n":"a","v":0.3,"t":1704067210.25}"#),
            (#"[{"n":"a","bv":20.30}]"#, #"{"n":"a","v":20.30,"t":1704067210.25}"#),
            (
                #"[{"n":"a","bv":9007199254740993,"v":0.5,"bs":1e3,"s":-0.001}]"#,
                #"{"n":"a","v":9007199254740993.5,"s":999.999,"t":1704067210.25}"#
            ),
            (#"[{"n":"a","bv":1,"vs":"x"}]"#, #"{"n":"a","vs":"x","t":1704067210.25}"#),
            (#"[{"n":"a","bs":1,"vb":true}]"#, #"{"n":"a","vb":true,"s":1,"t":1704067210.25}"#),
            (#"[{"n":"a","v":1e400}]"#, #"{"n":"a","v":1e400,"t":1704067210.25}"#),
            (#"[{"n":"a","s":5}]"#, #"{"n":"a","s":5,"t":1704067210.25}"#),
            // Times below 2²⁸ count from the time of receipt, negative ones always.
            (#"[{"n":"a","v":1,"t":-10.25}]"#, #"{"n":"a","v":1,"t":1704067200.00}"#),
            (#"[{"n":"a","v":1,"t":268435455.5}]"#, #"{"n":"a","v":1,"t":1972502665.75}"#),
            (#"[{"n":"a","v":1,"t":268435456}]"#, #"{"n":"a","v":1,"t":268435456}"#),
            (#"[{"n":"a","v":1,"t":-1000000000}]"#, #"{"n":"a","v":1,"t":704067210.25}"#),
            (#"[{"n":"a","v":1,"bt":268435455,"t":1}]"#, #"{"n":"a","v":1,"t":268435456}"#),
            // Escapes, fields that nobody knows, repeated fields, a unit in place of the base unit.
            (
                #"[{"bn":"http:\/\/a\/","n":"\u0062","vs":"\u00e9\n\"","l":[1],"x_y":null}]"#,
                #"{"n":"http://a/b","vs":"\u00e9\n\"","t":1704067210.25}"#
            ),
            (#"[{"n":"a","v":1,"v":2,"bu":"V"}]"#, #"{"n":"a","u":"V","v":2,"t":1704067210.25}"#),
            (#"[{"\u006e":"a","v":1}]"#, #"{"n":"a","v":1,"t":1704067210.25}"#),
        ])
    func sums(pack: String, record: String) throws {
        #expect(try Self.records(pack) == "[\(record)]")
    }

    @Test("Records without a measurement are left out", arguments: ["[]", "[{}]", #"[{"bn":"a","bv":1}]"#, #"[{"n":"a","u":"V","t":1}]"#])
    func nothing(pack: String) throws {
        #expect(try Self.records(pack) == "[]")
    }

    @Test(
        "What the RFC does not allow is refused",
        arguments: [
            ("{}", "the payload is not an array of records"), ("[1]", "record 1: not an object"),
            (#"[{"v":1}]"#, "record 1: there is no name"),
            (#"[{"n":"","v":1}]"#, "record 1: there is no name"),
            (#"[{"n":"a","v":1},{"n":"a","v":"1"}]"#, "record 2: field v is not a number"),
            (#"[{"n":"a","v":null}]"#, "record 1: field v is not a number"), (#"[{"n":1,"v":1}]"#, "record 1: field n is not text"),
            (#"[{"n":"a","vb":1}]"#, "record 1: field vb is not true or false"),
            (#"[{"n":"a","vs":true}]"#, "record 1: field vs is not text"),
            (#"[{"n":"a","v":1,"vs":"x"}]"#, "record 1: more than one of v, vs, vb and vd"),
            (#"[{"n":"a","v":1,"x_":1}]"#, "record 1: a field whose label ends with _ must be understood, and is not known"),
            (#"[{"n":"a","v":1,"x\u005f":1}]"#, "record 1: a field whose label ends with _ must be understood, and is not known"),
            (#"[{"bver":11,"n":"a","v":1}]"#, "record 1: bver is not a version from 1 to 10"),
            (#"[{"bver":5.5}]"#, "record 1: bver is not a version from 1 to 10"),
            (#"[{"bver":0}]"#, "record 1: bver is not a version from 1 to 10"),
            (#"[{"n":"a","v":1,"bt":1e38,"t":0.5}]"#, "record 1: field t and its base value have more than 38 digits together"),
            (
                #"[{"n":"a","bv":1234567890123456789012345678901234567890,"v":1}]"#,
                "record 1: field bv and its base value have more than 38 digits together"
            ), ("[1", "unexpected end of the text at byte 2"), ("", "unexpected end of the text at byte 0"),
        ])
    func refused(pack: String, words: String) {
        #expect(refusal(Array(pack.utf8), Self.senML) == words)
    }

    @Test(
        "Only the characters that the RFC names stand in a name, a letter or a digit first",
        arguments: ["_a", "-a", ":a", "/a", ".a", "a b", "a#", "ä", "a\\u0000"])
    func names(name: String) {
        #expect(refusal(Array(#"[{"n":"\#(name)","v":1}]"#.utf8), Self.senML).hasPrefix("record 1: a name with the byte 0x"))
        #expect(
            refusal(Array(#"[{"bn":"x","n":"\#(name)","v":1}]"#.utf8), Self.senML).hasPrefix("accepted")
                == (name.utf8.first != 0x61 && name != "ä"))
    }

    @Test("A long base name before many records ends at the limit")
    func limit() {
        let pack = #"[{"bn":"\#(String(repeating: "a", count: 10_000))"}"# + String(repeating: #",{"v":1}"#, count: 10_000) + "]"
        let words = refusal(Array(pack.utf8), Self.senML, limits: TreeLimits(maximumTextBytes: 1_000_000))
        #expect(words == "more than 1000000 bytes of resolved records")
    }
}

extension String {
    fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}

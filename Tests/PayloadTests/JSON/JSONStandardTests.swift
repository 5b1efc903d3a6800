import Payload
import Testing

/// RFC 8259, section by section: what must be accepted, what is no JSON, and what the standard leaves open, with our answer.
@Suite("What RFC 8259 says is accepted and refused")
struct JSONStandardTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var what: String
        var bytes: [UInt8]

        init(_ what: String, _ text: String) { (self.what, bytes) = (what, Array(text.utf8)) }
        init(_ what: String, hex: String) { (self.what, bytes) = (what, PayloadTests.bytes(hex: hex)) }

        var testDescription: String { what }
    }

    @Test(
        "it is JSON",
        arguments: [
            // §2: any value stands alone, white space around every token
            Case("a lone null", "null"), Case("a lone true", "true"), Case("a lone false", "false"), Case("a lone number", "42"),
            Case("a lone negative number", "-0.1"), Case("a lone string", "\"asd\""), Case("a lone empty string", "\"\""),
            Case("space in front and behind", " [] "), Case("a line end behind", "[\"a\"]\n"),
            Case("all four kinds of space", "\t\n\r [ \t\n\r ] \t\n\r "),
            Case("space around colons and commas", "{ \"a\" \n:\t1 ,\r\"b\" : 2 }"), Case("a line end as CR LF", "[1,\r\n2]\r\n"),
            // §3
            Case("all three words", "[true,false,null]"),
            // §4: names are strings, and need not be unique
            Case("an empty object", "{}"), Case("an empty name", "{\"\":0}"), Case("a name twice", "{\"a\":1,\"a\":2}"),
            Case("a name twice with one value", "{\"a\":1,\"a\":1}"), Case("an escaped name", "{\"\\u0061\":1}"),
            Case("a name with NUL", "{\"a\\u0000b\":1}"),
            Case("a long name", "{\"\(String(repeating: "x", count: 5000))\":[{\"id\":1}]}"),
            Case("many members", "{\"a\":[],\"b\":{},\"c\":null,\"d\":1}"),
            // §5
            Case("an empty array", "[]"), Case("values of every kind", "[null,1,\"1\",{},[],true]"),
            Case("arrays in arrays", "[[[[]],[]]]"),
            Case("nulls", "[1,null,null,null,2]"),
            // §6
            Case("zero", "[0]"), Case("minus zero", "[-0]"), Case("minus zero with a fraction", "[-0.0]"),
            Case("zero with an exponent", "[0e+1]"),
            Case("zero with E", "[0E1]"), Case("minus one", "[-1]"), Case("a fraction", "[123.456789]"), Case("an exponent", "[123e65]"),
            Case("E", "[1E22]"), Case("E-", "[1E-2]"), Case("E+", "[1E+2]"), Case("a fraction and an exponent", "[123.456e78]"),
            Case("an exponent with zeros in front", "[1e0005]"),
            Case("many zeros of a fraction", "[-0.00000000000000000000000000000000000000000000000000001]"),
            Case("as many digits as one likes", "[\(String(repeating: "7", count: 3000))]"),
            // §7
            Case("every short escape", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
            Case("an escape in lower and upper case", "[\"\\u00e9\\u00E9\"]"),
            Case("a surrogate pair", "[\"\\uD801\\udc37\"]"), Case("two surrogate pairs", "[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
            Case("an escaped backslash before u", "[\"\\\\u0000\"]"), Case("an escaped quote at the end", "[\"\\\"\"]"),
            Case("DEL", "[\"\u{7F}\"]"),
            Case("an escaped NUL", "[\"\\u0000\"]"), Case("an escaped control character", "[\"\\u0012\"]"),
            Case("an escaped non-character", "[\"\\uFFFE\"]"),
            Case("U+2028 and U+2029 as they are", "[\"\u{2028}\u{2029}\"]"), Case("a comment in a string", "[\"a/*b*/c//d\"]"),
            Case("brackets in a string", "[\"}]{[\"]"), Case("a non-character as it is", "[\"\u{FFFF}\u{10FFFF}\"]"),
            Case("U+FEFF in a string", "[\"\u{FEFF}\"]"),
            // §8.1
            Case("sequences of two, three and four bytes", "[\"é€😀\"]"),
            Case("characters that join others", "[\"e\u{301}\u{1F468}\u{200D}\u{1F469}\"]"),
        ])
    func isJSON(_ one: Case) { #expect(failure(one.bytes) == nil) }

    @Test(
        "it is no JSON",
        arguments: [
            // §2
            Case("nothing", ""), Case("space alone", " "), Case("no-break space", "[\u{A0}]"), Case("a form feed", "[\u{C}]"),
            Case("a vertical tab", "[\u{B}]"),
            Case("word joiner", "[\u{2060}]"), Case("a byte order mark behind", "[]\u{FEFF}"), Case("a byte order mark alone", "\u{FEFF}"),
            Case("NUL behind", "123\u{0}"), Case("NUL between", "[1,\u{0}2]"), Case("two values", "[][]"),
            Case("two values with space", "1 2"),
            Case("a bracket too many", "[1]]"), Case("a brace too many", "{}}"), Case("text behind", "[] x"),
            Case("a hash behind", "{\"a\":\"b\"}#{}"),
            Case("a comment", "[1]/* x */"), Case("a comment to the end of the line", "[1]// x"), Case("half a comment", "[/"),
            Case("an asterisk", "*"),
            Case("an angle bracket", "<null>"), Case("a colon", ":"), Case("a comma", ","), Case("a closing bracket", "]"),
            Case("an opening brace", "{"),
            Case("half an array", "["), Case("half an object", "{\"a\":"), Case("an object closed as an array", "{\"a\":1]"),
            Case("an array closed as an object", "[1}"),
            Case("a Unicode quote", "[“a”]"), Case("a lone letter", "å"),
            // §3
            Case("capital words", "[True]"), Case("half a word", "[nul]"), Case("a word that goes on", "[nullx]"),
            Case("words together", "[truefalse]"),
            Case("undefined", "[undefined]"),
            // §4
            Case("a comma behind the last member", "{\"id\":0,}"), Case("two commas behind", "{\"id\":0,,}"),
            Case("a comma in front", "{,\"a\":1}"),
            Case("no colon", "{\"a\" 1}"), Case("two colons", "{\"a\"::1}"), Case("a comma for the colon", "{\"a\",1}"),
            Case("no value", "{\"a\":}"),
            Case("a name alone", "{\"a\"}"), Case("no name", "{:1}"), Case("no quotes around the name", "{a:1}"),
            Case("single quotes", "{'a':1}"),
            Case("a number as a name", "{1:1}"), Case("null as a name", "{null:1}"), Case("an array as a name", "{[]:1}"),
            Case("no comma", "{\"a\":1 \"b\":2}"),
            Case("a string for a member", "{\"a\":\"b\" \"c\"}"), Case("two values for a name", "{\"a\":1 2}"),
            // §5
            Case("a comma behind the last item", "[1,]"), Case("two commas", "[1,,2]"), Case("a comma alone", "[,]"),
            Case("a comma in front", "[,1]"),
            Case("no comma between", "[1 2]"), Case("a colon", "[1:2]"), Case("an array in an array that ends early", "[[1]"),
            Case("a semicolon", "[1;2]"),
            // §6
            Case("a plus", "[+1]"), Case("two minuses", "[--1]"), Case("a minus alone", "[-]"), Case("a minus and a space", "[- 1]"),
            Case("a minus and a word", "[-foo]"),
            Case("a zero in front", "[012]"), Case("a minus and a zero in front", "[-012]"), Case("two zeros", "[00]"),
            Case("a point in front", "[.5]"),
            Case("a minus and a point", "[-.5]"), Case("a point behind", "[1.]"), Case("a point before E", "[1.e1]"),
            Case("two points", "[1.2.3]"),
            Case("no exponent", "[1e]"), Case("no exponent behind a sign", "[1e+]"), Case("two exponents", "[1e1e1]"),
            Case("a fraction of an exponent", "[1e1.5]"),
            Case("E alone", "[e1]"), Case("hexadecimal", "[0x42]"), Case("octal", "[0o7]"), Case("a letter behind", "[1a]"),
            Case("infinity", "[Infinity]"),
            Case("minus infinity", "[-Infinity]"), Case("nan", "[NaN]"), Case("inf", "[inf]"), Case("an underscore", "[1_000]"),
            Case("a comma as point", "1,5"),
            Case("full-width digits", "[１]"), Case("an expression", "[1+2]"), Case("a minus behind", "[1-]"),
            Case("a space within", "[1 000]"),
            // §7
            Case("no end", "[\"a"), Case("an escaped end", "[\"\\\"]"), Case("a backslash at the end", "[\"\\"),
            Case("a line end within", "[\"a\nb\"]"),
            Case("a tab within", "[\"\t\"]"), Case("NUL within", "[\"a\u{0}a\"]"), Case("U+001F within", "[\"\u{1F}\"]"),
            Case("\\x", "[\"\\x00\"]"),
            Case("\\a", "[\"\\a\"]"), Case("\\'", "[\"\\'\"]"), Case("\\U", "[\"\\U0041\"]"),
            Case("a backslash and a line end", "[\"\\\n\"]"),
            Case("a backslash and a letter of two bytes", "[\"\\é\"]"), Case("\\u with three digits", "[\"\\u00A\"]"),
            Case("\\u with a letter", "[\"\\u00g0\"]"),
            Case("\\u at the end", "[\"\\u"), Case("half a pair at the end", "[\"\\uD800\\u"),
            Case("half a pair with three digits", "[\"\\uD800\\u1\"]"),
            Case("single quotes", "['a']"), Case("no quotes", "[abc]"), Case("a backslash outside", "[\\n]"),
            Case("an escape outside", "[\\u0020\"a\"]"),
            // §8.1: UTF-8, and nothing else
            Case("a lone continuation byte", hex: "5B 22 80 22 5D"), Case("Latin-1", hex: "5B 22 E9 22 5D"),
            Case("two bytes for one (overlong)", hex: "5B 22 C0 AF 22 5D"),
            Case("six bytes", hex: "5B 22 FC 83 BF BF BF BF 22 5D"), Case("half a sequence", hex: "5B 22 E0 FF 22 5D"),
            Case("a sequence cut off", hex: "5B 22 E2 82"),
            Case("a surrogate in UTF-8", hex: "5B 22 ED A0 80 22 5D"), Case("beyond U+10FFFF", hex: "5B 22 F4 90 80 80 22 5D"),
            Case("a byte that is none", hex: "FF"),
            Case("wrong bytes outside strings", hex: "5B E5 5D"), Case("wrong bytes behind", hex: "5B 5D E5"),
            Case("UTF-16, big-endian", hex: "00 5B 00 5D"),
            Case("UTF-16, little-endian", hex: "5B 00 5D 00"), Case("UTF-16 with its mark", hex: "FF FE 5B 00 5D 00"),
            Case("UTF-32", hex: "5B 00 00 00 5D 00 00 00"),
            Case("half a byte order mark", hex: "EF BB 7B 7D"),
        ])
    func isNotJSON(_ one: Case) { #expect(failure(one.bytes) != nil) }

    @Test(
        "what the standard leaves open is refused where PostgreSQL could not store it",
        arguments: [
            // §8.1 lets a parser ignore a mark: in front of a message it is the sign of a file.
            (Case("a byte order mark in front", "\u{FEFF}{}"), JSONError.Reason.byteOrderMark),
            // §8.2: the behaviour of software that meets half a pair is unpredictable. Neither text nor jsonb holds one.
            (Case("half a pair, the first", "[\"\\uD800\"]"), .loneSurrogate(0xD800)),
            (Case("half a pair, the second", "[\"\\uDFAA\"]"), .loneSurrogate(0xDFAA)),
            (Case("a pair the wrong way round", "[\"\\uDD1E\\uD834\"]"), .loneSurrogate(0xDD1E)),
            (Case("two first halves", "[\"\\uD800\\uD800\\n\"]"), .loneSurrogate(0xD800)),
            (Case("half a pair and a letter", "[\"\\uD800abc\"]"), .loneSurrogate(0xD800)),
            (Case("half a pair in a name", "{\"\\uDFAA\":0}"), .loneSurrogate(0xDFAA)),
            // §9: a limit of depth.
            (Case("65 levels", String(repeating: "[", count: 65) + String(repeating: "]", count: 65)), .tooDeep(levels: 64)),
            (Case("100,000 levels that never end", String(repeating: "[", count: 100_000)), .tooDeep(levels: 64)),
        ])
    func isLeftOpenAndRefused(_ one: Case, reason: JSONError.Reason) { #expect(failure(one.bytes)?.reason == reason) }

    /// §6 and §9 let a parser limit numbers and strings. We read every number exactly, whatever its size, and the column decides.
    @Test(
        "what the standard leaves open is accepted where a column decides",
        arguments: [
            Case("64 levels", String(repeating: "[", count: 64) + String(repeating: "]", count: 64)), Case("beyond a double", "[1e400]"),
            Case("nearly nothing", "[123e-10000000]"),
            Case("an exponent beyond 64 bits", "[0.4e00669999999999999999999999999999999999999999999999999999]"),
            Case("beyond 64 bits", "[-123123123123123123123123123123]"),
            Case("a name twice with other types", "{\"a\":1,\"a\":[]}"),
            Case("an escaped NUL in a value that is not read", "{\"a\":\"\\u0000\"}"),
        ])
    func isLeftOpenAndAccepted(_ one: Case) { #expect(failure(one.bytes) == nil) }
}

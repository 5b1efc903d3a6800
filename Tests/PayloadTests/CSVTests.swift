import Testing

@testable import Payload

@Suite("CSV")
struct CSVTests {
    private func cells(_ text: String, _ options: CSVOptions = CSVOptions()) throws -> [[String]] {
        var scratch = ScratchMemory()
        return try Array(text.utf8).withUnsafeBytes { bytes in
            var reader = try CSVReader(bytes, options: options)
            var lines: [[String]] = []
            while true {
                var line: [String] = []
                guard try reader.nextLine(scratch: &scratch, cell: { line.append(String(decoding: $1.bytes, as: UTF8.self)) }) else {
                    return lines
                }
                lines.append(line)
            }
        }
    }

    @Test(
        "lines and cells",
        arguments: [
            ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]), ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]), ("a\rb\r", [["a"], ["b"]]),
            ("a,,\n", [["a", "", ""]]), (",\n", [["", ""]]), ("\n\n a , b \n \n", [["a", "b"]]), ("\u{FEFF}a\n", [["a"]]),
            (#""a,b","c""d""#, [["a,b", "c\"d"]]), ("\"a\nb\",c\n", [["a\nb", "c"]]), (#""a"b,c"#, [["ab", "c"]]),
            (#"a"b,c"#, [[#"a"b"#, "c"]]),
            (#""","x""#, [["", "x"]]), ("", []),
        ] as [(String, [[String]])])
    func lines(text: String, lines: [[String]]) throws { #expect(try cells(text) == lines) }

    @Test("delimiter, comments and skipped lines")
    func options() throws {
        let options = CSVOptions(delimiter: UInt8(ascii: ";"), comment: Array("#".utf8), skipLines: 1)
        #expect(try cells("# no\nskipped;1\n#no\na;b,c\n", options) == [["a", "b,c"]])
    }

    @Test("a quoted cell that does not end is an error with its line; so is text that is no UTF-8")
    func errors() {
        #expect(throws: CSVError.unterminatedQuote(line: 2)) { try cells("a\n\"b") }
        #expect(throws: CSVError.unterminatedQuote(line: 1)) { try cells("\"a\"\"") }
        [0xFF as UInt8].withUnsafeBytes { bytes in
            _ = #expect(throws: CSVError.notUTF8) { _ = try CSVReader(bytes, options: CSVOptions()) }
        }
    }

    @Test("cells are found by place, by the names of the first line, and in pairs")
    func names() throws {
        func read(_ text: String, _ options: CSVOptions, _ paths: [String]) throws -> [[String]] {
            let document = CSVDocument(options: options, paths: paths, slots: Array(paths.indices), slotCount: paths.count)
            let slots = UnsafeMutablePointer<Value>.allocate(capacity: paths.count)
            defer { slots.deallocate() }
            var scratch = ScratchMemory()
            return try Array(text.utf8).withUnsafeBytes { bytes in
                var lines = try CSVDocument.Lines(document, bytes, scratch: &scratch)
                var result: [[String]] = []
                while try lines.next(scratch: &scratch, into: slots) { result.append(paths.indices.map { words(slots[$0]) }) }
                return result
            }
        }
        #expect(
            try read("x,y\n1,2\n3\n", CSVOptions(header: .firstLine), ["y", "x", "0", "z"]) == [
                ["'2'", "'1'", "'1'", "missing"], ["missing", "'3'", "'3'", "missing"],
            ])
        #expect(try read("1,2\n", CSVOptions(header: .names(["x", "y"])), ["y", "1"]) == [["'2'", "'2'"]])
        #expect(try read("id,a,1,b,2\n", CSVOptions(pairsFrom: 1), ["0", "b"]) == [["'id'", "'2'"]])
        #expect(throws: CSVError.noHeader) { try read("\n", CSVOptions(header: .firstLine), ["x"]) }
    }
}

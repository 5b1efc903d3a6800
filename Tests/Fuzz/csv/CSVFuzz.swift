import FuzzSupport
import Payload

/// The last two bytes of an input say how the rest, a CSV text, is read.
@main
struct CSVFuzz {
    private static let paths = ["0", "2", "a", "b", "temp", "1", ""]
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = CSVFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        // The usual options follow from what ends a text file.
        let (look, rules) = (input.byte(), input.byte())
        let options = CSVOptions(
            delimiter: look & 0x10 != 0 ? 0x09 : UInt8(ascii: look & 0x20 != 0 ? ";" : ","),
            quote: UInt8(ascii: look & 0x40 != 0 ? "'" : "\""),
            header: rules & 0x80 != 0 ? .firstLine : rules & 0x40 != 0 ? .names(["a", "temp", "a"]) : .none,
            comment: rules & 0x04 != 0 ? Array("#".utf8) : rules & 0x10 != 0 ? Array("//".utf8) : [],
            skipLines: Int(rules & 3), pairsFrom: look & 0x80 != 0 ? Int(look & 3) : nil)
        let text = memory.lay(input.rest, atFront: look & 4 != 0)
        let reference = Result { () throws(CSVError) in try ReferenceCSV.lines(Array(text), options) }
        cells(text, options, reference)
        document(text, options, try? reference.get())
    }

    // MARK: Lines and cells

    private func read(_ text: UnsafeRawBufferPointer, _ options: CSVOptions, isText: Bool) throws(CSVError) -> [[[UInt8]]] {
        var scratch = ScratchMemory(chunkBytes: 64)
        var reader = try CSVReader(text, options: options)
        var lines: [[[UInt8]]] = []
        var places: [(Value, [UInt8])] = []
        while true {
            var line: [[UInt8]] = []
            let isThere = try reader.nextLine(scratch: &scratch) { index, value in
                claim(index == line.count && value.kind == .string, "cell \(index) of \(line.count), \(value.kind)")
                if isText { places.append((value, Array(value.bytes))) }
                line.append(Array(value.bytes))
            }
            guard isThere else { break }
            claim(!line.isEmpty, "a line without a cell")
            lines.append(line)
        }
        for (value, bytes) in places { claim(value.bytes.elementsEqual(bytes), "a cell has changed while others were read") }
        return lines
    }

    private func cells(_ text: UnsafeRawBufferPointer, _ options: CSVOptions, _ reference: Result<[[[UInt8]]], CSVError>) {
        let read = Result { () throws(CSVError) in try self.read(text, options, isText: true) }
        // A CR alone within quotes is no line end to the reader.
        let hasLoneReturn = zip(text, text.dropFirst() + [0]).contains { $0 == 0x0D && $1 != 0x0A }
        if !hasLoneReturn || (try? read.get()) != nil { claim(read == reference, "read as \(read) instead of \(reference)") }
        guard let lines = try? read.get() else { return claim((try? reference.get()) == nil, "refused, and is CSV") }

        // Written with every cell quoted, the same lines come back.
        var written: [UInt8] = []
        for line in lines {
            for (index, cell) in line.enumerated() {
                if index > 0 { written.append(options.delimiter) }
                written.append(options.quote)
                for byte in cell { written += byte == options.quote ? [byte, byte] : [byte] }
                written.append(options.quote)
            }
            written.append(0x0A)
        }
        let plain = CSVOptions(delimiter: options.delimiter, quote: options.quote)
        let again = written.withUnsafeBytes { try? self.read($0, plain, isText: false) }
        claim(again == lines, "after writing, \(shown(lines)) is \(again.map(shown) ?? "an error")")
    }

    private func shown(_ lines: [[[UInt8]]]) -> String { "\(lines.map { $0.map { String(decoding: $0, as: UTF8.self) } })" }

    // MARK: Slots

    private func document(_ text: UnsafeRawBufferPointer, _ options: CSVOptions, _ reference: [[[UInt8]]]?) {
        let document = CSVDocument(options: options, paths: Self.paths, slots: Array(Self.paths.indices), slotCount: Self.paths.count)
        let slots = UnsafeMutablePointer<Value>.allocate(capacity: Self.paths.count)
        defer { slots.deallocate() }
        var scratch = ScratchMemory()
        var lines = reference ?? []
        do throws(CSVError) {
            var rows = try CSVDocument.Lines(document, text, scratch: &scratch)
            let header = options.header == .firstLine && !lines.isEmpty ? lines.removeFirst() : nil
            var index = 0
            while try rows.next(scratch: &scratch, into: slots) {
                claim(rows.lineIndex == index, "line \(index) counted as \(rows.lineIndex)")
                guard index < lines.count else { return claim(reference == nil, "a line too many") }
                for (path, slot) in zip(Self.paths, Self.paths.indices) {
                    guard let expected = expected(path, lines[index], header, options) else { continue }
                    let got = slots[slot].kind == .missing ? nil : Array(slots[slot].bytes)
                    claim(got == expected.cell, "'\(path)' of line \(index) is \(String(describing: got))")
                }
                index += 1
            }
            claim(index == lines.count, "\(index) lines of \(lines.count)")
        } catch {
            claim(reference == nil || (options.header == .firstLine && lines.isEmpty), "\(error), and the text is CSV")
        }
    }

    /// What a path leads to; nil where pairs and places mix and no answer is asked for.
    private func expected(
        _ path: String, _ line: [[UInt8]], _ header: [[UInt8]]?, _ options: CSVOptions
    ) -> (cell: [UInt8]?, Void)? {
        func cell(_ index: Int) -> (cell: [UInt8]?, Void) { (index < line.count ? line[index] : nil, ()) }
        // Of cells with one name the last that the line has; none has it where the line is too short for all.
        func named(_ names: [[UInt8]]) -> (cell: [UInt8]?, Void)? {
            let places = names.indices.filter { names[$0] == Array(path.utf8) }
            return places.isEmpty ? nil : (places.last { $0 < line.count }.map { line[$0] }, ())
        }
        if case .names(let names) = options.header, let cell = named(names.map { Array($0.utf8) }) { return cell }
        guard let first = options.pairsFrom else {
            if let header, let cell = named(header) { return cell }
            return Int(path).map(cell) ?? (nil, ())
        }
        guard header == nil, Int(path) == nil else { return nil }
        var found: [UInt8]?
        for place in stride(from: first, to: line.count - 1, by: 2) where line[place] == Array(path.utf8) { found = line[place + 1] }
        return (found, ())
    }
}

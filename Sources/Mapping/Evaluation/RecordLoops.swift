import CopyFormat
import Payload

// Loops: over items and members of JSON text, over lines, over records.
extension MappingRun {
    /// Runs the loops of a block from `level` on, and writes a row in the innermost.
    mutating func loop(
        _ level: Int, of block: CompiledBlock, _ evaluator: inout Evaluator, _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        iterations &+= 1
        guard iterations <= evaluator.limits.maximumIterations else {
            throw .because("the loops go over more than \(evaluator.limits.maximumIterations) items: a loop within a loop multiplies them")
        }
        guard level < block.loops.count else { return try writeRow(block, &evaluator, buffers) }
        let loop = block.loops[level]
        switch loop.items {
        case .values(let source): try loopValues(source, level, loop, of: block, &evaluator, buffers)
        case .csvLines(let document, let csv): try loopCSV(document, csv, level, loop, of: block, &evaluator, buffers)
        case .jsonLines(let document): try loopLines(document, level, loop, of: block, &evaluator, buffers)
        case .records(let document, let group, let wanted):
            try loopRecords(document, group, wanted, level, loop, of: block, &evaluator, buffers)
        case .taggedRecords(let document, let wanted): try loopTagged(document, wanted, level, loop, of: block, &evaluator, buffers)
        }
    }

    private mutating func loopValues(
        _ source: SlotSource, _ level: Int, _ loop: CompiledLoop, of block: CompiledBlock, _ evaluator: inout Evaluator,
        _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        let container = evaluator.value(of: source, slots)
        switch container.kind {
        case .missing, .null: return
        case .array, .object: break
        default: throw .because("\(loop.text): not an array or object")
        }
        let items = slots + loop.base
        var iterator = JSON.Items(container)
        var key = Value.missing
        var item = Value.missing
        var index: Int64 = 0
        while iterator.next(key: &key, item: &item, filling: loop.trie, into: items) {
            slots[loop.keySlot] = key
            slots[loop.indexSlot] = .integer(index)
            index &+= 1
            // Items that a test passes over cost time too.
            iterations &+= 1
            if loop.conditions.isEmpty || holds(loop.conditions, &evaluator) {
                try self.loop(level + 1, of: block, &evaluator, buffers)
            }
        }
    }

    /// An item that has an index and no key, its slots filled.
    private mutating func enter(
        _ index: Int, _ level: Int, _ loop: CompiledLoop, of block: CompiledBlock, _ evaluator: inout Evaluator,
        _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        iterations &+= 1
        slots[loop.keySlot] = .integer(Int64(index))
        slots[loop.indexSlot] = .integer(Int64(index))
        guard loop.conditions.isEmpty || holds(loop.conditions, &evaluator) else { return }
        try self.loop(level + 1, of: block, &evaluator, buffers)
    }

    /// The bytes of a document; nil where it is missing.
    private func bytes(of document: CompiledDocument) -> UnsafeRawBufferPointer? {
        let value = slots[document.bytesSlot]
        return value.kind == .bytes ? value.bytes : nil
    }

    // MARK: Lines

    private mutating func loopCSV(
        _ document: CompiledDocument, _ csv: CSVDocument, _ level: Int, _ loop: CompiledLoop, of block: CompiledBlock,
        _ evaluator: inout Evaluator, _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        guard let bytes = bytes(of: document) else { return }
        func lines(_ evaluator: inout Evaluator) throws(EvaluationError) -> CSVDocument.Lines {
            do throws(CSVError) {
                return try CSVDocument.Lines(csv, bytes, wholeBytesMax: evaluator.textBytesMax, scratch: &evaluator.scratch)
            } catch {
                throw wrong(document, error)
            }
        }
        var lines = try lines(&evaluator)
        var index = 0
        while true {
            do throws(CSVError) {
                guard try lines.next(scratch: &evaluator.scratch, into: slots + loop.base) else { return }
            } catch {
                throw wrong(document, error)
            }
            try enter(index, level, loop, of: block, &evaluator, buffers)
            index += 1
        }
    }

    private mutating func loopLines(
        _ document: CompiledDocument, _ level: Int, _ loop: CompiledLoop, of block: CompiledBlock, _ evaluator: inout Evaluator,
        _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        guard let bytes = bytes(of: document), case .json(let allowsNaN, _) = document.decode else { return }
        let options = JSON.Options(maximumDepth: evaluator.limits.maximumDepth, allowsNaN: allowsNaN)
        var lines = JSON.Lines(bytes)
        var index = 0
        while let line = lines.next() {
            do throws(JSONError) {
                // As a payload of its own; what is wrong with one line is wrong with the message, also where no check came before.
                try JSON.decode(line, options: options, trie: loop.trie, into: slots + loop.base)
            } catch {
                throw wrong(document, line: index + 1, error)
            }
            try enter(index, level, loop, of: block, &evaluator, buffers)
            index += 1
        }
    }

    // MARK: Records

    private mutating func loopRecords(
        _ document: CompiledDocument, _ group: Int, _ wanted: [Int], _ level: Int, _ loop: CompiledLoop, of block: CompiledBlock,
        _ evaluator: inout Evaluator, _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        guard let bytes = bytes(of: document), case .binary(let layout) = document.decode else { return }
        var count = 0
        do throws(BinaryError) { count = try layout.recordCount(of: group, in: bytes) } catch { throw wrong(document, error) }
        for record in 0..<count {
            do throws(BinaryError) {
                clear(loop)
                try layout.decodeRecord(record, of: group, in: bytes, wantedFields: wanted, into: slots + loop.base)
                let whole = Int(loop.trie.nodes[0].slot)
                if whole >= 0 {
                    slots[loop.base + whole] = try layout.object(
                        ofRecord: record, of: group, in: bytes, scratch: &evaluator.scratch)
                }
            } catch {
                throw wrong(document, error)
            }
            try enter(record, level, loop, of: block, &evaluator, buffers)
        }
    }

    private mutating func loopTagged(
        _ document: CompiledDocument, _ wanted: [[Int]?], _ level: Int, _ loop: CompiledLoop, of block: CompiledBlock,
        _ evaluator: inout Evaluator, _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        guard let bytes = bytes(of: document), case .binary(let layout) = document.decode, let tagged = layout.tagged else { return }
        var records = BinaryLayout.Records(tagged, bytes)
        var index = 0
        while true {
            do throws(BinaryError) {
                guard let record = try records.next() else { return }
                guard let wanted = wanted[record.type] else { continue }
                let fields = tagged.types[record.type].fields
                clear(loop)
                try layout.read(fields, of: record.bytes, wantedFields: wanted, into: slots + loop.base)
                let whole = Int(loop.trie.nodes[0].slot)
                if whole >= 0 {
                    slots[loop.base + whole] = try layout.object(of: fields, in: record.bytes, scratch: &evaluator.scratch)
                }
            } catch {
                throw wrong(document, error)
            }
            try enter(index, level, loop, of: block, &evaluator, buffers)
            index += 1
        }
    }

    private func clear(_ loop: CompiledLoop) {
        for slot in 0..<loop.trie.slotCount { slots[loop.base + slot] = .missing }
    }
}

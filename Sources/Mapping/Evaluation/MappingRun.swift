import CopyFormat
import Payload

/// One message on its way through one mapping: decode, blocks, loops, rows.
struct MappingRun {
    let mapping: CompiledMapping
    let index: Int
    let slots: UnsafeMutablePointer<Value>
    /// The payload; after `unpack` what that gave.
    var payload: UnsafeRawBufferPointer
    var rows = 0
    var noValues: UInt64 = 0
    var skippedRows: UInt64 = 0
    var nulledColumns: UInt64 = 0
    var wasFiltered = false
    private var rowBytes = 0
    /// An empty payload that makes a row: no loops, and the row is kept.
    private var isEmptyRow = false

    init(mapping: CompiledMapping, index: Int, slots: UnsafeMutablePointer<Value>, payload: UnsafeRawBufferPointer) {
        self.mapping = mapping
        self.index = index
        self.slots = slots
        self.payload = payload
    }

    mutating func evaluate(
        _ evaluator: inout Evaluator, _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        try decode(&evaluator)
        if !mapping.filter.isEmpty, !holds(mapping.filter, &evaluator) {
            wasFiltered = true
            return
        }
        var didTake = false
        for block in mapping.blocks {
            guard block.conditions.isEmpty || holds(block.conditions, &evaluator) else { continue }
            didTake = true
            if block.loops.isEmpty || isEmptyRow {
                if isEmptyRow { forgetItems(of: block) }
                try writeRow(block, &evaluator, buffers)
            } else {
                try loop(0, of: block, &evaluator, buffers)
            }
        }
        wasFiltered = !didTake
    }

    /// Without iterations the slots of a loop would still hold the last item of an earlier message.
    private func forgetItems(of block: CompiledBlock) {
        for loop in block.loops {
            slots[loop.keySlot] = .missing
            slots[loop.indexSlot] = .missing
            for slot in 0..<loop.trie.slotCount { slots[loop.base + slot] = .missing }
        }
    }

    // MARK: Decoding

    private mutating func decode(_ evaluator: inout Evaluator) throws(EvaluationError) {
        let document = slots + mapping.documentBase
        if payload.isEmpty {
            guard mapping.emptyPayload == .row else { throw .because("empty payload") }
            isEmptyRow = true
            for slot in 0..<mapping.document.slotCount { document[slot] = .missing }
            return
        }
        guard payload.count <= evaluator.limits.maximumPayloadBytes else {
            throw .because("the payload's \(payload.count) bytes are over decode.max_bytes (\(evaluator.limits.maximumPayloadBytes))")
        }
        if !mapping.unpack.isEmpty {
            payload = try evaluator.unpacked(payload, mapping.unpack)
            slots[FixedSlot.rawPayload.rawValue] = Value(kind: .bytes, bytes: payload)
        }
        switch mapping.decode {
        case .json(let allowsNaN, let lines):
            let options = JSON.Options(maximumDepth: evaluator.limits.maximumDepth, allowsNaN: allowsNaN)
            if lines { return try checkLines(options, document) }
            try decode(payload, options, document)
        case .msgpack, .cbor, .senml, .airvantage:
            guard let text = try evaluator.treeText(of: payload, mapping.decode) else { return }
            // Samples and records stand two levels deep in their list, whatever was around them in the payload.
            let options = JSON.Options(maximumDepth: evaluator.limits.maximumDepth + 2, allowsNaN: false)
            try decode(text, options, document)
        case .text:
            guard UTF8Text.isValid(payload) else { throw .because("decode text: the payload is not valid UTF-8") }
            fillRoot(document, Value(kind: .string, bytes: payload))
        case .bytes: fillRoot(document, Value(kind: .bytes, bytes: payload))
        case .csv: fillRoot(document, Value(kind: .list))
        case .binary(let layout):
            for slot in 0..<mapping.document.slotCount { document[slot] = .missing }
            guard let wants = mapping.binary else { return }
            do throws(BinaryError) {
                try layout.decode(payload, wantedFields: wants.fields, wantedGroups: wants.groups, into: slots)
            } catch {
                throw .because("decode binary: \(error)")
            }
        }
    }

    private func decode(
        _ text: UnsafeRawBufferPointer, _ options: JSON.Options, _ document: UnsafeMutablePointer<Value>
    ) throws(EvaluationError) {
        do throws(JSONError) {
            try JSON.decode(text, options: options, trie: mapping.document, into: document)
        } catch {
            throw .because("decode \(mapping.decode.name): \(error)")
        }
    }

    /// A payload without members: its only path is the root.
    private func fillRoot(_ document: UnsafeMutablePointer<Value>, _ value: Value) {
        for slot in 0..<mapping.document.slotCount { document[slot] = .missing }
        let root = mapping.document.nodes[0].slot
        if root >= 0 { document[Int(root)] = value }
    }

    private func checkLines(_ options: JSON.Options, _ document: UnsafeMutablePointer<Value>) throws(EvaluationError) {
        var lines = JSON.Lines(payload)
        var number = 0
        while let line = lines.next() {
            number += 1
            do throws(JSONError) { try JSON.validate(line, options: options) } catch {
                throw .because("decode json: document \(number): \(error)")
            }
        }
        fillRoot(document, Value(kind: .list, count: UInt32(truncatingIfNeeded: number)))
    }

    // MARK: Loops

    private mutating func loop(
        _ level: Int, of block: CompiledBlock, _ evaluator: inout Evaluator, _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        guard level < block.loops.count else { return try writeRow(block, &evaluator, buffers) }
        let loop = block.loops[level]
        let container = evaluator.value(of: loop.over, slots)
        let items = slots + loop.base
        switch container.kind {
        case .missing, .null: return
        case .array, .object:
            var iterator = JSON.Items(container)
            var key = Value.missing
            var item = Value.missing
            var index: Int64 = 0
            while iterator.next(key: &key, item: &item, filling: loop.trie, into: items) {
                slots[loop.keySlot] = key
                slots[loop.indexSlot] = .integer(index)
                index &+= 1
                if loop.conditions.isEmpty || holds(loop.conditions, &evaluator) {
                    try self.loop(level + 1, of: block, &evaluator, buffers)
                }
            }
        case .list: try loopList(level, loop, container, of: block, &evaluator, buffers)
        default: throw .because("\(loop.text): not an array or object")
        }
    }

    /// CSV lines, lines of JSON, records of a binary group.
    private mutating func loopList(
        _ level: Int, _ loop: CompiledLoop, _ container: Value, of block: CompiledBlock, _ evaluator: inout Evaluator,
        _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        let items = slots + loop.base
        var index: Int64 = 0
        func setPlace() {
            slots[loop.keySlot] = .integer(index)
            slots[loop.indexSlot] = .integer(index)
            index &+= 1
        }
        switch mapping.decode {
        case .csv:
            guard let csv = loop.csv else { return }
            do {
                var lines = try CSVDocument.Lines(csv, payload, scratch: &evaluator.scratch)
                while try lines.next(scratch: &evaluator.scratch, into: items) {
                    setPlace()
                    if loop.conditions.isEmpty || holds(loop.conditions, &evaluator) {
                        try self.loop(level + 1, of: block, &evaluator, buffers)
                    }
                }
            } catch let error as CSVError {
                throw .because("decode csv: \(error)")
            } catch let error as EvaluationError {
                throw error
            } catch {
                throw .because("decode csv: \(error)")
            }
        case .json:
            var lines = JSON.Lines(payload)
            while let line = lines.next() {
                do throws(JSONError) {
                    // Checked before; `decode` fills the slots as for a payload of its own.
                    try JSON.decode(line, options: jsonOptions(evaluator.limits), trie: loop.trie, into: items)
                } catch {
                    throw .because("decode json: \(error)")
                }
                setPlace()
                if loop.conditions.isEmpty || holds(loop.conditions, &evaluator) {
                    try self.loop(level + 1, of: block, &evaluator, buffers)
                }
            }
        case .binary(let layout):
            let group = Int(container.word)
            for record in 0..<Int(container.count) {
                for slot in 0..<loop.trie.slotCount { items[slot] = .missing }
                do throws(BinaryError) {
                    try layout.decodeRecord(record, of: group, in: payload, wantedFields: loop.groupWants[group], into: items)
                } catch {
                    throw .because("decode binary: \(error)")
                }
                setPlace()
                if loop.conditions.isEmpty || holds(loop.conditions, &evaluator) {
                    try self.loop(level + 1, of: block, &evaluator, buffers)
                }
            }
        // Their lists are JSON's.
        case .text, .bytes, .msgpack, .cbor, .senml, .airvantage: return
        }
    }

    private func jsonOptions(_ limits: EvaluationLimits) -> JSON.Options {
        if case .json(let allowsNaN, _) = mapping.decode {
            JSON.Options(maximumDepth: limits.maximumDepth, allowsNaN: allowsNaN)
        } else {
            JSON.Options()
        }
    }

    private func holds(_ conditions: [CompiledCondition], _ evaluator: inout Evaluator) -> Bool {
        for condition in conditions where !evaluator.passes(condition.test, evaluator.value(of: condition.source, slots)) { return false }
        return true
    }

    // MARK: Rows

    private mutating func writeRow(
        _ block: CompiledBlock, _ evaluator: inout Evaluator, _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) throws(EvaluationError) {
        let buffer = buffers + block.target
        let rowMark = buffer.pointee.mark
        let bytesBefore = buffer.pointee.count
        let scratchMark = evaluator.scratch.mark
        defer { evaluator.scratch.release(to: scratchMark) }
        if _fastPath(!block.isNumbered) {
            buffer.pointee.beginRow(fieldCount: block.columnCount)
        } else {
            buffer.pointee.beginRow(fieldCount: block.columnCount + 1)
            buffer.pointee.append(Int64(buffer.pointee.rowCount))
        }
        var hasValue = false
        for index in 0..<block.columnCount {
            let column = block.columns[index]
            let fieldMark = buffer.pointee.mark
            do throws(EvaluationError) {
                let isPresent = try evaluator.write(column, block.details, index, slots, into: buffer)
                if isPresent, column.steps.contains(.countsAsValue) { hasValue = true }
            } catch {
                switch column.policy {
                case .skipRow:
                    buffer.pointee.truncate(to: rowMark)
                    skippedRows += 1
                    return
                case .setNull where !column.steps.contains(.isNotNull) || column.steps.contains(.hasDefault):
                    buffer.pointee.truncate(to: fieldMark)
                    nulledColumns += 1
                    if column.steps.contains(.countsAsValue) { hasValue = true }
                    do throws(EvaluationError) {
                        try evaluator.writeDefault(column, block.details[index], into: buffer)
                    } catch {
                        throw EvaluationError(column: block.details[index].name, reason: error.reason)
                    }
                default: throw EvaluationError(column: block.details[index].name, reason: error.reason)
                }
            }
        }
        if block.hasCountedColumns, !hasValue, !block.keepEmpty, !isEmptyRow {
            buffer.pointee.truncate(to: rowMark)
            noValues += 1
            return
        }
        rows += 1
        rowBytes += buffer.pointee.count - bytesBefore
        guard rowBytes <= evaluator.limits.maximumRowBytes else {
            throw .because("the message makes more than \(evaluator.limits.maximumRowBytes) bytes of rows")
        }
    }
}

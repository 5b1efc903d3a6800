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
    /// Items that loops have come to.
    var iterations = 0
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
        do throws(EvaluationError) { try decode(&evaluator) } catch {
            if mapping.decode.needsOrder { evaluator.sparkplug.passOver() }
            throw error
        }
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
        let document = mapping.document
        if payload.isEmpty {
            guard mapping.emptyPayload == .row else { throw .because("empty payload") }
            isEmptyRow = true
            fillRoot(of: document, .null)
        } else {
            guard payload.count <= evaluator.limits.maximumPayloadBytes else {
                throw .because("the payload's \(payload.count) bytes are over decode.max_bytes (\(evaluator.limits.maximumPayloadBytes))")
            }
            if !document.unpack.isEmpty {
                payload = try evaluator.unpacked(payload, document.unpack)
                slots[document.bytesSlot] = Value(kind: .bytes, bytes: payload)
            }
            try fill(document, payload, &evaluator)
        }
        if !mapping.embeds.isEmpty { try decodeEmbeds(&evaluator) }
    }

    func holds(_ conditions: [CompiledCondition], _ evaluator: inout Evaluator) -> Bool {
        for condition in conditions where !evaluator.passes(condition.test, evaluator.value(of: condition.source, slots)) { return false }
        return true
    }

    // MARK: Rows

    mutating func writeRow(
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
                        throw error.inColumn(block.details[index])
                    }
                default: throw error.inColumn(block.details[index])
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

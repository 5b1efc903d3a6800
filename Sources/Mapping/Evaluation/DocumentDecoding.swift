import CopyFormat
import Payload
import Sparkplug

// Payloads into slots: the message's own, and those inside its fields.
extension MappingRun {
    /// Decodes a payload and fills the slots of all paths below its root.
    func fill(
        _ document: CompiledDocument, _ bytes: UnsafeRawBufferPointer, _ evaluator: inout Evaluator
    ) throws(EvaluationError) {
        switch document.decode {
        case .json(let allowsNaN, lines: false):
            try readText(bytes, of: document, JSON.Options(maximumDepth: evaluator.limits.maximumDepth, allowsNaN: allowsNaN))
        case .json(let allowsNaN, lines: true):
            if mapping.readsAllLines, document === mapping.document { return }
            try checkLines(bytes, of: document, JSON.Options(maximumDepth: evaluator.limits.maximumDepth, allowsNaN: allowsNaN))
            guard document.isWrittenAsText else { return }
            let options = JSON.Options(maximumDepth: evaluator.limits.maximumDepth + 1, allowsNaN: allowsNaN)
            try readText(JSON.Lines.array(bytes, scratch: &evaluator.scratch), of: document, options)
        case .text:
            guard UTF8Text.isValid(bytes) else { throw wrong(document, "the payload is not valid UTF-8") }
            fillRoot(of: document, Value(kind: .string, bytes: bytes))
        case .bytes: fillRoot(of: document, Value(kind: .bytes, bytes: bytes))
        case .csv(let options, _):
            guard document.isWrittenAsText else { return }
            do throws(CSVError) {
                JSON.fill(
                    try CSVDocument.array(bytes, options: options, bytesMax: evaluator.textBytesMax, scratch: &evaluator.scratch),
                    trie: document.trie, into: slots + document.base)
            } catch {
                throw wrong(document, error)
            }
        case .binary(let layout): try fill(document, layout, bytes, &evaluator)
        case .sparkplug:
            let text: UnsafeRawBufferPointer
            do throws(SparkplugError) { text = try evaluator.sparkplug.document(of: bytes) } catch { throw wrong(document, error) }
            // It is well-formed: only how deep it may be is the service's own.
            try readText(text, of: document, JSON.Options(maximumDepth: evaluator.limits.maximumDepth, allowsNaN: false))
        case .msgpack, .cbor, .senml, .airvantage:
            guard let text = try evaluator.treeText(of: bytes, document.decode) else { return }
            // Samples and records stand two levels deep in their list, whatever was around them in the payload.
            try readText(text, of: document, JSON.Options(maximumDepth: evaluator.limits.maximumDepth + 2, allowsNaN: false))
        }
    }

    private func fill(
        _ document: CompiledDocument, _ layout: BinaryLayout, _ bytes: UnsafeRawBufferPointer, _ evaluator: inout Evaluator
    ) throws(EvaluationError) {
        guard let wants = document.binary else { return }
        do throws(BinaryError) {
            if document.isWrittenAsText {
                JSON.fill(try layout.object(bytes, scratch: &evaluator.scratch), trie: document.trie, into: slots + document.base)
            } else {
                for slot in 0..<document.trie.slotCount { slots[document.base + slot] = .missing }
            }
            // Fields on their own stay what they are: bytes, and floats that are not finite.
            try layout.decode(bytes, wantedFields: wants.fields, wantedTagged: wants.tagged, into: slots)
        } catch {
            throw wrong(document, error)
        }
    }

    private func readText(
        _ text: UnsafeRawBufferPointer, of document: CompiledDocument, _ options: JSON.Options
    ) throws(EvaluationError) {
        do throws(JSONError) {
            try JSON.decode(text, options: options, trie: document.trie, into: slots + document.base)
        } catch {
            throw wrong(document, error)
        }
    }

    @inline(never)
    private func checkLines(
        _ bytes: UnsafeRawBufferPointer, of document: CompiledDocument, _ options: JSON.Options
    ) throws(EvaluationError) {
        var lines = JSON.Lines(bytes)
        var number = 0
        while let line = lines.next() {
            number += 1
            do throws(JSONError) { try JSON.validate(line, options: options) } catch { throw wrong(document, line: number, error) }
        }
    }

    /// A payload without members: its only path is the root.
    func fillRoot(of document: CompiledDocument, _ value: Value) {
        for slot in 0..<document.trie.slotCount { slots[document.base + slot] = .missing }
        let root = document.trie.nodes[0].slot
        if root >= 0 { slots[document.base + Int(root)] = value }
    }

    @inline(never)
    func wrong(_ document: CompiledDocument, _ reason: some CustomStringConvertible) -> EvaluationError {
        .because("decode \(document.decode.name): \(reason)")
    }

    /// - Parameter line: of NDJSON, from 1.
    @inline(never)
    func wrong(_ document: CompiledDocument, line: Int, _ error: JSONError) -> EvaluationError {
        wrong(document, "document \(line): \(error)")
    }

    // MARK: Embeds

    /// Each source may lie in the payload or in an embed before it; where it gives nothing, the embed is missing with all that is below.
    func decodeEmbeds(_ evaluator: inout Evaluator) throws(EvaluationError) {
        for document in mapping.embeds {
            guard let source = document.source else { continue }
            let value = evaluator.value(of: source, slots)
            slots[document.bytesSlot] = .missing
            guard !value.isAbsent else {
                fillRoot(of: document, .missing)
                continue
            }
            do throws(EvaluationError) {
                var bytes = value.kind == .bytes ? value.bytes : try evaluator.text(of: value)
                guard bytes.count <= evaluator.limits.maximumPayloadBytes else { throw .because("more bytes than decode.max_bytes") }
                if !document.unpack.isEmpty { bytes = try evaluator.unpacked(bytes, document.unpack) }
                slots[document.bytesSlot] = Value(kind: .bytes, bytes: bytes)
                try fill(document, bytes, &evaluator)
            } catch {
                throw .because("embed '\(document.name)': \(error.reason)")
            }
        }
    }
}

@testable import Payload

/// A decoder of trees.
typealias TreeDecoder = @Sendable (UnsafeRawBufferPointer, TreeLimits, inout ScratchMemory) throws -> UnsafeRawBufferPointer

let messagePack: TreeDecoder = { try MessagePack.jsonText(of: $0, limits: $1, into: &$2) }
let cbor: TreeDecoder = { try CBOR.jsonText(of: $0, limits: $1, into: &$2) }

/// The JSON text of a payload, read twice with forbidden pages in front of it and behind it; JSON's own decoder must accept it.
func jsonText(_ payload: [UInt8], _ decoder: TreeDecoder, limits: TreeLimits = TreeLimits()) throws -> String {
    var texts: [String] = []
    for atFront in [false, true] {
        var scratch = ScratchMemory(chunkBytes: 64)
        let text = try withGuardedBytes(payload, atFront: atFront) { bytes in
            let text = try decoder(bytes, limits, &scratch)
            try JSON.validate(text, options: JSON.Options(maximumDepth: limits.maximumDepth, allowsNaN: false))
            return String(decoding: text, as: UTF8.self)
        }
        texts.append(text)
        // What comes next in the same memory is beside the text, not in it.
        let more = scratch.allocate(64)
        more.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
    }
    precondition(texts[0] == texts[1], "the same payload gave \(texts)")
    return texts[0]
}

func jsonText(hex: String, _ decoder: TreeDecoder, limits: TreeLimits = TreeLimits()) throws -> String {
    try jsonText(bytes(hex: hex), decoder, limits: limits)
}

/// Why a payload is refused, or its text where it is not.
func refusal(_ payload: [UInt8], _ decoder: TreeDecoder, limits: TreeLimits = TreeLimits()) -> String {
    do { return "accepted: \(try jsonText(payload, decoder, limits: limits))" } catch { return "\(error)" }
}

func refusal(hex: String, _ decoder: TreeDecoder, limits: TreeLimits = TreeLimits()) -> String {
    refusal(bytes(hex: hex), decoder, limits: limits)
}

import Payload

/// A payload of a mapping: the message's own (`$`), or one that an embed finds inside another one.
final class CompiledDocument: Sendable {
    /// Paths below its root, and where their slots begin.
    let trie: PathTrie
    let base: Int
    let unpack: [UnpackStep]
    let decode: DecodeSyntax
    /// The embed's name; empty for the message's payload.
    let name: String
    /// Where an embed is; nil for the message's payload.
    let source: SlotSource?
    /// Holds its bytes, unpacked, while the message is at hand.
    let bytesSlot: Int
    let binary: BinaryWants?
    /// Lines or records of which more is asked than one after the other: the document is written as JSON text, and read as such.
    let isWrittenAsText: Bool

    init(
        name: String, decode: DecodeSyntax, unpack: [UnpackStep], source: SlotSource?, bytesSlot: Int, trie: PathTrie, base: Int,
        binary: BinaryWants?, isWrittenAsText: Bool
    ) {
        self.name = name
        self.decode = decode
        self.unpack = unpack
        self.source = source
        self.bytesSlot = bytesSlot
        self.trie = trie
        self.base = base
        self.binary = binary
        self.isWrittenAsText = isWrittenAsText
    }
}

/// Slots of a binary payload's fields, −1 for none.
struct BinaryWants: Sendable {
    var fields: [Int]
    /// By type of tagged records; none for those that a list collects.
    var tagged: [[Int]]
}

/// One loop of a block.
final class CompiledLoop: Sendable {
    /// What it runs over.
    enum Items: Sendable {
        /// An array, or an object.
        case values(SlotSource)
        case csvLines(CompiledDocument, CSVDocument)
        case jsonLines(CompiledDocument)
        /// Records of a group; slots of the fields, −1 for none.
        case records(CompiledDocument, group: Int, wantedFields: [Int])
        /// By type of tagged records: slots of the fields, −1 for none; nil: not of this list.
        case taggedRecords(CompiledDocument, wantedFields: [[Int]?])
    }

    let variable: String
    /// As the mapping writes it, for messages.
    let text: String
    let items: Items
    /// Paths below the item, and where their slots begin.
    let trie: PathTrie
    let base: Int
    let keySlot: Int
    let indexSlot: Int
    let conditions: [CompiledCondition]

    init(
        variable: String, text: String, items: Items, trie: PathTrie, base: Int, keySlot: Int, indexSlot: Int,
        conditions: [CompiledCondition]
    ) {
        self.variable = variable
        self.text = text
        self.items = items
        self.trie = trie
        self.base = base
        self.keySlot = keySlot
        self.indexSlot = indexSlot
        self.conditions = conditions
    }
}

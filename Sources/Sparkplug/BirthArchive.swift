/// Births as they were stored, for messages that are older than what this process has seen: dead letters.
///
/// A birth answers for messages from the time on since which it holds, and for no earlier ones.
public final class BirthArchive: Sendable {
    /// A birth as it was stored.
    public struct Entry: Sendable {
        var table: BirthTable
        var sinceMicroseconds: Int64

        /// - Parameter payload: of the birth.
        public init(payload: UnsafeRawBufferPointer, sinceMicroseconds: Int64) throws(SparkplugError) {
            table = try BirthTable(birth: payload)
            self.sinceMicroseconds = sinceMicroseconds
        }
    }

    /// Whose birth: an empty device stands for the node itself.
    public struct Key: Hashable, Sendable {
        var group: [UInt8]
        var node: [UInt8]
        var device: [UInt8]

        public init(group: String, node: String, device: String) {
            self.group = Array(group.utf8)
            self.node = Array(node.utf8)
            self.device = Array(device.utf8)
        }

        init(_ topic: SparkplugTopic) {
            group = Array(topic.group)
            node = Array(topic.node)
            device = Array(topic.device)
        }
    }

    private let entries: [Key: Entry]

    public init(_ entries: [Key: Entry]) { self.entries = entries }

    func births(of topic: SparkplugTopic, at microseconds: Int64) -> (table: BirthTable?, doubt: Doubt) {
        guard let entry = entries[Key(topic)] else { return (nil, .notStored) }
        guard microseconds >= entry.sinceMicroseconds else { return (nil, .laterBirth) }
        return (entry.table, .notInBirth)
    }
}

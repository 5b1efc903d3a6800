import Synchronization

/// Births as they were stored, for messages that are older than what this process has seen: dead letters.
///
/// A birth answers for messages from the time on since which it holds, and for no earlier ones. A message that was refused because no birth was certain
/// needs one that came after it: the one before it is what was in doubt.
public final class BirthArchive: Sendable {
    /// A birth as it was stored.
    public struct Entry: Sendable {
        var table: BirthTable
        var sinceMicroseconds: Int64
        var receivedMicroseconds: Int64

        /// - Parameters:
        ///   - payload: of the birth.
        ///   - sinceMicroseconds: from when on it holds, which may be before it came.
        ///   - receivedMicroseconds: when it came.
        public init(payload: UnsafeRawBufferPointer, sinceMicroseconds: Int64, receivedMicroseconds: Int64) throws(SparkplugError) {
            table = try BirthTable(birth: payload)
            self.sinceMicroseconds = sinceMicroseconds
            self.receivedMicroseconds = receivedMicroseconds
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

    private let wasRefused = Atomic(false)

    public init(_ entries: [Key: Entry]) { self.entries = entries }

    /// A message follows, in the same thread.
    /// - Parameter wasRefused: it could not be decoded when it came.
    public func begin(wasRefused: Bool) { self.wasRefused.store(wasRefused, ordering: .relaxed) }

    func births(of topic: SparkplugTopic, at microseconds: Int64) -> (table: BirthTable?, doubt: Doubt) {
        guard let entry = entries[Key(topic)] else { return (nil, .notStored) }
        guard microseconds >= entry.sinceMicroseconds else { return (nil, .laterBirth) }
        // Messages that are read together have one time: which was first, it does not tell.
        if wasRefused.load(ordering: .relaxed), entry.receivedMicroseconds <= microseconds { return (nil, .earlierBirth) }
        return (entry.table, .notInBirth)
    }
}

import PostgreSQL
import Sparkplug
import Store

/// Births of Sparkplug B that the service has stored, for those who read messages beside it.
public enum StoredBirths {
    /// Whose births a message needs: the edge node's that its topic names, where it carries data; nil for any other message.
    public static func edgeNode(of topic: String) -> (group: String, node: String)? {
        Array(topic.utf8).withUnsafeBytes { bytes in
            guard let topic = try? SparkplugTopic(bytes), topic.type == .nodeData || topic.type == .deviceData else { return nil }
            return (String(decoding: topic.group, as: UTF8.self), String(decoding: topic.node, as: UTF8.self))
        }
    }

    /// Those of an edge node and its devices. One that cannot be read answers for nothing.
    /// - Returns: nil when there are none.
    public static func of(
        group: String, node: String, _ connection: borrowing Connection
    ) throws(PostgreSQLError) -> BirthArchive? {
        var entries: [BirthArchive.Key: BirthArchive.Entry] = [:]
        try BirthCertificateTable.forNode(group: group, node: node, connection) { add($0, since: $1, received: $2, $3, to: &entries) }
        return entries.isEmpty ? nil : BirthArchive(entries)
    }

    /// What aliases in the dead letters stand for.
    static func ofDeadLetters(_ connection: borrowing Connection) throws(PostgreSQLError) -> BirthArchive {
        var entries: [BirthArchive.Key: BirthArchive.Entry] = [:]
        try BirthCertificateTable.forDeadLetters(connection) { add($0, since: $1, received: $2, $3, to: &entries) }
        return BirthArchive(entries)
    }

    /// A birth that somebody has kept, for messages on a topic of the same node or device, whenever they came.
    /// - Returns: nil where the topic is no such topic.
    /// - Throws: `SparkplugError` where it is no birth.
    public static func given(_ payload: [UInt8], for topic: String) throws -> BirthArchive? {
        let key = Array(topic.utf8).withUnsafeBytes { bytes -> BirthArchive.Key? in
            guard let topic = try? SparkplugTopic(bytes) else { return nil }
            func text(_ level: UnsafeRawBufferPointer) -> String { String(decoding: level, as: UTF8.self) }
            return BirthArchive.Key(group: text(topic.group), node: text(topic.node), device: text(topic.device))
        }
        guard let key else { return nil }
        let entry = try payload.withUnsafeBytes { try BirthArchive.Entry(payload: $0, sinceMicroseconds: .min, receivedMicroseconds: .max) }
        return BirthArchive([key: entry])
    }

    private static func add(
        _ key: StoredBirth.Key, since: Int64, received: Int64, _ payload: [UInt8], to entries: inout [BirthArchive.Key: BirthArchive.Entry]
    ) {
        entries[BirthArchive.Key(group: key.group, node: key.node, device: key.device)] =
            payload.withUnsafeBytes { try? BirthArchive.Entry(payload: $0, sinceMicroseconds: since, receivedMicroseconds: received) }
    }
}

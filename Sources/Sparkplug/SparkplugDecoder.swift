/// Decodes Sparkplug B messages into JSON text (see `DocumentWriter`), with names and datatypes from the births.
///
/// One for each evaluator: it owns the memory of the text. A message is given to it once, however many mappings take it, since a birth or a sequence number
/// counts once.
public struct SparkplugDecoder: ~Copyable {
    /// Where aliases are looked up.
    public enum Births: Sendable {
        /// What this process has seen, and messages change it.
        case seen(BirthRegistry)
        /// What was stored; messages change nothing.
        case stored(BirthArchive)
    }

    /// A birth that is to be stored with its message.
    public struct Birth: Sendable {
        public var group: String
        public var node: String
        /// Empty for the node itself.
        public var device: String
        /// By the node's clock, milliseconds since 1970; nil where the payload has none.
        public var timestampMilliseconds: UInt64?
        public var bdSeq: UInt64?
        /// Since when its aliases hold, microseconds since 1970.
        public var sinceMicroseconds: Int64
        public var receivedMicroseconds: Int64
        /// The same for births that define the same.
        public var digest: UInt64
    }

    /// What was found out about a message, besides its text.
    public struct Notes: Sendable {
        /// Set for a birth.
        public var birth: Birth?
        /// Messages of the node are missing before this one.
        public var hasGap = false
        /// A birth would help; nothing is said about when the node was last asked.
        public var needsBirth = false

        public init() {}
    }

    /// The largest text, in bytes.
    public static let documentBytesMaximum = 64 << 20

    private let births: Births
    private var writer: DocumentWriter
    public private(set) var notes = Notes()

    public init(births: Births, maximumBytes: Int = documentBytesMaximum) {
        self.births = births
        writer = DocumentWriter(maximumBytes: maximumBytes)
    }

    /// The text of the message decoded last; valid until the next one.
    public var document: UnsafeRawBufferPointer { writer.output.bytes }

    /// Decodes one message.
    /// - Parameters:
    ///   - receivedMicroseconds: since 1970: the time by which nodes are asked, and stored births chosen.
    ///   - isWholeSeen: asked for births only: whether all other messages of this node, on any of its devices, come to us.
    /// - Throws: where it cannot be read without a guess; `notes` hold all the same.
    public mutating func decode(
        topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, receivedMicroseconds: Int64, isWholeSeen: (SparkplugTopic) -> Bool
    ) throws(SparkplugError) {
        notes = Notes()
        writer.births = nil
        defer { writer.births = nil }
        guard let place = try SparkplugTopic(topic) else {
            writer.doubt = .noNode
            writer.topic = nil
            return try writer.write(payload, PayloadHeader(payload), hasGap: false)
        }
        var known: PayloadHeader?
        do throws(SparkplugError) {
            let header = try PayloadHeader(payload, readingBdSeq: place.type == .nodeBirth || place.type == .nodeDeath)
            known = header
            switch births {
            case .seen(let registry): try look(in: registry, place, header, payload, receivedMicroseconds, isWholeSeen)
            case .stored(let archive) where !place.type.isBirth:
                (writer.births, writer.doubt) = archive.births(of: place, at: receivedMicroseconds)
            case .stored: break
            }
        } catch {
            refuseBirth(place, known, receivedMicroseconds)
            throw error
        }
        guard let header = known else { return }
        writer.topic = place
        do throws(SparkplugError) {
            try writer.write(payload, header, hasGap: notes.hasGap)
        } catch {
            if error.asksForBirth { notes.needsBirth = true }
            throw error
        }
    }

    /// Takes a message that cannot be given to `decode`: where it is a birth, former ones of the same node or device end with it.
    public func passOver(topic: UnsafeRawBufferPointer, receivedMicroseconds: Int64) {
        guard let place = (try? SparkplugTopic(topic)).flatMap({ $0 }) else { return }
        refuseBirth(place, nil, receivedMicroseconds)
    }

    private func refuseBirth(_ topic: SparkplugTopic, _ header: PayloadHeader?, _ now: Int64) {
        if case .seen(let registry) = births, topic.type.isBirth { registry.refuse(topic, header, now: now) }
    }

    private mutating func look(
        in registry: BirthRegistry, _ topic: SparkplugTopic, _ header: PayloadHeader, _ payload: UnsafeRawBufferPointer, _ now: Int64,
        _ isWholeSeen: (SparkplugTopic) -> Bool
    ) throws(SparkplugError) {
        let table = topic.type.isBirth ? try BirthTable(birth: payload) : nil
        let finding = try registry.take(topic, header, birth: table, isWholeSeen: table != nil && isWholeSeen(topic), now: now)
        writer.births = finding.births
        writer.doubt = finding.doubt
        notes.hasGap = finding.hasGap
        notes.needsBirth = finding.needsBirth
        guard let table, let since = finding.since else { return }
        notes.birth = Birth(
            group: String(decoding: topic.group, as: UTF8.self), node: String(decoding: topic.node, as: UTF8.self),
            device: String(decoding: topic.device, as: UTF8.self), timestampMilliseconds: header.timestamp, bdSeq: finding.bdSeq,
            sinceMicroseconds: since, receivedMicroseconds: now, digest: table.digest)
    }

    /// The command that makes the node of this topic send its births, unless it was asked a short while ago; counts it as asked.
    public func rebirth(topic: UnsafeRawBufferPointer, receivedMicroseconds: Int64) -> RebirthCommand? {
        guard case .seen(let registry) = births, let place = (try? SparkplugTopic(topic)).flatMap({ $0 }),
            registry.mayAsk(place, now: receivedMicroseconds)
        else { return nil }
        return RebirthCommand(
            group: String(decoding: place.group, as: UTF8.self), node: String(decoding: place.node, as: UTF8.self),
            milliseconds: UInt64(max(receivedMicroseconds, 0)) / 1000)
    }
}

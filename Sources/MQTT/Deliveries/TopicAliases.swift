/// What the server's topic aliases stand for, on one connection (MQTT 5.0 §3.3.2.3.4): numbers from 1 up to the maximum that we have allowed.
///
/// Each name has memory of its own that stays where it is until the alias gets another one: a message can point to it without a copy. A class, so that
/// its memory goes with it; a session is not copied while it is in use.
final class TopicAliases: @unchecked Sendable {
    // @unchecked: it belongs to its session, which one thread uses at a time.
    private var names: [UnsafeMutableRawBufferPointer?]

    /// - Parameter maximum: the highest alias; 0: none.
    init(maximum: UInt16) { names = Array(repeating: nil, count: Int(maximum)) }

    deinit { removeAll() }

    var maximum: UInt16 { UInt16(names.count) }

    /// Gives the alias the name that came with it, or, where none came, the message the name of the alias.
    func resolve(_ publish: inout Publish) throws(MQTTError) {
        let alias = Int(publish.topicAlias)
        guard alias <= names.count else { throw .topicAliasTooLarge(publish.topicAlias, maximum: maximum) }
        if publish.topic.isEmpty {
            guard let name = names[alias - 1] else { throw .unknownTopicAlias(publish.topicAlias) }
            publish.topic = UnsafeRawBufferPointer(name)
        } else {
            names[alias - 1]?.deallocate()
            let name = UnsafeMutableRawBufferPointer.allocate(byteCount: publish.topic.count, alignment: 1)
            name.copyMemory(from: publish.topic)
            names[alias - 1] = name
        }
    }

    /// Aliases mean nothing on the next connection ([MQTT-3.3.2-7] and following).
    func removeAll() {
        for index in names.indices {
            names[index]?.deallocate()
            names[index] = nil
        }
    }
}

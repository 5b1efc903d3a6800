/// Messages with what they decode to, topic by topic.
struct Sample {
    let messages: [ObservedMessage]
    /// By message: the decoded document; nil where the payload is bytes, or empty.
    private(set) var documents: [SampleValue?]
    private(set) var profiles: [TopicProfile] = []
    /// Messages without a payload: nothing can be learnt from them, and a mapping skips them.
    private(set) var emptyCount = 0

    init(_ messages: [ObservedMessage]) {
        self.messages = messages
        documents = Array(repeating: nil, count: messages.count)
        var order: [String] = []
        var byTopic: [String: [Int]] = [:]
        for (index, message) in messages.enumerated() {
            guard !message.payload.isEmpty else {
                emptyCount += 1
                continue
            }
            if byTopic[message.topic] == nil { order.append(message.topic) }
            byTopic[message.topic, default: []].append(index)
        }
        let opener = PayloadOpener()
        for topic in order {
            let places = byTopic[topic] ?? []
            let (form, found) = Self.form(of: places.map { messages[$0].payload }, opener)
            var shape = Shape(form: form)
            for (place, document) in zip(places, found) {
                documents[place] = document
                if let document { shape.add(document, receivedMicroseconds: messages[place].receivedMicroseconds) }
            }
            profiles.append(
                TopicProfile(
                    topic: topic, levels: topic.split(separator: "/", omittingEmptySubsequences: false), shape: shape, messages: places))
        }
    }

    // MARK: One topic

    private typealias Reading = (form: PayloadForm, documents: [SampleValue?])

    private static func form(of payloads: [[UInt8]], _ opener: PayloadOpener, unpacked: [String] = []) -> Reading {
        let looks = payloads.map { PayloadLook($0, opener) }
        if let reading = documents(looks) ?? texts(payloads, looks) { return reading }
        if unpacked.count < 2, let (step, inner) = opened(payloads, opener, unpacked) {
            var reading = form(of: inner, opener, unpacked: unpacked + [step])
            reading.form.unpack.insert(step, at: 0)
            return reading
        }
        if let scalars = scalars(payloads, looks) { return scalars }
        let none = [SampleValue?](repeating: nil, count: payloads.count)
        // Some records of a binary format are text by chance.
        let binaryCount = looks.filter { $0 == .bytes }.count
        if 2 * binaryCount > looks.count { return (PayloadForm(family: .binary), none) }
        return (PayloadForm(family: .mixed(isText: binaryCount == 0)), none)
    }

    /// Objects, lists and lines.
    private static func documents(_ looks: [PayloadLook]) -> Reading? {
        var values: [SampleValue] = []
        var decoders: Set<String> = []
        var allowsNaN = false
        var hasLines = false
        for look in looks {
            switch look {
            case .document(let value, let decoder, let isNaN) where value.isContainer:
                values.append(value)
                decoders.insert(decoder)
                allowsNaN = allowsNaN || isNaN
            case .lines(let lines):
                values.append(.array(lines))
                decoders.insert("json")
                hasLines = true
            default: return nil
            }
        }
        guard decoders.count == 1, let decoder = decoders.first else { return nil }
        var form = PayloadForm(family: .object, decoder: decoder, allowsNaN: allowsNaN)
        if hasLines {
            guard decoder == "json" else { return nil }
            form.family = .lines
            let areLines = zip(looks, values).allSatisfy { look, value in if case .lines = look { true } else { value.isObject } }
            return areLines ? (form, values.map { $0.isObject ? .array([$0]) : $0 }) : nil
        }
        if values.allSatisfy(\.isObject) { return (form, values) }
        guard values.allSatisfy({ !$0.isObject }) else { return nil }
        // A list of as many values each time is a record without names.
        let counts = Set(values.map(\.items.count))
        if let count = counts.first, counts.count == 1, (2...64).contains(count),
            values.allSatisfy({ $0.items.allSatisfy { !$0.isContainer } })
        {
            let records = values.map { value in
                SampleValue.object(value.items.enumerated().map { .init(name: String($0), value: $1) })
            }
            return (form, records)
        }
        form.family = .list
        return (form, values)
    }

    private static func texts(_ payloads: [[UInt8]], _ looks: [PayloadLook]) -> Reading? {
        var texts: [String] = []
        for look in looks {
            guard case .text(let text) = look else { return nil }
            texts.append(text)
        }
        guard let csv = CSVForm.common(to: texts) else { return nil }
        return (PayloadForm(family: .csv(csv)), texts.map(csv.document))
    }

    /// What `unpack` would give, where one step does for all.
    private static func opened(_ payloads: [[UInt8]], _ opener: PayloadOpener, _ before: [String]) -> (String, [[UInt8]])? {
        if let step = payloads.first.flatMap(PackedText.compression), payloads.allSatisfy({ PackedText.compression($0) == step }) {
            let inner = payloads.compactMap { opener.bytes($0, unpack: [step]) }
            if inner.count == payloads.count { return (step, inner) }
        }
        let texts = payloads.compactMap { String(validating: $0, as: UTF8.self) }
        guard texts.count == payloads.count else { return nil }
        let isConstant = texts.count > 1 && Set(texts).count == 1
        let isHex = texts.contains { $0.utf8.contains { $0 >= 0x41 } }
        for (step, unpack) in [("hex", PackedText.hex), ("base64", PackedText.base64)]
        where !before.contains(step) && (step != "hex" || isHex) {
            let inner = texts.compactMap(unpack)
            guard inner.count == texts.count else { continue }
            // A word that never changes is a name, unless it opens as something.
            if !isConstant || SampleValue(json: inner[0])?.isContainer == true { return (step, inner) }
        }
        return nil
    }

    private static func scalars(_ payloads: [[UInt8]], _ looks: [PayloadLook]) -> Reading? {
        var values: [SampleValue] = []
        var hasQuotes = false
        for (payload, look) in zip(payloads, looks) {
            switch look {
            case .document(let value, "json", _) where !value.isContainer:
                if case .text = value { hasQuotes = true }
                values.append(.text(String(decoding: payload, as: UTF8.self)))
            case .text(let text): values.append(.text(text))
            default: return nil
            }
        }
        if hasQuotes {
            let decoded = payloads.map { SampleValue(json: $0) }
            if decoded.allSatisfy({ $0 != nil }) { return (PayloadForm(family: .scalar, decoder: "json"), decoded) }
        }
        return (PayloadForm(family: .scalar, decoder: "text"), values)
    }
}

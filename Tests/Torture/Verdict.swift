import Foundation

/// What was published, what was stored, and what must not be.
struct Verdict {
    struct Line {
        var tried = 0
        var acknowledged = 0
        var stored = 0
        var repeats = 0
        var redelivered = 0
        var lost = 0
    }

    private(set) var lines = [Line(), Line(), Line()]
    private(set) var offences: [String] = []

    /// - Parameter mayForget: the broker was killed, and forgets what it had acknowledged: losses are its own.
    init(publishers: [Publisher], stored: [MessageKey: Int], deliveries: [MessageKey: Int], mayForget: Bool) {
        var known: Set<MessageKey> = []
        for publisher in publishers {
            let account = publisher.snapshot
            for number in 0..<account.tried {
                let key = MessageKey(device: publisher.device, number: number)
                known.insert(key)
                judge(key, isAcknowledged: account.acknowledged.contains(number), stored[key] ?? 0, deliveries[key] ?? 0, mayForget)
            }
        }
        for key in stored.keys.sorted() where !known.contains(key) { offences.append("\(key.device) \(key.number) was never published") }
    }

    private mutating func judge(_ key: MessageKey, isAcknowledged: Bool, _ copies: Int, _ delivered: Int, _ mayForget: Bool) {
        let qos = key.qos
        lines[qos].tried += 1
        lines[qos].acknowledged += isAcknowledged ? 1 : 0
        lines[qos].stored += copies > 0 ? 1 : 0
        lines[qos].repeats += max(copies - 1, 0)
        lines[qos].redelivered += max(delivered - 1, 0)
        if isAcknowledged, copies == 0 {
            lines[qos].lost += 1
            if qos > 0, !mayForget || delivered > 0 {
                offences.append("\(key.device) \(key.number) is lost (delivered \(delivered) times)")
            }
        }
        if qos != 1, copies > 1 { offences.append("\(key.device) \(key.number) is stored \(copies) times at QoS \(qos)") }
        if qos == 1, copies > max(delivered, 1) {
            offences.append("\(key.device) \(key.number) is stored \(copies) times, delivered \(delivered) times")
        }
    }

    var table: String {
        var text = "| QoS | published | acknowledged | stored | stored again | delivered again | lost |\n|---|---|---|---|---|---|---|\n"
        for (qos, line) in lines.enumerated() {
            text +=
                "| \(qos) | \(line.tried) | \(line.acknowledged) | \(line.stored) | \(line.repeats) | \(qos == 0 ? "" : String(line.redelivered)) | \(line.lost) |\n"
        }
        return text
    }
}

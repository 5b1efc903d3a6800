import FuzzSupport
import MQTT

/// The end of an input says how the session stands and what happens to it between the pieces; the rest is what the server sends.
@main
struct MQTTFuzz {
    private let memory = GuardedMemory(bytesMax: 1 << 20)

    static func main() {
        let target = MQTTFuzz()
        fuzz(target.run)
    }

    private func run(_ bytes: UnsafeRawBufferPointer) {
        var input = FuzzInput(bytes)
        let setup = Setup(&input)
        let steps = (0..<Int(input.byte()) & 31).map { _ in Step(input.byte()) }
        let stream = Array(input.rest)

        // What a step does happens at the same byte in both runs; only the reads between are cut differently.
        let whole = log(setup, steps, stream, isByteByByte: false)
        let cut = log(setup, steps, stream, isByteByByte: true)
        guard whole != cut else { return }
        let place = zip(whole, cut).prefix { $0 == $1 }.count
        let (one, other) = (whole.dropFirst(place).first, cut.dropFirst(place).first)
        claim(
            false,
            "cut differently, the same bytes mean something else at event \(place): \(String(describing: one)), and \(String(describing: other))"
        )
    }

    private func log(_ setup: Setup, _ steps: [Step], _ stream: [UInt8], isByteByByte: Bool) -> [FuzzedConnection.Entry] {
        var connection = FuzzedConnection(setup, memory: memory, isByteByByte: isByteByByte)
        var rest = stream[...]
        for step in steps {
            let piece = rest.prefix(step.bytes)
            rest = rest.dropFirst(piece.count)
            connection.receive(piece)
            connection.take(step)
        }
        connection.receive(rest)
        connection.settleAll()
        return connection.log
    }
}

/// How the session stands when the bytes come.
struct Setup {
    let version: ProtocolVersion
    let isClean: Bool
    let isConnected: Bool
    let isPresent: Bool
    let confirmsIdentifiers: Bool
    let loadsIdentifiers: Bool
    /// Small packets, few messages and few aliases.
    let isTight: Bool
    let subscribes: Int
    let unsubscribes: Int
    let publishes: Int
    let keepAliveSeconds: UInt16
    let isPaused: Bool

    init(_ input: inout FuzzInput) {
        let (session, requests) = (input.byte(), input.byte())
        let versions = ProtocolVersion.allCases
        version = versions[min(Int(session & 3), versions.count - 1)]
        isClean = session & 0x04 != 0
        isConnected = session & 0x08 != 0
        isPresent = session & 0x10 != 0
        confirmsIdentifiers = session & 0x20 != 0
        loadsIdentifiers = session & 0x40 != 0
        isTight = session & 0x80 != 0
        subscribes = Int(requests & 3)
        unsubscribes = Int(requests >> 2 & 1)
        publishes = Int(requests >> 3 & 7)
        keepAliveSeconds = requests & 0x40 != 0 ? 0 : 30
        isPaused = requests & 0x80 != 0
    }
}

/// A piece of the stream, and what happens behind it.
struct Step {
    enum Action: UInt8, CaseIterable {
        case nothing, settleOldest, settleNewest, abandon, flush, tick, pauseOrResume, publish, subscribe, reconnect, reconnectAbsent,
            disconnect
    }

    let bytes: Int
    let action: Action

    init(_ byte: UInt8) {
        action = Action.allCases[Int(byte >> 4) % Action.allCases.count]
        // 1 to 8 bytes, or the packets of a page.
        bytes = byte & 8 == 0 ? Int(byte & 7) : Int(byte & 7 + 1) * 16
    }
}

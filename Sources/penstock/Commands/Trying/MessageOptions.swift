import ArgumentParser
import Foundation
import MQTT
import Mapping
import Payload

/// A message as it is given on the command line.
struct MessageOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "The payload as text.")
    var payload: String?

    @Option(help: "A file that holds the payload.")
    var payloadFile: String?

    @Option(help: "The payload in hexadecimal.")
    var payloadHex: String?

    @Argument(help: "'-' reads the payload from standard input.")
    var input: String?

    @Option(help: "When it was received, such as 2026-01-01T00:00:00Z; now if not given.")
    var received: String?

    @Option(help: "The QoS with which it is delivered: 0, 1 or 2; 1 if not given.")
    var qos: UInt8?

    @Flag(help: "It is a retained message, delivered because the subscription is new.")
    var retain = false

    @Option(help: "MQTT 5: the content type.")
    var contentType: String?

    @Option(help: "MQTT 5: the response topic.")
    var responseTopic: String?

    @Option(help: "MQTT 5: the correlation data, as text.")
    var correlation: String?

    @Option(help: "MQTT 5: the seconds after which the message expires.")
    var messageExpiry: UInt32?

    @Option(help: ArgumentHelp("MQTT 5: a user property; may be given again.", valueName: "name=value"))
    var user: [String] = []

    @Option(help: "The address of the broker that hands it over.")
    var broker: String?

    private var payloads: Int { [payload != nil, payloadFile != nil, payloadHex != nil, input != nil].filter { $0 }.count }

    /// Nothing of a message is given.
    var isEmpty: Bool {
        payloads == 0 && received == nil && qos == nil && !retain && contentType == nil && responseTopic == nil && correlation == nil
            && messageExpiry == nil && user.isEmpty && broker == nil
    }

    func validatePayload() throws {
        guard payloads == 1, input == nil || input == "-" else {
            throw ValidationError("give one of --payload, --payload-file, --payload-hex and -")
        }
        guard (0...2).contains(qos ?? 1) else { throw ValidationError("--qos is 0, 1 or 2") }
        if let received, TimeText.microseconds(received) == nil {
            throw ValidationError("--received is a time such as 2026-01-01T00:00:00Z, not '\(received)'")
        }
        _ = try properties()
    }

    func message(topic: String) throws -> TrialMessage {
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        return TrialMessage(
            topic: topic, payload: try bytes(), receivedMicroseconds: received.flatMap { TimeText.microseconds($0) } ?? now, qos: qos ?? 1,
            isRetained: retain, properties: try properties(), broker: broker ?? "")
    }

    private func properties() throws -> [UInt8] {
        var writer = PublishPropertiesWriter()
        func check(_ isWritten: Bool, _ option: String) throws {
            guard isWritten else { throw ValidationError("--\(option) is nothing that a message of MQTT can carry") }
        }
        if let contentType { try check(writer.contentType(contentType), "content-type") }
        if let responseTopic { try check(writer.responseTopic(responseTopic), "response-topic") }
        if let correlation { try check(writer.correlationData(Array(correlation.utf8)), "correlation") }
        if let messageExpiry { writer.messageExpirySeconds(messageExpiry) }
        for pair in user {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("--user is name=value, not '\(pair)'") }
            try check(writer.userProperty(parts[0], parts[1]), "user")
        }
        return writer.bytes
    }

    private func bytes() throws -> [UInt8] {
        if let payload { return Array(payload.utf8) }
        if let payloadFile {
            guard let data = FileManager.default.contents(atPath: payloadFile) else {
                throw Failure(.usage, "cannot read the file '\(payloadFile)' [--payload-file]")
            }
            return Array(data)
        }
        guard var payloadHex else { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
        var bytes = [UInt8](repeating: 0, count: payloadHex.utf8.count)
        do {
            let count = try bytes.withUnsafeMutableBytes { target in
                try payloadHex.withUTF8 { source in
                    try target.baseAddress.map { try Unpack.hex(UnsafeRawBufferPointer(source), into: $0) } ?? 0
                }
            }
            return Array(bytes[..<count])
        } catch {
            throw Failure(.usage, "--payload-hex: \(error)")
        }
    }
}

import Foundation
import Testing

@testable import Sandbox

@Suite("A private RabbitMQ", .enabled(if: PrivateRabbitMQ.isInstalled, "RabbitMQ is not installed; scripts/setup --tests installs it"))
struct PrivateRabbitMQTests {
    @Test("speaks MQTT, and keeps its sessions and their messages through a restart")
    func persistence() async throws {
        let broker = try PrivateRabbitMQ()
        try await broker.start()
        let port = broker.port
        let first = try BrokerConversation(port: port)
        #expect(try first.connect(flags: 0) == [0x20, 0x02, 0x00, 0x00])
        #expect(try first.subscribe(["a/#"]) == [1])
        first.disconnect()
        let publisher = try BrokerConversation(port: port)
        _ = try publisher.connect(flags: 2, client: "publisher")
        try publisher.publish("a/1", "kept")

        let process = try #require(broker.processIdentifier)
        try await broker.restart()
        #expect(broker.port == port)
        #expect(broker.processIdentifier != process)
        let second = try BrokerConversation(port: port)
        #expect(try second.connect(flags: 0) == [0x20, 0x02, 0x01, 0x00])
        #expect(try second.receiveMessage().payload == "kept")
    }

    @Test("listens on loopback only, and leaves nothing behind")
    func end() async throws {
        var broker: PrivateRabbitMQ? = try PrivateRabbitMQ()
        try await broker?.start()
        let process = try #require(broker?.processIdentifier)
        let variables = try String(contentsOfFile: "/proc/\(process)/environ", encoding: .utf8).split(separator: "\0")
        func variable(_ name: String) throws -> String {
            String(try #require(variables.first { $0.hasPrefix(name + "=") }).dropFirst(name.count + 1))
        }
        let folder = try variable("HOME")
        let directoryPort = try #require(Int(try variable("ERL_EPMD_PORT")))
        #expect(FileManager.default.fileExists(atPath: folder))
        #expect(answers(port: directoryPort))
        #expect(try Self.foreignListeners(of: process) == [])
        broker = nil
        #expect(kill(process, 0) == -1)
        #expect(!answers(port: directoryPort))
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    /// The addresses other than 127.0.0.1 at which the process listens, as the kernel writes them.
    private static func foreignListeners(of process: Int32) throws -> [String] {
        let descriptors = "/proc/\(process)/fd"
        let sockets = try FileManager.default.contentsOfDirectory(atPath: descriptors).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/\($0)")
        }
        var found: [String] = []
        var ownCount = 0
        for table in ["tcp", "tcp6"] {
            for line in try String(contentsOfFile: "/proc/net/\(table)", encoding: .utf8).split(separator: "\n").dropFirst() {
                // Number, local address, remote address, state (0A: it listens), …, inode as the tenth.
                let fields = line.split(separator: " ")
                guard fields.count > 9, fields[3] == "0A", sockets.contains("socket:[\(fields[9])]") else { continue }
                ownCount += 1
                if !fields[1].hasPrefix("0100007F:") { found.append(String(fields[1])) }
            }
        }
        #expect(ownCount >= 4)
        return found
    }

    @Test("says why it does not start, in the words of its log")
    func refusal() async throws {
        let broker = try PrivateRabbitMQ(extraLines: ["no_such_setting = 1"])
        let error = await #expect(throws: SandboxError.self) { try await broker.start() }
        #expect(error?.description.contains("no_such_setting") == true)
    }
}

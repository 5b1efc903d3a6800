import Foundation
import Testing

@testable import Sandbox

@Suite("A private mosquitto")
struct PrivateMosquittoTests {
    /// Connects and leaves again, and gives the answer: CONNACK is `20 02 SP RC`.
    private func connect(to port: Int, flags: UInt8, credentials: [String] = []) throws -> [UInt8] {
        let conversation = try BrokerConversation(port: port)
        defer { conversation.disconnect() }
        return try conversation.connect(flags: flags, credentials: credentials)
    }

    @Test("keeps its sessions through a restart, on the same port")
    func persistence() async throws {
        let broker = try PrivateMosquitto()
        try await broker.start()
        let port = broker.port
        #expect(try connect(to: port, flags: 0) == [0x20, 0x02, 0x00, 0x00])
        #expect(try connect(to: port, flags: 0) == [0x20, 0x02, 0x01, 0x00])
        try await broker.restart()
        #expect(broker.port == port)
        #expect(try connect(to: port, flags: 0) == [0x20, 0x02, 0x01, 0x00])
    }

    @Test("forgets its sessions without persistence")
    func withoutPersistence() async throws {
        var options = PrivateMosquitto.Options()
        options.persistence = false
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        #expect(try connect(to: broker.port, flags: 0) == [0x20, 0x02, 0x00, 0x00])
        try await broker.restart()
        #expect(try connect(to: broker.port, flags: 0) == [0x20, 0x02, 0x00, 0x00])
    }

    @Test("lets in whoever knows the password, and nobody else")
    func passwords() async throws {
        var options = PrivateMosquitto.Options()
        options.passwords = ["ann": "s3cret", "bob": "other"]
        let broker = try PrivateMosquitto(options: options)
        try await broker.start()
        #expect(try connect(to: broker.port, flags: 0xC2, credentials: ["ann", "s3cret"]) == [0x20, 0x02, 0x00, 0x00])
        #expect(try connect(to: broker.port, flags: 0xC2, credentials: ["bob", "s3cret"]) == [0x20, 0x02, 0x00, 0x05])
        #expect(try connect(to: broker.port, flags: 0x02) == [0x20, 0x02, 0x00, 0x05])
        try await broker.restart()
        #expect(try connect(to: broker.port, flags: 0xC2, credentials: ["bob", "other"]) == [0x20, 0x02, 0x00, 0x00])
    }

    @Test("ends when it is told, in good order or at once, and with its owner")
    func end() async throws {
        var broker: PrivateMosquitto? = try PrivateMosquitto()
        try await broker?.start()
        let port = try #require(broker?.port)
        await broker?.stop(.immediate)
        #expect(broker?.processIdentifier == nil)
        #expect(!answers(port: port))
        try await broker?.start()
        let process = try #require(broker?.processIdentifier)
        broker = nil
        #expect(kill(process, 0) == -1)
    }

    @Test("says why it does not start, in the words of its log")
    func refusal() async throws {
        var options = PrivateMosquitto.Options()
        options.extraLines = ["no_such_setting 1"]
        let broker = try PrivateMosquitto(options: options)
        let error = await #expect(throws: SandboxError.self) { try await broker.start() }
        #expect(error?.description.contains("no_such_setting") == true)
    }
}

import ArgumentParser
import Foundation
import Ingest
import MQTT
import Mapping

struct Try: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Shows what a message becomes: which mappings take it and why others do not, its fields and which column takes each, its rows, or the dead letter and why.",
        discussion: """
            Nothing is stored. Only for data of Sparkplug B is the database asked: for the birth certificates of their edge node. The payload is given by one of --payload, --payload-file, --payload-hex and -; with --live the messages are the broker's next \
            ones, heard in a session of their own at QoS 0 that the broker forgets.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The topic of the message; with --live a topic filter, all that the mappings subscribe to if it is not given.")
    var topic: String?

    @OptionGroup(title: "The message") var message: MessageOptions

    @Option(help: ArgumentHelp("Only this mapping; more than one may be named.", valueName: "name"))
    var mapping: [String] = []

    @Flag(help: "Sparkplug B: do not ask the database for birth certificates.")
    var offline = false

    @Option(help: "Sparkplug B: a file with the payload of the birth that explains the message; the database is not asked.")
    var birthFile: String?

    @Option(help: ArgumentHelp("Tries the next messages of the broker, so many.", valueName: "count"))
    var live: Int?

    @Option(help: "With --live: gives up after so many seconds.")
    var seconds: Int?

    @Flag(help: "As JSON; with --live one object a line.")
    var json = false

    func validate() throws {
        if let live {
            guard (1...LiveTrial.countMaximum).contains(live) else {
                throw ValidationError("--live is from 1 to \(LiveTrial.countMaximum)")
            }
            guard message.isEmpty else {
                throw ValidationError("--live takes messages from the broker: leave the options of the message out")
            }
            guard (1...86_400).contains(seconds ?? 1) else { throw ValidationError("--seconds is from 1 to 86400") }
            if let topic, (try? TopicFilter(topic)) == nil || topic.hasPrefix("$share/") {
                throw ValidationError("--topic is a topic filter such as 'site/#', not '\(topic)'")
            }
            return
        }
        guard let topic else { throw ValidationError("give --topic, or --live") }
        guard (try? TopicName(topic)) != nil else { throw ValidationError("--topic is a topic without wildcards, not '\(topic)'") }
        guard seconds == nil else { throw ValidationError("--seconds goes with --live") }
        try message.validatePayload()
    }

    func run() async throws {
        let setup = try Setup(options)
        let mappings = try chosen(of: setup.mappings)
        let births = BirthLookup(database: setup.configuration.database, isOffline: offline, given: try givenBirth())
        if let live {
            try await LiveTrial(
                mappings: mappings, configuration: setup.configuration, births: births, filter: topic, count: live,
                seconds: seconds ?? 60, json: json
            ).run()
            return
        }
        let message = try message.message(topic: topic ?? "")
        let tried = MessageTrial(
            mappings, message, limits: setup.configuration.decode, births: try await births.births(for: message, mappings))
        if let remedy = tried.birthRemedy { Terminal.warning(remedy) }
        print(json ? try tried.json() : tried.text)
        if tried.isDeadLetter { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func givenBirth() throws -> [UInt8]? {
        guard let birthFile else { return nil }
        guard let data = FileManager.default.contents(atPath: birthFile) else {
            throw Failure(.usage, "cannot read the file '\(birthFile)' [--birth-file]")
        }
        return Array(data)
    }

    private func chosen(of mappings: [MappingSyntax]) throws -> [MappingSyntax] {
        for name in mapping where !mappings.contains(where: { $0.name == name }) {
            let hint = suggestion(for: name, among: mappings.map(\.name)) ?? "mappings are \(mappings.map(\.name).joined(separator: ", "))"
            throw Failure(.usage, "there is no mapping '\(name)' - \(hint) [--mapping]")
        }
        return mapping.isEmpty ? mappings : mappings.filter { mapping.contains($0.name) }
    }
}

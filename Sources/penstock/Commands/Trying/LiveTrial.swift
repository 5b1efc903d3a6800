import ArgumentParser
import Foundation
import Ingest
import MQTT
import Mapping

/// `penstock try --live`: the next messages of the broker, tried as they come.
struct LiveTrial {
    /// The most messages that can be asked for.
    static let countMaximum = 10_000

    var mappings: [MappingSyntax]
    var configuration: Configuration
    var births: BirthLookup
    /// nil: what the mappings subscribe to.
    var filter: String?
    var count: Int
    var seconds: Int
    var json: Bool

    func run() async throws {
        let filters = try filter.map { [try TopicFilter($0)] } ?? MappingPlan(mappings).subscriptions.map(\.filter)
        let listener = BrokerListener(
            configuration.broker, clientIdentifier: configuration.pool.shortLivedClientIdentifier, filters: filters,
            limits: BrokerListener.Limits(seconds: seconds, messages: count))
        // Of several it is not known which one answers.
        let endpoints = configuration.broker.endpoints
        let broker = endpoints.count == 1 ? endpoints[0].description : ""
        let stop = StopSignal()
        let watching = Task {
            if await stop.wait() != nil { listener.stop() }
        }
        defer { watching.cancel() }
        var tried = 0
        var deadLetters = 0
        var told: Set<String> = []
        do {
            Terminal.note("listening to \(filters.map { "'\($0)'" }.joined(separator: ", ")) …")
            for try await heard in listener.messages {
                tried += 1
                let message = TrialMessage(
                    topic: heard.topic, payload: heard.payload, receivedMicroseconds: heard.receivedMicroseconds, qos: heard.qos,
                    isRetained: heard.isRetained, properties: heard.properties, broker: broker)
                let trial = MessageTrial(
                    mappings, message, limits: configuration.decode, births: try await births.births(for: message, mappings))
                if let remedy = trial.birthRemedy, told.insert(remedy).inserted { Terminal.warning(remedy) }
                if trial.isDeadLetter { deadLetters += 1 }
                try show(trial, number: tried)
            }
        } catch {
            throw Failure(.failed, "\(error)")
        }
        if !stop.isReceived, tried < count {
            guard !listener.hasBytesMaximum else {
                throw Failure(
                    .failed,
                    "the first \(grouped(tried)) of \(grouped(count)) messages are as large as all of a trial may be: ask for fewer")
            }
            throw Failure(
                .failed,
                tried == 0
                    ? "no message came within \(seconds) s: do devices publish there now, and may this user read it? [--seconds, --topic]"
                    : "only \(grouped(tried)) of \(counted(count, "message")) came within \(seconds) s [--seconds]")
        }
        if deadLetters > 0 { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func show(_ trial: MessageTrial, number: Int) throws {
        // Whoever reads along in a pipe gets each message when it comes.
        defer { fflush(nil) }
        if json { return print(try trial.jsonLine()) }
        let message = trial.message
        let topic = ForeignText(message.topic.utf8).description
        print(
            Style.bold("\(number). \(topic)")
                + ", \(counted(message.payload.count, "byte"))\(message.isRetained ? ", retained" : "")\n" + trial.text)
    }
}

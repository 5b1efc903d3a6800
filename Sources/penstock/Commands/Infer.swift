import ArgumentParser
import Foundation
import Inference
import Ingest
import MQTT

struct Infer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Listens to a broker and proposes mappings for what devices send, with comments on what was guessed and seen messages as tests.",
        discussion: """
            It only listens: with a session of its own that the broker forgets, at QoS 0. Without --out the proposals go to standard output.
            """)

    @Option(name: .shortAndLong, help: "The configuration file, for the broker; penstock.yaml in this folder if it is there.")
    var config: String?

    @Option(help: "The topic filter to listen to.")
    var topic = "#"

    @Option(help: "For how many seconds; 30 if --messages is not given.")
    var seconds: Int?

    @Option(help: "For how many messages; at most 100000.")
    var messages: Int?

    @Option(
        help: ArgumentHelp(
            "The folder for the files, made if it is not there; a file that is there already is left alone.", valueName: "dir"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Reads messages from the files of this folder (or from one file) in place of a broker: lines as mosquitto_sub prints them with -v or with -F %j.",
            valueName: "dir"))
    var samples: String?

    func validate() throws {
        guard (try? TopicFilter(topic)) != nil, !topic.hasPrefix("$share/") else {
            throw ValidationError("--topic is a topic filter such as 'site/#', not '\(topic)'")
        }
        guard (1...86_400).contains(seconds ?? 1) else { throw ValidationError("--seconds is from 1 to 86400") }
        guard (1...100_000).contains(messages ?? 1) else { throw ValidationError("--messages is from 1 to 100000") }
    }

    func run() async throws {
        let heard = if let samples { try SampleFiles.read(samples) } else { try await listen() }
        let kept = samples == nil ? heard : heard.filter { Self.matches($0.topic, topic) }
        guard !kept.isEmpty else { throw Failure(.failed, nothingHeard(of: heard.count)) }
        Terminal.live("looking at \(counted(kept.count, "message")) …")
        let inference = try await blocking { Inference(kept) }
        Terminal.endLive()
        let retained = kept.filter(\.isRetained).count
        let empty = counted(inference.emptyCount, "message", "is", "are")
        let copies = retained == 1 ? "1 is a retained copy" : "\(grouped(retained)) are retained copies"
        Terminal.note(
            "\(counted(inference.messageCount, "message")) on \(counted(inference.topicCount, "topic")): "
                + counted(inference.proposals.count, "kind")
                + (retained > 0 ? "; \(copies), which a mapping skips unless it says retained: use" : "")
                + (inference.emptyCount > 0 ? "; \(empty) empty, which a mapping skips" : ""))
        let isWhole = try write(inference)
        report(inference)
        if !isWhole || inference.proposals.contains(where: { !$0.problems.isEmpty }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private static func matches(_ topic: String, _ filter: String) -> Bool {
        guard let filter = try? TopicFilter(filter) else { return false }
        return Array(topic.utf8).withUnsafeBytes { filter.matches($0) }
    }

    private func nothingHeard(of count: Int) -> String {
        if let samples {
            return count == 0
                ? "there are no messages in '\(samples)'"
                : "none of \(counted(count, "message")) in '\(samples)' is on '\(topic)' [--topic]"
        }
        return
            "nothing was heard on '\(topic)': do devices publish there now, and may this user read it? Listen longer with --seconds, or to more with --topic"
    }

    // MARK: Listening

    private func listen() async throws -> [ObservedMessage] {
        let configuration = try Setup.configuration(ConfigurationOptions.parse(config.map { ["--config", $0] } ?? []))
        let filter = try TopicFilter(topic)
        let duration = seconds ?? (messages == nil ? 30 : 3600)
        let listener = BrokerListener(
            configuration.broker, clientIdentifier: configuration.pool.shortLivedClientIdentifier, filters: [filter],
            limits: BrokerListener.Limits(seconds: duration, messages: messages ?? 100_000))
        let stop = StopSignal()
        let watching = Task { [messages, seconds] in
            var started: ContinuousClock.Instant?
            while !Task.isCancelled {
                if let progress = listener.progress {
                    let elapsed = (ContinuousClock.now - (started ?? .now)) / .seconds(1)
                    started = started ?? .now
                    let part = messages.map { Double(progress.messages) / Double($0) }
                    let timePart = messages == nil || seconds != nil ? elapsed / Double(duration) : nil
                    Terminal.live(Self.line(progress, part: max(part ?? 0, timePart ?? 0)))
                }
                if stop.isReceived { listener.stop() }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        defer {
            watching.cancel()
            Terminal.endLive()
        }
        do {
            return try await listener.messages.reduce(into: []) { heard, message in
                heard.append(
                    ObservedMessage(
                        topic: message.topic, payload: message.payload, receivedMicroseconds: message.receivedMicroseconds,
                        qos: message.qos, isRetained: message.isRetained))
            }
        } catch {
            throw Failure(.failed, "\(error)")
        }
    }

    private static func line(_ progress: (messages: Int, topics: Int), part: Double) -> String {
        let filled = min(30, max(0, Int(part * 30)))
        let bar = "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled) + "]"
        return "\(bar) \(counted(progress.messages, "message")) on \(counted(progress.topics, "topic"))"
    }

    // MARK: Results

    /// False when a file was in the way.
    private func write(_ inference: Inference) throws -> Bool {
        guard let out else {
            for (index, proposal) in inference.proposals.enumerated() {
                print("\(index > 0 ? "\n" : "")# ---- \(proposal.name).yaml\n\(proposal.text)", terminator: "")
            }
            return true
        }
        do {
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        } catch {
            throw Failure(.failed, "cannot make the folder '\(out)': \(error.localizedDescription) [--out]")
        }
        // In a pipe too the files stand before what is said about them.
        defer { fflush(nil) }
        var isWhole = true
        for proposal in inference.proposals {
            let path = URL(filePath: out).appending(path: proposal.name + ".yaml")
            do {
                try Data(proposal.text.utf8).write(to: path, options: .withoutOverwriting)
                print(path.relativePath)
            } catch CocoaError.fileWriteFileExists {
                isWhole = false
                Terminal.error(
                    "'\(path.relativePath)' is there already and was left alone: move it away, or choose another folder with --out")
            } catch {
                throw Failure(.failed, "cannot write '\(path.relativePath)': \(error.localizedDescription)")
            }
        }
        return isWhole
    }

    private func report(_ inference: Inference) {
        var table = TextTable(header: ["mapping", "topics", "messages", "become rows", "rows", "decoder", "pattern"])
        for proposal in inference.proposals {
            let pattern =
                proposal.topics.count == 1 ? ForeignText(proposal.topics[0].utf8).description : "\(proposal.topics.count) topics, listed"
            table.rows.append([
                proposal.name, grouped(proposal.topicCount), grouped(proposal.messageCount), grouped(proposal.storedCount),
                grouped(proposal.rowCount),
                proposal.decoder, pattern,
            ])
        }
        Terminal.note(table.text)
        var lost = 0
        for proposal in inference.proposals {
            lost += proposal.messageCount - proposal.storedCount
            for loss in proposal.losses {
                let many = "\(grouped(loss.count)) of its messages \(loss.count == 1 ? "makes" : "make") no rows"
                Terminal.warning("\(proposal.name): \(many): \(ForeignText(loss.reason.utf8))")
            }
            for problem in proposal.problems {
                Terminal.error("\(proposal.name): check would refuse it: \(ForeignText(problem.utf8, maximumCharacters: 1000))")
            }
        }
        let tests = inference.proposals.reduce(0) { $0 + $1.testCount }
        let mapped = inference.messageCount - inference.emptyCount
        let made = "\(counted(tests, "test")) made of seen messages"
        Terminal.note(
            lost > 0
                ? "\(grouped(mapped - lost)) of \(counted(mapped, "message")) become rows; \(made)"
                : "\(mapped == 1 ? "the message becomes" : "all \(grouped(mapped)) messages become") rows; \(made), all right")
        if let out { Terminal.note("read the comments, change what you know better, and try: penstock check --offline --mappings \(out)") }
    }
}

/// Messages that were written to files.
enum SampleFiles {
    static func read(_ path: String) throws -> [ObservedMessage] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.usage, "there is no file or folder '\(path)' [--samples]")
        }
        var files = [path]
        if isFolder.boolValue {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            files = names.filter { !$0.hasPrefix(".") }.sorted().map { path + "/" + $0 }
        }
        var messages: [ObservedMessage] = []
        for file in files {
            guard let data = FileManager.default.contents(atPath: file) else { throw Failure(.usage, "cannot read the file '\(file)'") }
            let changed = (try? FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date) ?? Date()
            do throws(CapturedMessages.Fault) {
                messages += try CapturedMessages.read(Array(data), now: Int64(changed.timeIntervalSince1970 * 1_000_000))
            } catch {
                throw Failure(.usage, "\(file): \(error)")
            }
        }
        return messages.sorted { $0.receivedMicroseconds < $1.receivedMicroseconds }
    }
}

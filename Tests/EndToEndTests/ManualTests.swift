import Foundation
import Glibc
import Sandbox
import Testing

extension EndToEndTests {
    /// The manual of mappings is followed from its first command to its last, with a broker and a database of its own, and prints what it says it prints.
    ///
    /// `PENSTOCK_RECORD_MANUAL=1` writes what was printed into the page instead, but for what holds a `…`.
    @Suite("The manual shows what the commands print")
    struct Manual {
        static let name = "docs/mappings.md"
        private static let proposalCommand = "$ penstock infer --topic 'cellar/#' --seconds 30 --out mappings"

        /// What of the page is typed here.
        static func typed() throws -> Set<String> {
            var typed: Set = [String(proposalCommand.dropFirst(2))]
            for case .command(_, let text, _) in Transcript(page: try Page(name)).steps { typed.insert(text) }
            return typed
        }

        @Test("every command of docs/mappings.md")
        func mappings() async throws {
            let page = try Page(Self.name)
            let transcript = Transcript(page: page)
            let reader = try await PageReader()
            var recorded: [Int: [String]] = [:]
            var commandCount = 0
            for step in transcript.steps {
                switch step {
                case .newFolder: try reader.beginAgain()
                case .file(let name, let text): try reader.write(name, text)
                case .command(let line, let text, let output):
                    commandCount += 1
                    let printed = try await reader.run(text, until: output).lines
                    guard !Transcript.matches(printed, output) else { continue }
                    if !output.contains(where: { $0.contains("…") }) { recorded[line] = printed }
                    Issue.record("docs/mappings.md:\(line): '\(text)' prints\n\(printed.joined(separator: "\n"))")
                }
            }
            #expect(commandCount >= 10, "the page has commands")
            if ProcessInfo.processInfo.environment["PENSTOCK_RECORD_MANUAL"] == "1", !recorded.isEmpty {
                try transcript.page(with: recorded).write(to: page.url, atomically: true, encoding: .utf8)
            }
            try await reader.close()
        }

        @Test("a device that talks as the heat pump of docs/mappings.md gets the mapping that the page shows")
        func proposal() async throws {
            let page = try Page(Self.name)
            let told = page.lines(from: Self.proposalCommand)
            let shown = page.lines(from: "# From 118 messages")
            let reader = try await PageReader()
            // No value comes again often enough to be a name for something, and the sensor outside is unplugged now and then.
            let pump = reader.publish(count: 2000, perSecond: 40) { number in
                let now = Int(Date().timeIntervalSince1970 * 1000)
                let outside = number % 9 == 0 ? "-127" : "\(Double(number % 80 - 40) / 8)"
                return .init(
                    "cellar/heatpump/state",
                    #"{"ts":\#(now),"flow":\#(30 + Double(number % 64) / 10),"return":\#(28 + Double(number % 40) / 10),"outside":\#(outside),"#
                        + #""mode":\#(number / 20 % 3),"power":\#(1500 + number * 7 % 600),"starts":\#(800 + number / 30),"fw":"2.1.0"}"#)
            }
            defer { pump.stop() }
            let command = String(try #require(told.first).dropFirst(2))
            let printed = try await reader.run(command + " --messages 118").lines
            #expect(Transcript.matches(printed, Array(told.dropFirst())), "\(printed.joined(separator: "\n"))")
            let file = try await reader.run("cat mappings/cellar_heatpump_state.yaml").lines
            var rest = file[...]
            // The page shortens the file: what it shows stands there, in this order. What the tests hold differs each time.
            for line in shown.prefix(while: { $0 != "tests:" }) {
                guard let place = rest.firstIndex(of: line) else {
                    Issue.record("'\(line)' is not in the file, or not there:\n\(file.joined(separator: "\n"))")
                    break
                }
                rest = rest[(place + 1)...]
            }
            #expect(rest.count { $0.hasPrefix("  - topic: cellar/heatpump/state") } == 3, "\(rest.joined(separator: "\n"))")
            let check = try await reader.run("penstock check --offline").lines
            #expect(check.last == "1 mapping, 3 tests: all right (offline)", "\(check)")
            try await reader.close()
        }

        @Test("an ellipsis stands for any lines, and for any characters of a line")
        func ellipsis() {
            #expect(Transcript.matches(["a", "b 1 c", "d"], ["a", "b … c", "d"]))
            #expect(Transcript.matches(["a", "b", "c"], ["a", "…"]))
            #expect(Transcript.matches(["a"], ["…", "a"]))
            #expect(!Transcript.matches(["a", "b"], ["a"]))
            #expect(!Transcript.matches(["a", "b"], ["a", "…", "c"]))
            #expect(!Transcript.matches(["b 1 d"], ["b … c"]))
        }
    }
}

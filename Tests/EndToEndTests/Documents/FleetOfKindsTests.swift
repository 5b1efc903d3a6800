import Foundation
import Testing

extension EndToEndTests {
    /// The run that docs/infer.md shows takes a minute; here the devices talk twenty times as fast, until as many messages are heard.
    @Suite("The page about infer shows what twelve kinds of device lead to")
    struct FleetOfKinds {
        static let name = "docs/infer.md"

        /// What of the page is typed here.
        static func typed() throws -> Set<String> {
            [try simulation(Page(name))]
        }

        private static func simulation(_ page: Page) throws -> String {
            String(try #require(page.lines(from: "$ penstock simulate --kinds all").first).dropFirst(2))
        }

        @Test("each mapping of the table is proposed, with its topics, decoder and pattern, and what is shown of three files stands there")
        func run() async throws {
            let page = try Page(Self.name)
            let reader = try await PageReader()
            let simulation = try Self.simulation(page).replacing("--rate 12", with: "--rate 240").replacing(" &", with: " >/dev/null &")
            let printed = try await reader.run(
                "\(simulation)\npenstock infer --topic 'site/#' --messages 720 --out mappings\nstatus=$?; kill $!; wait $!; exit $status")
            #expect(printed.end == .exit(0), "\(printed.text)")
            let shown = page.lines(from: "$ penstock simulate --kinds all")
            #expect(Self.table(shown).count == 15)
            #expect(Self.table(printed.lines) == Self.table(shown), "\(printed.text)")
            #expect(printed.lines.contains("720 messages on 87 topics: 15 kinds") && shown.contains("720 messages on 87 topics: 15 kinds"))
            let check = try await reader.run("penstock check --offline")
            let checked = try #require(check.lines.last?.prefix { $0 != "," })
            #expect(shown.contains { $0.hasPrefix(checked + ", ") && $0.hasSuffix("all right (offline)") }, "\(check.text)")
            for (file, topic) in [("plant_telemetry", "site/plant/"), ("tasmota_sensor", "site/tele/"), ("pumps_frame", "site/pumps/")] {
                let block = try #require(page.blocks.first { $0.lines.contains { $0.hasPrefix("topic: \(topic)") } })
                let made = Set(try await reader.run("cat mappings/\(file).yaml").lines.map(Self.withoutComment))
                // Comments and keys follow from what happened to come.
                for line in block.lines.prefix(while: { $0 != "tests:" }).map(Self.withoutComment)
                where !line.hasPrefix("#") && !line.hasPrefix("table:") {
                    #expect(made.contains(line), "\(file): '\(line)' is not in\n\(made.sorted().joined(separator: "\n"))")
                }
            }
            try await reader.close()
        }

        /// Name, topics, decoder and pattern of each line.
        private static func table(_ lines: [String]) -> Set<[String]> {
            let rows = lines.drop { !$0.hasPrefix("mapping ") }.dropFirst(2).prefix { !$0.hasPrefix("all ") }
            let cells = rows.map { $0.split(separator: " ").map(String.init) }.filter { $0.count == 7 }
            return Set(cells.map { [$0[0], $0[1], $0[5], $0[6]] })
        }

        private static func withoutComment(_ line: String) -> String { line.replacing(/\s+#\s.*$/, with: "") }
    }
}

import Foundation
import Testing

extension EndToEndTests {
    /// What no other test types is typed here, on one stage, from the first page to the last. What is new on a page is run as it stands; where
    /// that does not do, `TreatmentTable` has to say what to do, or why not.
    @Suite("What the documents say to type", .serialized)
    struct Documents {
        @Test("every command, statement and configuration of README.md and docs is run by a test, or it is known why it is not")
        func everything() async throws {
            let pages = try Page.all()
            let typed = pages.flatMap(Typed.all)
            let elsewhere = try Self.elsewhere()
            func isElsewhere(_ one: Typed) -> Bool { elsewhere[one.page]?.contains(one.text) == true }
            let stage = try await DocumentStage()
            let checks = DocumentChecks(stage)
            var done: Set<String> = []
            for one in typed where !isElsewhere(one) {
                // Many pages name the same command.
                guard done.insert(one.text).inserted else { continue }
                do {
                    try await Self.type(one, stage, checks)
                } catch {
                    Issue.record("\(one.place): '\(one.text)': \(error)")
                }
            }
            #expect(done.count >= 100, "the pages were read")
            for text in TreatmentTable.exact.keys.sorted() where !done.contains(text) {
                Issue.record("TreatmentTable: no page says '\(text)' any more, or another test runs it")
            }
            for (page, texts) in elsewhere {
                for text in texts where !typed.contains(where: { $0.page == page && $0.text == text }) {
                    Issue.record("another test types what \(page) does not say: '\(text)'")
                }
            }
            try await stage.close()
        }

        /// What other tests type, word for word, by page.
        private static func elsewhere() throws -> [String: Set<String>] {
            try [
                Manual.name: Manual.typed(), FleetOfKinds.name: FleetOfKinds.typed(), RolesOfThePage.name: RolesOfThePage.typed(),
                AnalystManual.name: AnalystManual.typed().union([RolesOfThePage.makesAnalysts]),
            ]
        }

        private static func type(_ one: Typed, _ stage: DocumentStage, _ checks: DocumentChecks) async throws {
            switch one.kind {
            case .command, .statement, .option:
                switch Treatment.of(one) {
                case nil: try await stage.run(one, .init())
                case .run(let trial): try await stage.run(one, trial)
                case .instead(let check, _): try await checks.look(at: one, check)
                }
            case .configuration where one.page == Manual.name, .mapping where one.page == Manual.name:
                // MappingTests reads each of them, with what it leaves out.
                break
            case .configuration: try await stage.check(configuration: one)
            case .mapping: try await stage.check(mapping: one)
            // Their tests compare it with what is printed.
            case .text where one.page == Manual.name || one.page == AnalystManual.name: break
            case .text where one.text.hasPrefix("persistence true"): try await stage.start(mosquitto: one)
            case .text, .unknown: Issue.record("\(one.place): nothing is known of such a block")
            }
        }

        @Test("what is typed is found in blocks, in sentences and in tables")
        func finding() {
            let page = Page(
                "page",
                text: """
                    Say `penstock status
                    --json`, or `SELECT 1`; not `ALTER TABLE` or `psql`, and `--watch`.

                    | `penstock check` | `a | b` |

                        $ penstock run
                        starting
                        scripts/bench   # minutes

                    ```sh
                    one --two     # three
                    four \\
                        five
                    ```

                    ```sql
                    SELECT 2;
                    ```

                    ```text
                    penstock schema
                    2
                    ```

                    ```ruby
                    puts
                    ```
                    """)
            #expect(
                Typed.all(of: page).map { "\($0.line) \($0.kind) \($0.text)" } == [
                    "1 command penstock status --json", "2 option --watch", "2 statement SELECT 1", "4 command penstock check",
                    "6 command penstock run", "11 command one --two", "12 command four \\\n    five", "17 statement SELECT 2;",
                    "21 command penstock schema", "26 unknown puts",
                ])
        }
    }
}

import Foundation
import Testing

extension EndToEndTests {
    /// Limits are wide, since machines differ; what was measured is printed.
    @Suite("What bad rows cost the good ones")
    struct BadRowCost {
        /// With the number of the row in the error, and without.
        static let rules = [
            "CHECK (unit = 'C')", "FOREIGN KEY (unit) REFERENCES units DEFERRABLE INITIALLY DEFERRED",
        ]

        private func makeStage() async throws -> BatchStage {
            let stage = try await BatchStage(mappings: ["telemetry": Mappings.telemetry], holding: "readings")
            try stage.probe.run("CREATE TABLE units (unit text PRIMARY KEY)", "INSERT INTO units VALUES ('C')")
            return stage
        }

        private func messages(bad isBad: (Int) -> Bool) -> [LoadPublisher.Message] {
            (0..<10_000).map { number in
                var message = LoadPublisher.reading(number)
                if isBad(number) { message.payload = Array(#"{"seq":\#(number),"unit":"F"}"#.utf8) }
                return message
            }
        }

        @Test("a thousand in a batch of ten thousand: it ends within 5 s, with nine thousand rows and a thousand letters", arguments: rules)
        func thousandOfTenThousand(rule: String) async throws {
            let stage = try await makeStage()
            try stage.probe.rows("ALTER TABLE readings ADD CONSTRAINT rule \(rule)")
            var locks = 0
            let time = try await stage.storeInOneBatch(messages { $0 % 10 == 5 }, within: .seconds(60)) {
                locks = max(locks, try stage.probe.number("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid'"))
            }
            print("a thousand bad rows of ten thousand, \(rule): \(time), with \(locks) locks of transactions at once")
            #expect(time < .seconds(5))
            // All programs on the server share its table of locks.
            #expect(locks < 10)
            #expect(try stage.probe.number("SELECT count(DISTINCT seq) FROM readings") == 9000)
            #expect(try stage.probe.number("SELECT count(*) FROM readings") == 9000)
            #expect(
                try stage.probe.number(
                    "SELECT count(DISTINCT payload) FROM penstock.dead_letter WHERE stage = 'row' AND sqlstate IN ('23514', '23503')")
                    == 1000)
            #expect(try stage.probe.number("SELECT count(*) FROM penstock.dead_letter") == 1000)
            try await stage.close()
        }

        @Test("one in a batch of ten thousand costs less than three commits of the others")
        func oneOfTenThousand() async throws {
            let stage = try await makeStage()
            for rule in Self.rules {
                try stage.probe.rows("ALTER TABLE readings ADD CONSTRAINT rule \(rule)")
                var clean: [Duration] = []
                var bad: [Duration] = []
                for _ in 0..<3 {
                    clean.append(try await stage.storeInOneBatch(messages { _ in false }))
                    try stage.clear()
                    bad.append(try await stage.storeInOneBatch(messages { $0 == 7000 }))
                    #expect(try stage.probe.number("SELECT count(*) FROM readings") == 9999)
                    #expect(try stage.probe.number("SELECT count(*) FROM penstock.dead_letter") == 1)
                    try stage.clear()
                }
                let usual = clean.sorted()[1]
                let cost = (bad.sorted()[1] - usual) / usual
                print("ten thousand rows, \(rule): \(clean), with a bad one \(bad), which costs \(cost) commits")
                #expect(cost < 3, "\(rule)")
                try stage.probe.rows("ALTER TABLE readings DROP CONSTRAINT rule")
            }
            try await stage.close()
        }
    }
}

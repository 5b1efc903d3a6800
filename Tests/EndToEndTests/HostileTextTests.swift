import Foundation
import Testing

extension EndToEndTests {
    @Suite("Text never becomes SQL")
    struct HostileText {
        /// As values and names of members; those without control characters also as levels of topics.
        private static let texts = [
            "'; DROP TABLE plain; --", "\"; DROP TABLE \"plain", "\\'); DELETE FROM plain; --", "$$; DROP TABLE plain; $$", "\\N", "\\.",
            "\\",
            "\\x41\\101", "NULL", "{a,b}", "\"", "'", "%s%n", "COPY plain, line 1", "\u{202E}\u{2066}abc\u{200F}", "a\u{FEFF}b\u{FFFD}",
            "é😀\u{10FFFF}", " ",
            "a\tb\nc\r\n\\.\nd\u{8}\u{B}\u{C}\u{1}\u{7F}", "(SELECT 1)", "E'\\047'", ";;;", "-- /*", "*/",
        ]

        /// What a broker takes: no wildcard, no control character, no code point that is no character.
        private static func isTopicLevel(_ text: String) -> Bool {
            !text.unicodeScalars.contains { scalar in
                scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value & 0xFFFE == 0xFFFE
                    || "+#/".unicodeScalars.contains(scalar)
            }
        }

        private static func mapping(_ table: String, _ type: String) -> String {
            """
            topic: h/{id}
            each: {m: $.m.*}
            table: \(table)
            columns:
              id: \(type) not null from topic.id
              k: \(type) not null from m@key
              v: \(type) from m
            """
        }

        private static func message(_ id: String, _ key: String, _ value: String) throws -> LoadPublisher.Message {
            .init("h/" + id, Array(try JSONSerialization.data(withJSONObject: ["m": [key: value]])))
        }

        @Test(
            "topics, names and values arrive as they were, in binary and in text form, appended and replaced; what PostgreSQL cannot hold is a letter"
        )
        func everywhere() async throws {
            let tables = ["plain", "cited", "kept", "kept_cited"]
            let mappings = [
                "plain": Self.mapping("plain", "text"), "cited": Self.mapping("cited", "citext"),
                "kept": Self.mapping("{name: kept, key: [id, k], on_conflict: update}", "text"),
                "kept_cited": Self.mapping("{name: kept_cited, key: [id, k], on_conflict: merge}", "citext"),
            ]
            let workplace = try await Workplace(
                sessions: 1, shards: 1, mappings: mappings, preparation: ["CREATE EXTENSION citext"])
            try await workplace.startIngester()

            var expected: Set<[String?]> = []
            var messages: [LoadPublisher.Message] = []
            func send(_ id: String, _ key: String, _ value: String) throws {
                messages.append(try Self.message(id, key, value))
                expected.insert([id, key, value])
            }
            for (number, text) in Self.texts.enumerated() {
                try send(Self.isTopicLevel(text) ? text : "t\(number)", text, Self.texts.joined(separator: text))
                try send("v\(number)", "k", text)
            }
            // 64 KiB that do not compress to what an index holds.
            var random = SeededGenerator()
            let emoji = String(
                String.UnicodeScalarView(
                    (0..<16 * 1024).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0x1F300...0x1F5FF, using: &random)) }))
            try send("emoji", "k", emoji)
            // NUL can stand nowhere in PostgreSQL's text, and so long a key in no index.
            let letters = [try Self.message("nul", "k", "a\0b"), try Self.message("nul key", "a\0b", "v")]
            let longKey = try Self.message("long key", emoji, "v")
            try await workplace.publish(messages + letters + [longKey])

            let probe = try workplace.probe()
            try await workplace.eventually("all are settled") {
                let counts = tables.map { "(SELECT count(*) FROM \($0))" }.joined(separator: " + ")
                let settled = try probe.number("SELECT \(counts) + (SELECT count(*) FROM penstock.dead_letter)")
                return settled == tables.count * (messages.count + letters.count + 1)
            }
            for table in tables {
                let rows = try probe.rows("SELECT id, k, v FROM \(table) WHERE id <> 'long key'")
                #expect(rows.count == expected.count, "\(table)")
                #expect(Set(rows) == expected, "\(table)")
            }
            for table in ["plain", "cited"] {
                #expect(try probe.rows("SELECT k, v FROM \(table) WHERE id = 'long key'") == [[emoji, "v"]])
            }
            let kept = try probe.rows(
                "SELECT topic, mapping, stage, sqlstate FROM penstock.dead_letter ORDER BY topic, mapping COLLATE \"C\"")
            var expectedLetters: [[String?]] = [["h/long key", "kept", "row", "54000"], ["h/long key", "kept_cited", "row", "54000"]]
            for topic in ["h/nul", "h/nul key"] {
                for table in tables.sorted() { expectedLetters.append([topic, table, "decode", nil]) }
            }
            #expect(kept == expectedLetters)
            let payloads = try probe.rows("SELECT DISTINCT encode(payload, 'hex') FROM penstock.dead_letter")
            let sent: [String?] = (letters + [longKey]).map { message in message.payload.map { String(format: "%02x", $0) }.joined() }
            #expect(Set(payloads.map { $0[0] }) == Set(sent))
            #expect(!workplace.ingester.log.contains("cannot be written"), "\(workplace.ingester.log)")
            try await workplace.close()
        }
    }
}

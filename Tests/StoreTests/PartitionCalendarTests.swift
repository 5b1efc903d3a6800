import Mapping
import Testing

@testable import Store

@Suite("Partitions on the calendar", .withDatabase)
struct PartitionCalendarTests {
    @Test("they begin where PostgreSQL's date_trunc says, and end where the next one begins", arguments: TimeUnit.allCases)
    func boundaries(unit: TimeUnit) throws {
        let database = try TestDatabase.connect()
        var random = SystemRandomNumberGenerator()
        // The years 1900 to 2200, and the days around the ends of months and years.
        var times = (0..<300).map { _ in Int64.random(in: -2_208_988_800_000_000..<7_258_118_400_000_000, using: &random) }
        times += [0, -1, 1, 951_782_400_000_000, 951_868_800_000_000 - 1, 1_767_225_600_000_000, 1_767_225_600_000_000 - 1]
        let list = times.map(String.init).joined(separator: ",")
        let rows = try database.rows(
            """
            SELECT (extract(epoch FROM s) * 1000000)::bigint, (extract(epoch FROM (s AT TIME ZONE 'UTC' + interval '1 \(unit.rawValue)') AT TIME ZONE 'UTC') * 1000000)::bigint
            FROM unnest(ARRAY[\(list)]::bigint[]) WITH ORDINALITY AS u (t, n),
                 date_trunc('\(unit.rawValue)', timestamptz 'epoch' + t * interval '1 microsecond', 'UTC') AS s ORDER BY n
            """)
        #expect(rows.count == times.count)
        for (time, row) in zip(times, rows) {
            let start = unit.start(of: time)
            #expect(String(start) == row[0], "\(time)")
            #expect(String(unit.end(from: start)) == row[1], "\(time)")
        }
    }

    @Test(
        "names sort as times do, and say which",
        arguments: [
            (TimeUnit.hour, "p2026_11_21_14"), (.day, "p2026_11_21"), (.week, "p2026_11_16"), (.month, "p2026_11"), (.year, "p2026"),
        ])
    func names(unit: TimeUnit, suffix: String) {
        // 2026-11-21T14:30:00Z
        #expect(unit.suffix(from: unit.start(of: 1_795_271_400_000_000)) == suffix)
    }

    @Test("a long table's partitions have names of 63 bytes that differ")
    func longNames() {
        let names = ["a", "b"].map { identifier(String(repeating: "x", count: 62) + $0, "_p2026_11_21") }
        #expect(names[0] != names[1])
        #expect(names.allSatisfy { $0.utf8.count == 63 && $0.hasSuffix("_p2026_11_21") }, "\(names)")
    }
}

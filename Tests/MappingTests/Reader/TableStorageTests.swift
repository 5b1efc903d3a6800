import Testing

@testable import Mapping

@Suite("How a table is divided, kept and indexed")
struct TableStorageTests {
    /// A mapping whose table has these options; they stand on line 2 from column 8 on.
    private func reading(_ options: String, columns: String = "time: timestamptz not null, device: text not null from topic.d, v: real")
        -> MappingReader.Reading
    {
        MappingReader.read(text: "topic: t/{d}\ntable: {name: x, \(options)}\ncolumns: {\(columns)}", file: "m.yaml")
    }

    private func said(_ options: String, columns: String = "time: timestamptz not null, device: text not null from topic.d, v: real")
        -> [String]
    {
        reading(options, columns: columns).diagnostics.map { String($0.description.dropFirst("m.yaml:".count)) }
    }

    @Test("all of it is read")
    func allIsRead() throws {
        let reading = reading(
            "key: [device, time], partition: {by: time, every: day}, retention: 90 days, indexes: [[device, time desc], v], latest: [device]"
        )
        #expect(reading.diagnostics.isEmpty, "\(reading.diagnostics)")
        let table = try #require(MappingPlan(reading.mappings).tables.first)
        #expect(table.partition?.by == "time" && table.partition?.every == .day && table.partition?.with == .native)
        #expect(table.retention?.description == "90 days")
        #expect(
            table.indexes.map { $0.columns.map { $0.isDescending ? $0.name + " desc" : $0.name } } == [["device", "time desc"], ["v"]])
        #expect(table.latest == ["device"] && table.timeColumn == "time")
    }

    @Test(
        "how long rows are kept",
        arguments: [("90 days", "90 days"), ("1 d", "1 day"), ("2y", "2 years"), ("36 h", "36 hours"), ("18 months", "18 months")])
    func retentions(text: String, words: String) {
        #expect(RetentionSyntax(text)?.description == words)
    }

    @Test(
        "what is no time to keep rows for",
        arguments: ["", "90", "0 days", "-1 days", "1.5 days", "days", "3 fortnights", "100001 days", "1 m"])
    func noRetention(text: String) { #expect(RetentionSyntax(text) == nil) }

    @Test(
        "mistakes, and where they are",
        arguments: [
            ("partition: {by: time}", ["2:29: a partition needs 'every' - partition: {by: time, every: day}"]),
            ("partition: time", ["2:29: a partition needs keys and values here, not a single value"]),
            (
                "partition: {by: time, every: dya}",
                ["2:47: 'every' in a partition is one of hour, day, week, month, year, not 'dya' - did you mean 'day'?"]
            ),
            (
                "partition: {by: tme, every: day}",
                ["2:8: the 'partition' column 'tme' of table 'x' is no column here - did you mean 'time'?"]
            ),
            (
                "partition: {by: v, every: day}",
                [
                    "3:75: the 'partition' column 'v' of table 'x' is real - partitions are of a timestamptz",
                    "3:75: the 'partition' column 'v' of table 'x' may be NULL - declare it not null",
                ]
            ),
            (
                "key: [device], on_conflict: update, partition: {by: time, every: day}",
                [
                    "2:65: the key of table 'x' lacks 'time', by which it is divided - PostgreSQL tells rows of one key apart within a partition only: key: [device, time]"
                ]
            ),
            (
                "retention: 90 days",
                [
                    "2:18: 'retention' needs a 'partition': what is too old goes by whole partitions - partition: {by: time, every: day}"
                ]
            ),
            (
                "partition: {by: time, every: day}, retention: 3 moons",
                ["2:64: '3 moons' is no time to keep rows for - a whole number of hours, days, weeks, months or years, such as 90 days"]
            ),
            (
                "partition: {by: time, every: month}, retention: 3 days",
                ["2:55: a retention of 3 days is shorter than one partition (a month) - partition by something shorter, or keep more"]
            ),
            ("indexes: [[devcie]]", ["2:28: index column 'devcie' of table 'x' is no column of it - did you mean 'device'?"]),
            (
                "indexes: [[device down]]",
                ["2:29: a column of an index is a name, perhaps with 'desc' behind it - time desc"]
            ),
            ("indexes: device", ["2:27: 'indexes' is a list of indexes, each a list of columns - [[site, time desc]]"]),
            (
                "latest: [device]",
                [
                    "2:8: 'latest' of table 'x' does not know what is later than what - with a partition, a 'newer' column, or one timestamptz in the key it does"
                ]
            ),
            (
                "key: [device, time], latest: [devic]",
                ["2:8: the 'latest' column 'devic' of table 'x' is no column of it - did you mean 'device'?"]
            ),
        ])
    func mistakes(options: String, expected: [String]) { #expect(said(options).sorted() == expected) }

    @Test("a table that is to have a view has a name that leaves room for the view's", arguments: [56, 57, 63])
    func longName(bytes: Int) {
        let name = String(repeating: "n", count: bytes)
        let text =
            "topic: t/{d}\ntable: {name: s.\(name), key: [d, time], latest: [d]}\n"
            + "columns: {time: timestamptz not null, d: text not null from topic.d}"
        let said = MappingReader.read(text: text, file: "m.yaml").diagnostics.map(\.message)
        #expect(said == (bytes > 56 ? ["the view '\(name)_latest' would have a name of more than 63 bytes, where PostgreSQL ends it"] : []))
    }
}

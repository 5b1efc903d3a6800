/// What the table `readings` holds, to be compared with what was acknowledged.
struct StoredReadings {
    /// How often each (device, seq) stands in the table.
    private let times: [Int: Int]
    let rowCount: Int
    /// Rows whose device is not the one that published this `seq`: rows that no message of ours explains.
    let foreign: [String]

    init(_ probe: DatabaseProbe) throws {
        var times: [Int: Int] = [:]
        var foreign: [String] = []
        let rows = try probe.rows("SELECT device, seq FROM readings")
        for row in rows {
            guard let device = row[0], let text = row[1], let sequence = Int(text), device == LoadPublisher.device(of: sequence) else {
                foreign.append("\(row)")
                continue
            }
            times[sequence, default: 0] += 1
        }
        self.times = times
        self.foreign = foreign
        rowCount = rows.count
    }

    /// Those of the given readings that are not in the table.
    func missing(of sequences: some Sequence<Int>) -> [Int] { sequences.filter { times[$0] == nil }.sorted() }

    /// Rows beyond the first of each reading: what the broker sent again and the table, which has no key, took again.
    var repeatCount: Int { times.values.reduce(0) { $0 + $1 - 1 } }
}

import Logging
import Store

/// What the log says of tables that are looked after: what is wrong, once, and what was removed, a few times a day.
struct TableReport {
    private let logger: Logger
    /// What was wrong in the last round.
    private var problems: Set<String> = []
    /// Rounds one after the other in which another process was at it.
    private var takenInSequence = 0
    /// Removed, and not told yet.
    private var dropped: [String] = []
    private var droppedCount = 0
    private var lettersDeleted = 0
    private var toldRemovedAt: UInt64?

    /// Between two lines that tell what was removed, so that a table with a partition for each hour does not fill the log.
    private static let pauseNanoseconds: UInt64 = 6 * 3600 * 1_000_000_000
    private static let namesMaximum = 50
    /// Rounds come every ten minutes and end soon, so nobody meets another one all the time for an hour and a half.
    private static let takenMaximum = 9

    init(logger: Logger) { self.logger = logger }

    mutating func tell(_ round: PartitionRound, lettersDeleted: Int) {
        if !round.made.isEmpty {
            logger.debug("partitions made ahead", metadata: ["count": "\(round.made.count)", "last": "\(round.made.last ?? "")"])
        }
        droppedCount += round.dropped.count
        dropped += round.dropped.prefix(Self.namesMaximum - dropped.count)
        self.lettersDeleted += lettersDeleted
        if toldRemovedAt.map({ monotonicNanoseconds() - $0 >= Self.pauseNanoseconds }) ?? true { tellRemoved() }
        tellProblems(round)
    }

    mutating func tellRemoved() {
        if droppedCount > 0 {
            logger.notice(
                "partitions dropped: all their rows were older than the table keeps",
                metadata: [
                    "count": "\(droppedCount)",
                    "partitions": "\(dropped.joined(separator: ", "))\(droppedCount > dropped.count ? ", …" : "")",
                ])
        }
        if lettersDeleted > 0 {
            logger.notice("dead letters deleted: they were older than dead_letter.keep", metadata: ["count": "\(lettersDeleted)"])
        }
        guard droppedCount > 0 || lettersDeleted > 0 else { return }
        (dropped, droppedCount, lettersDeleted) = ([], 0, 0)
        toldRemovedAt = monotonicNanoseconds()
    }

    /// What goes wrong each time is told once.
    private mutating func tellProblems(_ round: PartitionRound) {
        var now: Set<String> = []
        for table in round.deferred {
            now.insert(table)
            if !problems.contains(table) {
                logger.notice(
                    "partitions wait for somebody who uses the table; they are made or dropped later", metadata: ["table": "\(table)"])
            }
        }
        for problem in round.problems {
            let text = "\(problem.table): \(problem.reason)"
            now.insert(text)
            if !problems.contains(text) {
                logger.error("a table's upkeep fails", metadata: ["table": "\(problem.table)", "reason": "\(problem.reason)"])
            }
        }
        for one in round.left {
            let text = "\(one.table): \(one.reason)"
            now.insert(text)
            if !problems.contains(text) {
                logger.notice("old rows are left alone", metadata: ["table": "\(one.table)", "reason": "\(one.reason)"])
            }
        }
        takenInSequence = round.wasTaken ? takenInSequence + 1 : 0
        if takenInSequence == Self.takenMaximum {
            logger.error(
                "no partitions are dropped: another connection keeps the lock for it",
                metadata: ["lock": "\(PartitionRound.lockName)", "rounds": "\(takenInSequence)"])
        }
        // Only a part of them was looked at while another process was at it.
        problems = round.wasTaken ? problems.union(now) : now
    }
}

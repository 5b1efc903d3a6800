import CopyFormat
import Mapping

/// Which partitions the rows of a batch belong to.
public struct PartitionNeeds {
    private let every: TimeUnit
    /// Of the fields of a row in the buffer.
    private let field: Int
    /// When the partitions begin, microseconds since 1970.
    public private(set) var starts: Set<Int64> = []

    /// Nil where the target's table has no partitions of PostgreSQL's own.
    public init?(_ target: MappingPlan.Target) {
        guard let partition = target.partition, partition.with == .native,
            let column = target.columns.firstIndex(where: { $0.name == partition.by })
        else { return nil }
        every = partition.every
        field = column + target.fieldCount - target.columns.count
    }

    /// Looks at the times of some rows, as they stand in a `CopyBuffer`.
    public mutating func add(_ rows: UnsafeRawBufferPointer) {
        var place = 0
        var last: Range<Int64> = 0..<0
        while place + 2 <= rows.count {
            let fields = Int(Int16(bigEndian: rows.loadUnaligned(fromByteOffset: place, as: Int16.self)))
            place += 2
            for index in 0..<fields {
                let length = Int(Int32(bigEndian: rows.loadUnaligned(fromByteOffset: place, as: Int32.self)))
                place += 4
                if index == field, length == 8 {
                    let time = Self.unixMicroseconds(Int64(bigEndian: rows.loadUnaligned(fromByteOffset: place, as: Int64.self)))
                    if !last.contains(time), Self.sane.contains(time) {
                        let start = every.start(of: time)
                        last = start..<every.end(from: start)
                        starts.insert(start)
                    }
                }
                place += max(length, 0)
            }
        }
    }

    /// The years 1 to 9999.
    private static let sane: Range<Int64> = -62_135_596_800_000_000..<253_402_300_800_000_000

    private static func unixMicroseconds(_ time: Int64) -> Int64 {
        time.addingReportingOverflow(PostgreSQLTime.epochMicroseconds).partialValue
    }
}

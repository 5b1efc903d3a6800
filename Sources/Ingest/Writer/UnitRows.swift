import CopyFormat
import Mapping

/// Where the rows of each unit lie in the COPY buffers of a batch: to send some units without others, and to find the unit of a row.
struct UnitRows {
    private struct Part {
        var unit: Int
        var bytes: Range<Int>
        var rowCount: Int
    }

    private let batch: Batch
    /// By target, in the order of the units.
    private var parts: [[Part]]

    init(_ batch: Batch) {
        self.batch = batch
        parts = batch.plan.targets.map { _ in [] }
        for segment in batch.units.pointee.segments {
            let target = Int(segment.target)
            close(target, at: segment.start)
            parts[target].append(
                Part(unit: Int(segment.unit), bytes: segment.start.count..<segment.start.count, rowCount: -segment.start.rowCount))
        }
        for target in parts.indices { close(target, at: batch.tables[target].mark) }
    }

    /// Ends the last part of a target where the next one begins.
    private mutating func close(_ target: Int, at end: CopyBuffer.Mark) {
        guard let last = parts[target].indices.last else { return }
        parts[target][last].bytes = parts[target][last].bytes.lowerBound..<end.count
        parts[target][last].rowCount += end.rowCount
    }

    /// Rows for a target, without those of refused units.
    func rowCount(of target: Int) -> Int { sent(target, 0..<batch.units.pointee.units.count).reduce(0) { $0 + $1.rowCount } }

    /// The rows of some units for a target, without those that are refused, as pieces of the buffer.
    func pieces(_ target: Int, of units: Range<Int>) -> [UnsafeRawBufferPointer] {
        var ranges: [Range<Int>] = []
        for part in sent(target, units) {
            if let last = ranges.indices.last, ranges[last].upperBound == part.bytes.lowerBound {
                ranges[last] = ranges[last].lowerBound..<part.bytes.upperBound
            } else {
                ranges.append(part.bytes)
            }
        }
        return ranges.map { batch.tables[target].bytes($0) }
    }

    /// Units that are not refused, each with its rows for a target. A unit may come more than once.
    func units(of target: Int) -> some Sequence<(unit: Int, rows: UnsafeRawBufferPointer)> {
        sent(target, 0..<batch.units.pointee.units.count).map { ($0.unit, batch.tables[target].bytes($0.bytes)) }
    }

    /// The unit whose row was sent as number `row`, from 1, when `pieces` of the same units were sent; nil when there was no such row.
    func unit(ofRow row: Int, _ target: Int, of units: Range<Int>) -> Int? {
        var rowsBefore = 0
        for part in sent(target, units) {
            rowsBefore += part.rowCount
            if row <= rowsBefore { return part.unit }
        }
        return nil
    }

    private func sent(_ target: Int, _ units: Range<Int>) -> some Sequence<Part> {
        let list = parts[target]
        var start = 0
        var end = list.count
        while start < end {
            let middle = (start + end) / 2
            if list[middle].unit < units.lowerBound { start = middle + 1 } else { end = middle }
        }
        return list[start...].lazy.prefix { $0.unit < units.upperBound }.filter { batch.refusals[$0.unit] == nil }
    }
}

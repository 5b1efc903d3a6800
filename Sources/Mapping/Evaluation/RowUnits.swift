import CopyFormat

/// Which rows of the COPY buffers belong together: those that one mapping made of one message are stored or refused as one.
///
/// A unit is appended for each message and mapping that wrote rows, with one segment for each target it wrote to. Both lists are in the order of
/// the messages, so the segments of a target follow one another without a gap, and each ends where the next of the same target begins.
public struct RowUnits {
    public struct Unit {
        /// As the caller numbers its messages.
        public var message: UInt32
        /// Index in `MappingPlan.names`.
        public var mapping: UInt32
    }

    public struct Segment {
        public var unit: UInt32
        /// Index in `MappingPlan.targets`.
        public var target: UInt32
        /// Where its rows begin in the target's buffer: bytes and rows before it.
        public var start: CopyBuffer.Mark
    }

    public private(set) var units: [Unit] = []
    public private(set) var segments: [Segment] = []

    public init() {}

    public var isEmpty: Bool { units.isEmpty }

    /// The rows that a mapping has written of a message: those behind `mark` of each target.
    @inline(__always)
    mutating func append(
        message: UInt32, mapping: Int, targets: [Int], marks: [CopyBuffer.Mark], _ buffers: UnsafeMutablePointer<CopyBuffer>
    ) {
        let unit = UInt32(truncatingIfNeeded: units.count)
        units.append(Unit(message: message, mapping: UInt32(truncatingIfNeeded: mapping)))
        for index in targets.indices where buffers[targets[index]].rowCount > marks[index].rowCount {
            segments.append(Segment(unit: unit, target: UInt32(truncatingIfNeeded: targets[index]), start: marks[index]))
        }
    }

    public mutating func removeAll() {
        units.removeAll(keepingCapacity: true)
        segments.removeAll(keepingCapacity: true)
    }
}

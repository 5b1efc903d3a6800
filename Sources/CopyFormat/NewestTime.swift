/// The newest of the times in one column of rows, as they stand in a `CopyBuffer`. Reads the head of every field, and no more of most.
public struct NewestTime {
    private let field: Int
    private let limit: Int64
    /// Microseconds since 2000; nil as long as there was none.
    public private(set) var microseconds: Int64?

    /// - Parameters:
    ///   - field: its place in each row, from 0; a `timestamptz`.
    ///   - limit: microseconds since 2000; what is later is the word of a clock that is wrong, and does not count.
    public init(field: Int, limit: Int64) {
        self.field = field
        self.limit = limit
    }

    /// Looks at whole rows.
    public mutating func add(_ rows: UnsafeRawBufferPointer) {
        var newest = microseconds ?? Int64.min
        var place = 0
        while place + 2 <= rows.count {
            let count = Int(Int16(bigEndian: rows.loadUnaligned(fromByteOffset: place, as: Int16.self)))
            place += 2
            for index in 0..<max(count, 0) {
                let length = Int(Int32(bigEndian: rows.loadUnaligned(fromByteOffset: place, as: Int32.self)))
                place += 4
                if index == field, length == 8 {
                    let time = Int64(bigEndian: rows.loadUnaligned(fromByteOffset: place, as: Int64.self))
                    if time > newest, time <= limit { newest = time }
                }
                place += max(length, 0)
            }
        }
        if newest > .min { microseconds = newest }
    }
}

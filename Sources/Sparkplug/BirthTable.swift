/// The metrics that a birth certificate of a node or a device defines: names and datatypes, found by alias or by name. Immutable once made.
public final class BirthTable: Sendable {
    /// The most metrics that one certificate may have.
    public static let metricsMaximum = 200_000

    struct Metric {
        /// Lies in the table; valid as long as that is held.
        var name: UnsafeRawBufferPointer
        /// 0 or nil where the certificate does not say.
        var datatype: UInt32?
    }

    private struct Entry {
        var start: UInt32
        var count: UInt32
        var datatype: UInt32
        /// The next metric whose name has the same hash; −1: none.
        var next: Int32
    }

    // Written before the table is shared, and freed with it.
    nonisolated(unsafe) private let names: UnsafeRawBufferPointer
    private let entries: [Entry]
    private let byAlias: [UInt64: Int32]
    private let byName: [Int: Int32]

    /// FNV-1a over names, aliases and datatypes: the same for two certificates that define the same.
    public let digest: UInt64

    public var size: BirthSize { BirthSize(metrics: entries.count, bytes: names.count + entries.count * 96) }

    /// - Throws: when the payload cannot be read, or defines one alias twice for two names, which would leave data to a guess.
    public init(birth payload: UnsafeRawBufferPointer) throws(SparkplugError) {
        var text: [UInt8] = []
        var entries: [Entry] = []
        var byAlias: [UInt64: Int32] = [:]
        var byName: [Int: Int32] = [:]
        var digest = FNV1a()
        var reader = ProtobufReader(payload)
        while let field = try reader.next() {
            guard field.number == 2 else { continue }
            let metric = try MetricFields(try field.bytes("a metric"))
            guard !metric.name.isEmpty else { throw .nameless(metric: entries.count) }
            guard entries.count < Self.metricsMaximum else { throw .tooManyBirths("it has more than \(Self.metricsMaximum) metrics") }
            let index = Int32(truncatingIfNeeded: entries.count)
            if let alias = metric.alias, let other = byAlias.updateValue(index, forKey: alias) {
                let former = entries[Int(other)]
                let formerName = text[Int(former.start)..<Int(former.start + former.count)]
                guard formerName.elementsEqual(metric.name) else { throw .aliasTwice(alias) }
            }
            let next = byName.updateValue(index, forKey: Self.hash(metric.name)) ?? -1
            entries.append(
                Entry(
                    start: UInt32(truncatingIfNeeded: text.count), count: UInt32(truncatingIfNeeded: metric.name.count),
                    datatype: metric.datatype ?? 0, next: next))
            text.append(contentsOf: metric.name)
            digest.add(metric.name)
            digest.add(metric.alias ?? .max)
            digest.add(UInt64(metric.datatype ?? 0))
        }
        let names = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
        names.copyBytes(from: text)
        self.names = UnsafeRawBufferPointer(names)
        self.entries = entries
        self.byAlias = byAlias
        self.byName = byName
        self.digest = digest.value
    }

    deinit { names.deallocate() }

    func metric(alias: UInt64) -> Metric? { byAlias[alias].map { metric(Int($0)) } }

    func metric(named name: UnsafeRawBufferPointer) -> Metric? {
        guard var index = byName[Self.hash(name)] else { return nil }
        while index >= 0 {
            let found = metric(Int(index))
            if found.name.elementsEqual(name) { return found }
            index = entries[Int(index)].next
        }
        return nil
    }

    private func metric(_ index: Int) -> Metric {
        let entry = entries[index]
        let start = Int(entry.start)
        return Metric(name: UnsafeRawBufferPointer(rebasing: names[start..<start + Int(entry.count)]), datatype: entry.datatype)
    }

    /// Seeded anew in each process: nobody can choose names that collide.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        return hasher.finalize()
    }
}

/// What births take of what may be kept.
public struct BirthSize: Sendable, Equatable {
    public var metrics = 0
    /// Of memory: names, and what finds them.
    public var bytes = 0

    static func += (left: inout BirthSize, right: BirthSize) {
        left.metrics += right.metrics
        left.bytes += right.bytes
    }

    static func -= (left: inout BirthSize, right: BirthSize) {
        left.metrics -= right.metrics
        left.bytes -= right.bytes
    }
}

private struct FNV1a {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        add(UInt64(bytes.count))
    }

    mutating func add(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { value = (value ^ (number >> shift & 0xFF)) &* 0x100_0000_01b3 }
    }
}

/// Fills the slots of a mapping from each line of a CSV payload: the planned cells only, by place or by name.
public struct CSVDocument: Sendable {
    /// A cell that the mapping reads.
    private struct Wanted: Sendable {
        var cell: Int
        var slot: Int
    }

    public let options: CSVOptions
    /// Slots of paths that are a place (`line.0`) or, with names given in the mapping, resolved to one.
    private let places: [Wanted]
    /// Slots of paths that are names, to be found in each payload's own header, or in its pairs.
    private let names: [(name: [UInt8], slot: Int)]
    /// Slots of paths that count from the end of a line (`line.-1`): 1 is its last cell.
    private let fromEnd: [(distance: Int, slot: Int)]
    public let slotCount: Int
    /// Takes the line as an object of its named cells, or of all by their places where none has a name.
    private let wholeSlot: Int?

    /// - Parameters:
    ///   - wholeSlot: where the line as a whole goes.
    ///   - paths: below a line, one member each.
    ///   - slots: where each path's value goes.
    ///   - slotCount: how many slots a line fills.
    public init(options: CSVOptions, paths: [String], slots: [Int], slotCount: Int, wholeSlot: Int? = nil) {
        self.options = options
        self.wholeSlot = wholeSlot
        self.slotCount = slotCount
        var places: [Wanted] = []
        var names: [(name: [UInt8], slot: Int)] = []
        var fromEnd: [(distance: Int, slot: Int)] = []
        for (path, slot) in zip(paths, slots) {
            if case .names(let known) = options.header, known.contains(path) {
                for (cell, name) in known.enumerated() where name == path { places.append(Wanted(cell: cell, slot: slot)) }
            } else if path.hasPrefix("-"), let distance = Int(path.dropFirst()), distance > 0 {
                fromEnd.append((distance, slot))
            } else if let cell = Int(path), cell >= 0, options.header != .firstLine || !path.isEmpty {
                places.append(Wanted(cell: cell, slot: slot))
                if options.header == .firstLine || options.pairsFrom != nil { names.append((Array(path.utf8), slot)) }
            } else {
                names.append((Array(path.utf8), slot))
            }
        }
        self.places = places
        self.names = names
        self.fromEnd = fromEnd
    }

    /// Reads the lines of one payload.
    public struct Lines {
        private let document: CSVDocument
        private var reader: CSVReader
        /// In the order of the cells. A header may give one name to very many of them, so no cell looks at all.
        private var wanted: [Wanted]
        private let wholeBytesMax: Int
        /// Of the lines that were wanted as a whole.
        private var wholeBytes = 0
        /// The names of cells by their places; kept only where a line is wanted as a whole.
        private var header: [[UInt8]] = []
        public private(set) var lineIndex = -1

        /// - Parameters:
        ///   - bytes: the payload.
        ///   - wholeBytesMax: how many bytes the lines that are wanted as a whole may have together: a long header makes far more of a payload than it has
        ///     bytes.
        public init(
            _ document: CSVDocument, _ bytes: UnsafeRawBufferPointer, wholeBytesMax: Int = 64 * 1024 * 1024, scratch: inout ScratchMemory
        ) throws(CSVError) {
            self.document = document
            self.wholeBytesMax = min(wholeBytesMax, Int(UInt32.max))
            reader = try CSVReader(bytes, options: document.options)
            wanted = document.places.sorted { $0.cell < $1.cell }
            if document.wholeSlot != nil, case .names(let names) = document.options.header { header = names.map { Array($0.utf8) } }
            guard document.options.header == .firstLine else { return }
            var header: [[UInt8]] = []
            var named: [Wanted] = []
            let names = document.names
            let isThere = try reader.nextLine(scratch: &scratch) { cell, value in
                if document.wholeSlot != nil { header.append(Array(value.bytes)) }
                for name in names where value.bytes.elementsEqual(name.name) {
                    // Of two cells with one name the last one counts that a line has.
                    named.append(Wanted(cell: cell, slot: name.slot))
                }
            }
            guard isThere else { throw .noHeader }
            self.header = header
            let taken = Set(named.map(\.slot))
            wanted = (wanted.filter { !taken.contains($0.slot) } + named).sorted { $0.cell < $1.cell }
        }

        /// Fills the slots from the next line; false behind the last.
        public mutating func next(scratch: inout ScratchMemory, into slots: UnsafeMutablePointer<Value>) throws(CSVError) -> Bool {
            for slot in 0..<document.slotCount { slots[slot] = .missing }
            let wanted = wanted
            let pairsFrom = document.options.pairsFrom
            let names = document.names
            var pairName: Value?
            var cells: [Value] = []
            let isKept = document.wholeSlot != nil || !document.fromEnd.isEmpty
            var next = 0
            let isThere = try reader.nextLine(scratch: &scratch) { cell, value in
                if isKept { cells.append(value) }
                while next < wanted.count, wanted[next].cell <= cell {
                    if wanted[next].cell == cell { slots[wanted[next].slot] = value }
                    next += 1
                }
                guard let pairsFrom, cell >= pairsFrom else { return }
                if (cell - pairsFrom) % 2 == 0 {
                    pairName = value
                } else if let pairName {
                    for name in names where pairName.bytes.elementsEqual(name.name) { slots[name.slot] = value }
                }
            }
            if isThere { lineIndex += 1 }
            for place in document.fromEnd where isThere && place.distance <= cells.count {
                slots[place.slot] = cells[cells.count - place.distance]
            }
            guard isThere, let slot = document.wholeSlot else { return isThere }
            let object = object(cells).object(scratch: &scratch)
            slots[slot] = object
            wholeBytes += Int(object.count)
            guard wholeBytes <= wholeBytesMax else { throw .tooLong(bytesMax: wholeBytesMax) }
            return true
        }

        private func object(_ cells: [Value]) -> JSONMembers {
            var members = JSONMembers()
            for (name, cell) in zip(header, cells) { members.append(name, cell) }
            if let first = document.options.pairsFrom {
                for place in stride(from: first, to: cells.count - 1, by: 2) { members.append(Array(cells[place].bytes), cells[place + 1]) }
            } else if header.isEmpty {
                for (place, cell) in cells.enumerated() { members.append(Array(String(place).utf8), cell) }
            }
            return members
        }
    }

    /// All lines of a payload, each as an object, as the text of a JSON array in `scratch`.
    /// - Parameter bytesMax: how many bytes the objects may have together.
    public static func array(
        _ bytes: UnsafeRawBufferPointer, options: CSVOptions, bytesMax: Int = 64 * 1024 * 1024, scratch: inout ScratchMemory
    ) throws(CSVError) -> Value {
        let document = CSVDocument(options: options, paths: [], slots: [], slotCount: 1, wholeSlot: 0)
        var lines = try Lines(document, bytes, wholeBytesMax: bytesMax, scratch: &scratch)
        var members = JSONMembers()
        var line = Value.missing
        while try lines.next(scratch: &scratch, into: &line) { members.append([], line) }
        return members.array(scratch: &scratch)
    }
}

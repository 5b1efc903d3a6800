import Payload

/// Generated documents, read by our decoder and by Foundation's.
public enum JSONComparison {
    /// A document that the two read in different ways.
    public struct Difference: CustomStringConvertible, Sendable {
        public var index: Int
        public var text: [UInt8]
        public var reason: String

        public var description: String {
            "document \(index): \(reason): \(String(decoding: text.prefix(2000), as: UTF8.self).debugDescription)"
        }
    }

    /// What a run has seen.
    public struct Counts: Sendable {
        public var documents = 0
        public var refused = 0
        /// Documents with a repeated name.
        public var repeated = 0
        public var values = 0
        public var numbers = 0
        public var slots = 0
        public var differences: [Difference] = []
    }

    /// - Parameter indices: which documents of the seed, so that one can be seen again alone.
    public static func run(seed: UInt64, indices: Range<Int>) -> Counts {
        var counts = Counts()
        for index in indices {
            let document = JSONDocuments.document(seed: seed, index: index)
            counts.documents += 1
            if var reason = difference(document.text, &counts) {
                counts.differences.append(Difference(index: index, text: smallest(document.text, &reason), reason: reason))
                if counts.differences.count >= 20 { break }
            }
        }
        return counts
    }

    /// The innermost value that by itself shows a difference.
    private static func smallest(_ text: [UInt8], _ reason: inout String) -> [UInt8] {
        var counts = Counts()
        for part in parts(text) {
            if let inner = difference(part, &counts) {
                reason = inner
                return smallest(part, &reason)
            }
        }
        return text
    }

    private static func parts(_ text: [UInt8]) -> [[UInt8]] {
        text.withUnsafeBytes { bytes in
            guard let value = try? JSON.validate(bytes) else { return [] }
            var parts: [[UInt8]] = []
            var items = JSON.Items(value)
            var key = Value.missing
            var item = Value.missing
            while items.next(key: &key, item: &item) {
                let isText = item.kind == .string || item.kind == .escapedString
                let bytes = item.bytes.isEmpty && !isText ? Array("null".utf8) : Array(item.bytes)
                parts.append(isText ? [0x22] + bytes + [0x22] : bytes)
            }
            return parts
        }
    }

    private static func difference(_ text: [UInt8], _ counts: inout Counts) -> String? {
        let foundation = Result { try JSONReading.foundation(text) }
        let theirs = try? foundation.get()
        return text.withUnsafeBytes { bytes -> String? in
            let ours: JSONReading
            do throws(JSONReading.Refusal) {
                ours = try JSONReading.penstock(bytes)
            } catch {
                counts.refused += 1
                if theirs == nil { return nil }
                return isKnown(error, text) ? nil : "Foundation accepts, and we do not (\(error))"
            }
            if theirs == nil, holdsTooSmall(bytes) { return nil }
            guard let theirs else { return "we accept, and Foundation does not: \(foundation)" }
            // Damage may make one name of two. jsonb keeps the last of them, as we do, and Foundation the first.
            if ours.repeatsName {
                counts.repeated += 1
                return nil
            }
            counts.values += count(ours, numbers: &counts.numbers)
            if let reason = difference(ours, theirs) { return reason }
            return slots(bytes, theirs, &counts.slots)
        }
    }

    /// Where Foundation takes more than RFC 8259 says: a comma behind the last item, a byte order mark, NUL behind the value.
    private static func isKnown(_ refusal: JSONReading.Refusal, _ text: [UInt8]) -> Bool {
        guard case .text(let error) = refusal else { return false }
        switch error.reason {
        case .unexpected(UInt8(ascii: "]"), .value), .unexpected(UInt8(ascii: "}"), .name): return true
        case .byteOrderMark, .trailing(0): return true
        default: return false
        }
    }

    /// RFC 8259 §6 leaves the range of numbers open: one too small for a double is 0 to us, and to Foundation an error, as is 0e5.
    private static func holdsTooSmall(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let value = try? JSON.validate(text) else { return false }
        func isTooSmall(_ value: Value) -> Bool {
            if value.kind == .number {
                return (try? NumberText.double(value.bytes)) == 0
                    && value.bytes.contains { (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }
            }
            var items = JSON.Items(value)
            var key = Value.missing
            var item = Value.missing
            while items.next(key: &key, item: &item) { if isTooSmall(item) { return true } }
            return false
        }
        return isTooSmall(value)
    }

    private static func count(_ reading: JSONReading, numbers: inout Int) -> Int {
        switch reading {
        case .number:
            numbers += 1
            return 1
        case .array(let items): return items.reduce(1) { $0 + count($1, numbers: &numbers) }
        case .object(let members): return members.reduce(1) { $0 + count($1.value, numbers: &numbers) }
        default: return 1
        }
    }

    private static func difference(_ ours: JSONReading, _ theirs: JSONReading, _ path: String = "$") -> String? {
        switch (ours, theirs) {
        case (.number(let one, let whole), .number(let other, let otherWhole)):
            // Foundation goes through a double for a whole number that is not written as one: there it may be one off.
            if one == other, whole == otherWhole || whole == nil || otherWhole == nil || Double(whole ?? 0) == Double(otherWhole ?? 0) {
                return nil
            }
            return "\(path) is \(Double(bitPattern: one)) (\(whole as Any)), and \(Double(bitPattern: other)) (\(otherWhole as Any)) there"
        case (.array(let one), .array(let other)) where one.count == other.count:
            for (index, (one, other)) in zip(one, other).enumerated() {
                if let reason = difference(one, other, path + ".\(index)") { return reason }
            }
            return nil
        case (.object(let one), .object(let other)) where one.map(\.name) == other.map(\.name):
            for (one, other) in zip(one, other) {
                if let reason = difference(one.value, other.value, path + "." + String(decoding: one.name, as: UTF8.self)) { return reason }
            }
            return nil
        default: return ours == theirs ? nil : "\(path) is \("\(ours)".prefix(300)), and \("\(theirs)".prefix(300)) there"
        }
    }

    // MARK: Slots

    /// The way that messages take: a few paths are wanted, and filled in one pass.
    private static func slots(_ text: UnsafeRawBufferPointer, _ theirs: JSONReading, _ count: inout Int) -> String? {
        var places: [(path: [String], value: JSONReading)] = []
        collect(theirs, [], &places)
        // Every third place, so that what lies between them has to be passed over.
        let wanted = places.enumerated().filter { $0.offset % 3 == 0 }.prefix(24).map(\.element)
        let trie = PathTrie(paths: wanted.map(\.path) + [["no such member", "x"]])
        return withUnsafeTemporaryAllocation(of: Value.self, capacity: trie.slotCount) { slots -> String? in
            guard let first = slots.baseAddress else { return nil }
            do throws(JSONError) { try JSON.decode(text, trie: trie, into: first) } catch { return "validated, and not decoded: \(error)" }
            for (slot, place) in zip(trie.slots, wanted) {
                count += 1
                guard let ours = try? JSONReading(slots[slot]) else { return "no value at \(place.path)" }
                if let reason = difference(ours, place.value, "slot \(place.path)") { return reason }
            }
            return slots[trie.slots[wanted.count]].kind == .missing ? nil : "a value at a path that leads nowhere"
        }
    }

    private static func collect(_ reading: JSONReading, _ path: [String], _ places: inout [(path: [String], value: JSONReading)]) {
        places.append((path, reading))
        switch reading {
        case .array(let items): for (index, item) in items.enumerated() { collect(item, path + [String(index)], &places) }
        case .object(let members):
            for member in members { collect(member.value, path + [String(decoding: member.name, as: UTF8.self)], &places) }
        default: break
        }
    }
}

@testable import Payload

/// What a slot holds, as text: the kind, and the bytes that a textual kind points to.
func words(_ value: Value) -> String {
    let text = String(decoding: value.bytes, as: UTF8.self)
    return switch value.kind {
    case .missing, .null, .true, .false: "\(value.kind)"
    case .integer: "\(Int64(bitPattern: value.word))"
    case .number: text
    case .string: "'\(text)'"
    case .escapedString: "escaped '\(text)'"
    case .object, .array: text
    default: "\(value.kind) \(text)"
    }
}

/// A path in the short form of the tests: names with points between them.
func path(_ text: String) -> [String] { text == "$" ? [] : text.split(separator: ".").map(String.init) }

/// The text of a value, its escapes decoded.
func unescaped(_ value: Value) -> String {
    let room = UnsafeMutableRawPointer.allocate(byteCount: max(Int(value.count), 1), alignment: 1)
    defer { room.deallocate() }
    let count = JSON.unescape(value, into: room)
    return String(decoding: UnsafeRawBufferPointer(start: room, count: count), as: UTF8.self)
}

/// Decodes a document and gives what each path leads to, in the order of the paths.
func read(_ document: [UInt8], _ paths: [String], options: JSON.Options = JSON.Options()) throws -> [String] {
    let trie = PathTrie(paths: paths.map(path))
    let slots = UnsafeMutablePointer<Value>.allocate(capacity: trie.slotCount + 1)
    defer { slots.deallocate() }
    // One value behind the last slot shows a write too far.
    (slots + trie.slotCount).initialize(to: .integer(4711))
    return try withGuardedBytes(document) { bytes in
        try JSON.decode(bytes, options: options, trie: trie, into: slots)
        precondition(slots[trie.slotCount].word == 4711, "the decoder wrote behind the last slot")
        return trie.slots.map { words(slots[$0]) }
    }
}

func read(_ document: String, _ paths: [String], options: JSON.Options = JSON.Options()) throws -> [String] {
    try read(Array(document.utf8), paths, options: options)
}

/// The error that a text gives, or nil where it is JSON; checked and decoded, with and without paths, it must give the same.
func failure(_ document: [UInt8], options: JSON.Options = JSON.Options()) -> JSONError? {
    var failures: [JSONError?] = []
    for atFront in [false, true] {
        withGuardedBytes(document, atFront: atFront) { bytes in
            do throws(JSONError) {
                try JSON.validate(bytes, options: options)
                failures.append(nil)
            } catch { failures.append(error) }
        }
    }
    for paths in [[], ["$"], ["a", "b.c", "0", "1.0", "list.1.x"], ["x.y.z"]] {
        do {
            _ = try read(document, paths, options: options)
            failures.append(nil)
        } catch let error as JSONError { failures.append(error) } catch { preconditionFailure("\(error)") }
    }
    precondition(failures.allSatisfy { ($0 == nil) == (failures[0] == nil) }, "paths change whether \(document) is JSON: \(failures)")
    return failures[0]
}

func failure(_ document: String, options: JSON.Options = JSON.Options()) -> JSONError? { failure(Array(document.utf8), options: options) }

/// The bytes of a text written as hexadecimal digits.
func bytes(hex: String) -> [UInt8] {
    var digits = hex.filter { !$0.isWhitespace }[...]
    var bytes: [UInt8] = []
    while digits.count >= 2 {
        bytes.append(UInt8(digits.prefix(2), radix: 16) ?? 0)
        digits = digits.dropFirst(2)
    }
    return bytes
}

/// A small generator with a seed, so that a failing case comes again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

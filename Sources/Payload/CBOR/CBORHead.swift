/// The head of an item of CBOR (RFC 8949 §3): what it is and a number.
struct CBORHead {
    /// RFC 8949 §3.1.
    enum Major: UInt8 {
        case unsigned, negative, bytes, text, array, map, tag, simple
    }

    /// Where the item starts.
    let start: Int
    let major: Major
    /// The low five bits of the first byte.
    let information: UInt8
    /// The number itself, a length, a count, a tag, a simple value or the bits of a float; 0 where the length is indefinite.
    let argument: UInt64

    /// A string, an array or a map that goes on until a break.
    var isIndefinite: Bool { information == 31 }

    /// What ends an item of indefinite length.
    static let breakByte: UInt8 = 0xFF
}

extension TreeInput {
    /// Reads a head; additional information 28 to 30, and 31 where nothing can be of indefinite length, are not well-formed (RFC 8949
    /// appendix F).
    mutating func head() throws(TreeError) -> CBORHead {
        let start = position
        let first = try byte()
        let information = first & 0x1F
        var argument: UInt64 = 0
        switch information {
        case 0..<24: argument = UInt64(information)
        case 24...27: argument = try number(byteCount: 1 << Int(information - 24))
        case 28...30: throw failure(.reserved(first), at: start)
        // 31 is what is left of five bits.
        default:
            if first == CBORHead.breakByte { throw failure(.unexpectedBreak, at: start) }
            guard (2...5).contains(first >> 5) else { throw failure(.reserved(first), at: start) }
        }
        guard let major = CBORHead.Major(rawValue: first >> 5) else { throw failure(.reserved(first), at: start) }
        return CBORHead(start: start, major: major, information: information, argument: argument)
    }

    /// Takes the break that ends an item of indefinite length, if it stands here.
    mutating func takeBreak() throws(TreeError) -> Bool {
        guard next == CBORHead.breakByte else { return false }
        _ = try byte()
        return true
    }

    /// The strings that a string of indefinite length is made of (RFC 8949 §3.2.3), one after the other.
    mutating func forEachChunk(
        of string: CBORHead, _ body: (UnsafeRawBufferPointer) throws(TreeError) -> Void
    ) throws(TreeError) {
        while try !takeBreak() {
            let chunk = try head()
            guard chunk.major == string.major, !chunk.isIndefinite else { throw failure(.invalidChunk, at: chunk.start) }
            try body(try content(of: chunk))
        }
    }

    /// The content of a string of definite length; text is UTF-8 for certain.
    mutating func content(of string: CBORHead) throws(TreeError) -> UnsafeRawBufferPointer {
        string.major == .text ? try text(string.argument, of: string.start) : try take(string.argument, of: string.start)
    }
}

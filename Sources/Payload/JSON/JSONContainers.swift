extension JSONScanner {
    /// Whether an object or an array starts here: '[' and '{' differ in one bit.
    @inline(always) static func isOpening(_ byte: UInt8) -> Bool { byte | 0x20 == UInt8(ascii: "{") }

    @inline(always) func checkDepth(_ depth: Int, at place: Place) throws(JSONError) {
        guard _fastPath(depth < maximumDepth) else {
            throw failure(.tooDeep(levels: UInt16(truncatingIfNeeded: maximumDepth)), at: place)
        }
    }

    /// Reads any value at `place`, which is not the end, and moves `place` behind it; `depth` containers are open around it.
    @inline(always) func value(_ place: inout Place, depth: Int) throws(JSONError) -> Value {
        let first = place
        guard Self.isOpening(first.pointee) else { return try scalar(&place) }
        place = try container(first, depth: depth)
        return Value(kind: first.pointee == UInt8(ascii: "{") ? .object : .array, start: first, count: place - first)
    }

    /// From an opening bracket to behind the closing one, without recursion: one bit of `enclosing` per open level says what it is.
    /// Only what is nested 64 levels deeper than this call starts a new one, so the stack holds a few frames at the largest depth allowed.
    @inline(never) func container(_ opening: Place, depth: Int) throws(JSONError) -> Place {
        var place = opening
        var isObject = opening.pointee == UInt8(ascii: "{")
        var enclosing: UInt64 = 0
        var levels = 0
        while true {
            // An opening bracket stands here.
            try checkDepth(depth &+ levels, at: place)
            place = try next(place + 1)
            // '}' and ']' stand two above '{' and '['.
            var isClosed = place.pointee == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
            if isClosed {
                place += 1
            } else if isObject, place.pointee != UInt8(ascii: "\"") {
                throw unexpected(.nameOrEnd, at: place)
            }
            while true {
                if !isClosed {
                    if isObject {
                        guard place.pointee == UInt8(ascii: "\"") else { throw unexpected(.name, at: place) }
                        place = try overColon(closingQuote(from: place + 1).quote + 1)
                    }
                    if Self.isOpening(place.pointee) {
                        if levels < 64 {
                            enclosing = enclosing &<< 1 | (isObject ? 1 : 0)
                            levels &+= 1
                            isObject = place.pointee == UInt8(ascii: "{")
                            break
                        }
                        place = try container(place, depth: depth &+ levels &+ 1)
                    } else {
                        _ = try scalar(&place)
                    }
                    place = try next(place)
                    if place.pointee == UInt8(ascii: ",") {
                        place = try next(place + 1)
                        continue
                    }
                    guard place.pointee == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                        throw unexpected(isObject ? .commaOrBrace : .commaOrBracket, at: place)
                    }
                    place += 1
                }
                // A closed container is itself an item that has just been read.
                repeat {
                    if levels == 0 { return place }
                    isObject = enclosing & 1 == 1
                    enclosing &>>= 1
                    levels &-= 1
                    place = try next(place)
                    isClosed = place.pointee == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                    if isClosed { place += 1 }
                } while isClosed
                guard place.pointee == UInt8(ascii: ",") else {
                    throw unexpected(isObject ? .commaOrBrace : .commaOrBracket, at: place)
                }
                place = try next(place + 1)
            }
        }
    }
}

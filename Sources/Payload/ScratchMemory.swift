/// Memory for what a message needs beside its own bytes (decoded escapes, unquoted cells, joined texts): handed out in order, taken back all at once.
///
/// What it hands out stays where it is until `reset`; after the first messages nothing is allocated any more.
public struct ScratchMemory: ~Copyable {
    private var chunks: [UnsafeMutableRawBufferPointer] = []
    private var chunk = 0
    private var used = 0
    private let chunkBytes: Int
    /// A chunk that is larger is given back with `reset`, unless it is the first: one large message must not hold its memory for ever.
    private static let keptBytesMax = 4 * 1024 * 1024

    /// - Parameter chunkBytes: the size of a chunk; a larger request gets a chunk of its own.
    public init(chunkBytes: Int = 64 * 1024) {
        self.chunkBytes = chunkBytes
    }

    deinit { for chunk in chunks { chunk.deallocate() } }

    /// Takes everything back; keeps the first chunk, gives the others back when they are large.
    public mutating func reset() {
        if chunk > 0 || used > 0 { resetChunks() }
    }

    private mutating func resetChunks() {
        while chunks.count > 4, let last = chunks.popLast() { last.deallocate() }
        var kept = 1
        for index in chunks.indices.dropFirst() {
            if chunks[index].count > Self.keptBytesMax {
                chunks[index].deallocate()
            } else {
                chunks[kept] = chunks[index]
                kept += 1
            }
        }
        if kept < chunks.count { chunks.removeLast(chunks.count - kept) }
        chunk = 0
        used = 0
    }

    /// A place to come back to.
    public struct Mark {
        fileprivate var chunk: Int
        fileprivate var used: Int
    }

    public var mark: Mark { Mark(chunk: chunk, used: used) }

    /// Takes back what was handed out since `mark`.
    public mutating func release(to mark: Mark) {
        chunk = mark.chunk
        used = mark.used
    }

    /// Room for `count` bytes. What is not needed after all is given back with `giveBack`.
    public mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        while chunk < chunks.count {
            if chunks[chunk].count - used >= count {
                defer { used += count }
                return chunks[chunk].baseAddress.unsafelyUnwrapped + used
            }
            chunk += 1
            used = 0
        }
        let made = UnsafeMutableRawBufferPointer.allocate(byteCount: max(chunkBytes, count), alignment: 16)
        chunks.append(made)
        used = count
        return made.baseAddress.unsafelyUnwrapped
    }

    /// Makes what was handed out last larger, in its place where there is room behind it; otherwise it moves, and what it holds with it.
    /// - Parameters:
    ///   - place: where it starts.
    ///   - count: how many bytes it has.
    ///   - newCount: not less than `count`.
    public mutating func enlarge(_ place: UnsafeMutableRawPointer, from count: Int, to newCount: Int) -> UnsafeMutableRawPointer {
        precondition(count <= newCount && count <= used && chunk < chunks.count, "only what was handed out last can be made larger")
        let own = chunks[chunk]
        let start = used - count
        precondition(own.baseAddress.unsafelyUnwrapped + start == place, "only what was handed out last can be made larger")
        if own.count - start >= newCount {
            used = start + newCount
            return place
        }
        guard start == 0 else {
            let made = allocate(newCount)
            made.copyMemory(from: place, byteCount: count)
            return made
        }
        // Nothing else is in its chunk, which is outgrown.
        let made = UnsafeMutableRawBufferPointer.allocate(byteCount: newCount, alignment: 16)
        let target = made.baseAddress.unsafelyUnwrapped
        target.copyMemory(from: place, byteCount: count)
        own.deallocate()
        chunks[chunk] = made
        used = newCount
        return target
    }

    /// The last `count` bytes handed out were not used.
    public mutating func giveBack(_ count: Int) {
        precondition(count >= 0 && count <= used, "only what was handed out last can be given back")
        used -= count
    }
}

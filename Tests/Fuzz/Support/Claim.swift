/// Ends the run with a finding where what is claimed does not hold.
@inline(__always) public func claim(
    _ isTrue: @autoclosure () -> Bool, _ words: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !isTrue() { fatalError("claim refuted: \(words())", file: file, line: line) }
}

extension UnsafeRawBufferPointer {
    /// Whether other bytes lie within these.
    public func holds(_ other: UnsafeRawBufferPointer) -> Bool {
        guard let start = baseAddress, let otherStart = other.baseAddress else { return other.isEmpty }
        return otherStart >= start && otherStart + other.count <= start + count
    }
}

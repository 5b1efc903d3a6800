import Testing

/// What a test waited for in vain.
struct DidNotHappen: Error, CustomStringConvertible {
    let what: String
    let limit: Duration

    var description: String { "within \(limit) it did not happen that \(what)" }
}

/// Waits until a condition holds, and gives up with an error that names it.
func waitUntil(
    _ what: String, within limit: Duration = .seconds(20), every pause: Duration = .milliseconds(10), _ holds: () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try !holds() {
        guard ContinuousClock.now < deadline else { throw DidNotHappen(what: what, limit: limit) }
        try await Task.sleep(for: pause)
    }
}

import Testing

@testable import Ingest

@Suite("Whether a session may publish")
struct PublishingTrustTests {
    @Test("Connections that end on what we publish, one after the other, end the publishing")
    func lockedOut() {
        var trust = PublishingTrust()
        let first = trust.connectionEnded(unacknowledged: 1)
        #expect(!first && trust.isAllowed)
        _ = trust.connectionEnded(unacknowledged: 2)
        let third = trust.connectionEnded(unacknowledged: 2)
        #expect(third && !trust.isAllowed)
        let fourth = trust.connectionEnded(unacknowledged: 2)
        #expect(!fourth, "told once")
    }

    @Test("One message that was ever acknowledged shows that it is not for publishing that connections end")
    func trusted() {
        var trust = PublishingTrust()
        _ = trust.connectionEnded(unacknowledged: 1)
        trust.acknowledged()
        for _ in 0..<5 { _ = trust.connectionEnded(unacknowledged: 1) }
        #expect(trust.isAllowed)
    }

    @Test("A connection that ends with nothing unacknowledged says nothing")
    func nothingUnderWay() {
        var trust = PublishingTrust()
        for _ in 0..<5 { _ = trust.connectionEnded(unacknowledged: 0) }
        #expect(trust.isAllowed)
    }
}

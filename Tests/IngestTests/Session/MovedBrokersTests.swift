import Testing

@testable import Ingest

@Suite("Brokers that have moved")
struct MovedBrokersTests {
    private let list = [BrokerEndpoint(host: "a"), BrokerEndpoint(host: "z")]

    private func referred(_ name: String) throws -> BrokerEndpoint { try #require(list[0].referred(to: name)) }

    @Test("one that has moved twice is looked for at its last place, by way of the first")
    func chain() throws {
        var moved = MovedBrokers()
        var isListed = moved.move(from: list[0], to: try referred("b"), list: list)
        #expect(isListed)
        #expect(moved.place(of: list[0]) == (try referred("b")))
        isListed = moved.move(from: try referred("b"), to: try referred("c"), list: list)
        #expect(isListed)
        #expect(moved.place(of: list[0]) == (try referred("c")))
        #expect(moved.place(of: list[1]) == list[1])
    }

    @Test("what no address of the list leads to is nothing to keep")
    func stranger() throws {
        var moved = MovedBrokers()
        let isListed = moved.move(from: try referred("x"), to: try referred("y"), list: list)
        #expect(!isListed)
        #expect(moved.place(of: list[0]) == list[0])
    }

    @Test("brokers that lead on and on are left for the address of the list", arguments: [true, false])
    func bound(isCircle: Bool) throws {
        var moved = MovedBrokers()
        for number in 0..<MovedBrokers.movesMaximum {
            let next = try referred(isCircle ? (number % 2 == 0 ? "b" : "a") : "b\(number)")
            _ = moved.move(from: moved.place(of: list[0]), to: next, list: list)
            #expect(moved.place(of: list[0]) == next)
        }
        _ = moved.move(from: moved.place(of: list[0]), to: try referred("e"), list: list)
        #expect(moved.place(of: list[0]) == list[0])
    }
}

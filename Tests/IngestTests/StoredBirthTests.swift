import Mapping
import Store
import Testing

@testable import Ingest

@Suite("Births of a batch: the last one of each, with what is known of since when it holds")
struct StoredBirthTests {
    private func birth(_ node: String, since: Int64, bdSeq: UInt64? = 4, digest: UInt64 = 1, payload: UInt8 = 0) -> StoredBirth {
        StoredBirth(
            key: .init(group: "G", node: node, device: ""), bornMilliseconds: nil, bdSeq: bdSeq, receivedMicroseconds: since,
            sinceMicroseconds: since, digest: digest, payload: [payload])
    }

    private func batch() -> Batch { Batch(plan: MappingPlan([]), clientIdentifierPrefix: "c-") }

    @Test("the same definitions in the same session have held since the first")
    func extends() throws {
        let batch = batch()
        #expect(!batch.needsCommit)
        batch.keep(birth("N", since: 5))
        batch.keep(birth("N", since: 9, payload: 1))
        batch.keep(birth("M", since: 7))
        #expect(batch.needsCommit && batch.births.count == 2)
        let kept = try #require(batch.births[.init(group: "G", node: "N", device: "")])
        #expect(kept.sinceMicroseconds == 5 && kept.payload == [1])
        batch.reset(keepingCapacityUpTo: 0)
        #expect(batch.births.isEmpty)
    }

    @Test(
        "other definitions, another session, or none that is known: since it came",
        arguments: [(4, 2), (5, 1), (nil, 1)] as [(UInt64?, UInt64)])
    func beginsAnew(bdSeq: UInt64?, digest: UInt64) {
        let batch = batch()
        batch.keep(birth("N", since: 5, bdSeq: bdSeq == nil ? nil : 4))
        batch.keep(birth("N", since: 9, bdSeq: bdSeq, digest: digest))
        #expect(batch.births.values.map(\.sinceMicroseconds) == [9])
    }

    @Test("two writers lock rows in one order; names are quoted, payloads are bytes")
    func isOrdered() throws {
        let sql = BirthCertificateTable.upsert([birth("b'", since: 1, payload: 0xAB), birth("a", since: 2)])
        let first = try #require(sql.range(of: "E'a'"))
        let second = try #require(sql.range(of: "E'b'''"))
        #expect(first.lowerBound < second.lowerBound)
        #expect(sql.contains("decode('ab', 'hex')"))
    }
}

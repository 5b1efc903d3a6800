import Testing

@testable import Sparkplug

@Suite("A node is asked for its births, and what was stored answers for what came before")
struct RebirthTests {
    static let minute: Int64 = 60_000_000

    @Test("one command a node in thirty seconds")
    func isRateLimited() {
        var host = Host()
        _ = host.read("spBv1.0/G/NDATA/N", BirthTests.data(1))
        let command = host.asks("spBv1.0/G/NDATA/N")
        #expect(command?.topic == "spBv1.0/G/NCMD/N")
        #expect(host.asks("spBv1.0/G/DDATA/N/D") == nil)
        _ = host.read("spBv1.0/G/NDATA/M", BirthTests.data(1))
        #expect(host.asks("spBv1.0/G/NDATA/M") != nil)
        host.now += 29_999_999
        #expect(host.asks("spBv1.0/G/NDATA/N") == nil)
        host.now += 1
        #expect(host.asks("spBv1.0/G/NDATA/N") != nil)
        host.now -= Self.minute
        #expect(host.asks("spBv1.0/G/NDATA/N") != nil, "a clock that was set back silences nobody")
        #expect(host.asks("spBv1.0/STATE/host") == nil)
    }

    @Test("the command as the reference implementation encodes it")
    func encodes() {
        let command = RebirthCommand(group: "G", node: "N", milliseconds: 1_700_000_000_000)
        #expect(command.payload == bytes("0880d095ffbc3112210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b7001"))
    }

    @Test("a birth holds since it came; one that was asked for, since the data that made us ask")
    func knowsSinceWhen() {
        var host = Host()
        let start = host.now
        _ = host.read("spBv1.0/G/NDATA/N", BirthTests.data(9))
        host.now += Self.minute
        _ = host.read("spBv1.0/G/NBIRTH/N", BirthTests.nbirth)
        #expect(host.decoder.notes.birth?.sinceMicroseconds == start)
        let device = Wire.payload(seq: 1, [Wire.metric("temp", alias: 20, type: .int16, int: 0)])
        host.now += 1
        _ = host.read("spBv1.0/G/DBIRTH/N/D", device)
        #expect(host.decoder.notes.birth?.sinceMicroseconds == start)
        #expect(host.decoder.notes.birth?.bdSeq == 4)
        // Born once more in the same session: it may define something else.
        host.now += Self.minute
        _ = host.read("spBv1.0/G/DBIRTH/N/D", Wire.payload(seq: 2, [Wire.metric("temp", alias: 21, type: .int16, int: 0)]))
        #expect(host.decoder.notes.birth?.sinceMicroseconds == host.now)

        // A death parts what came before it from what comes after.
        _ = host.read("spBv1.0/G/NDEATH/N", BirthTests.death(4))
        host.now += Self.minute
        _ = host.read("spBv1.0/G/NBIRTH/N", BirthTests.nbirth)
        #expect(host.decoder.notes.birth?.sinceMicroseconds == host.now)

        // An answer that comes much later may be of another session.
        _ = host.read("spBv1.0/G/NDATA/N", BirthTests.data(9))
        host.now += 6 * Self.minute
        _ = host.read("spBv1.0/G/NBIRTH/N", BirthTests.nbirth)
        #expect(host.decoder.notes.birth?.sinceMicroseconds == host.now)
    }

    @Test(
        "a birth holds from its own coming where another one may have been before it",
        arguments: ["a gap", "a death of the device", "none"])
    func knowsNoEarlierThan(_ between: String) {
        var host = Host()
        func device(_ seq: UInt64) -> [UInt8] { Wire.payload(seq: seq, [Wire.metric("temp", alias: 20, type: .int16, int: 0)]) }
        _ = host.read("spBv1.0/G/NBIRTH/N", BirthTests.nbirth)
        let born = host.now
        host.now += Self.minute
        switch between {
        case "a gap": _ = host.read("spBv1.0/G/DDATA/N/D", BirthTests.data(2, alias: 20))
        case "a death of the device":
            _ = host.read("spBv1.0/G/DBIRTH/N/D", device(1))
            _ = host.read("spBv1.0/G/DDEATH/N/D", Wire.payload(seq: 2, []))
        default:
            _ = host.read("spBv1.0/G/NDATA/N", BirthTests.data(1))
            _ = host.read("spBv1.0/G/NDATA/N", BirthTests.data(2))
        }
        host.now += Self.minute
        _ = host.read("spBv1.0/G/DBIRTH/N/D", device(3))
        #expect(host.decoder.notes.birth?.sinceMicroseconds == (between == "none" ? born : host.now))
        // The node answers a minute later: it cannot speak for what came before the device's last birth.
        let last = host.now
        host.now += Self.minute
        _ = host.read("spBv1.0/G/NBIRTH/N", BirthTests.nbirth)
        #expect(host.decoder.notes.birth?.sinceMicroseconds ?? 0 >= last)
    }

    @Test("an answer speaks for what was in doubt if it is of the session that was known, and of no other", arguments: [4, 5])
    func knowsItsSession(_ bdSeq: UInt64) {
        var host = Host()
        _ = host.read("spBv1.0/G/NBIRTH/N", BirthTests.nbirth)
        host.now += Self.minute
        _ = host.read("spBv1.0/G/NDATA/N", BirthTests.data(2))
        let doubted = host.now
        host.now += Self.minute
        _ = host.read("spBv1.0/G/NBIRTH/N", Wire.payload(seq: 0, [Wire.bdSeq(bdSeq), Wire.metric("rpm", alias: 7, type: .int32, int: 1)]))
        #expect(host.decoder.notes.birth?.sinceMicroseconds == (bdSeq == 4 ? doubted : host.now))
    }

    @Test("births that define the same have the same digest, whatever their values")
    func digests() throws {
        func digest(_ metrics: [[UInt8]]) throws -> UInt64 {
            try Wire.payload(seq: 0, metrics).withUnsafeBytes { try BirthTable(birth: $0).digest }
        }
        let one = try digest([Wire.metric("a", alias: 1, type: .int8, int: 0)])
        #expect(try digest([Wire.metric("a", alias: 1, type: .int8, int: 9)]) == one)
        #expect(try digest([Wire.metric("a", alias: 2, type: .int8, int: 0)]) != one)
        #expect(try digest([Wire.metric("b", alias: 1, type: .int8, int: 0)]) != one)
        #expect(try digest([Wire.metric("a", alias: 1, type: .int16, int: 0)]) != one)
    }

    @Test("a stored birth answers for messages since it holds, and nothing that is replayed changes anything")
    func readsArchive() throws {
        let entry = try BirthTests.nbirth.withUnsafeBytes {
            try BirthArchive.Entry(
                payload: $0, sinceMicroseconds: 1_700_000_000_000_000, receivedMicroseconds: 1_700_000_000_000_500)
        }
        let archive = BirthArchive([BirthArchive.Key(group: "G", node: "N", device: ""): entry])
        var host = Host(.stored(archive))
        #expect(host.read("spBv1.0/G/NDATA/N", BirthTests.data(200)) == "rpm=1450")
        #expect(host.read("spBv1.0/G/NDATA/N", BirthTests.data(3)) == "rpm=1450")
        #expect(host.decoder.notes.birth == nil && !host.decoder.notes.needsBirth)
        #expect(host.asks("spBv1.0/G/NDATA/N") == nil)
        host.now += 499
        archive.begin(wasRefused: true)
        #expect(host.read("spBv1.0/G/NDATA/N", BirthTests.data(4)) == "rpm=1450", "it came before the birth did")
        host.now += 1
        #expect(
            host.read("spBv1.0/G/NDATA/N", BirthTests.data(4))
                == "alias 7 of node G/N is not known: the birth certificate that is stored came before, and none has come since that would make it certain"
        )
        archive.begin(wasRefused: false)
        #expect(host.read("spBv1.0/G/NDATA/N", BirthTests.data(4)) == "rpm=1450", "it was certain then, and failed for another reason")
        host.now -= 501
        #expect(
            host.read("spBv1.0/G/NDATA/N", BirthTests.data(3))
                == "alias 7 of node G/N is not known: the birth certificate that is stored is a later one")
        #expect(host.read("spBv1.0/G/NDATA/M", BirthTests.data(3)) == "alias 7 of node G/M is not known: no birth certificate is stored")
        #expect(host.read("spBv1.0/G/NBIRTH/M", BirthTests.nbirth) == "bdSeq=4 rpm=1 load=2")
        #expect(host.decoder.notes.birth == nil)
    }
}

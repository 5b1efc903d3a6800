import Testing

@testable import Sparkplug

@Suite("An alias means what the birth certificate in force says, or nothing")
struct BirthTests {
    static let nbirth = Wire.payload(
        seq: 0, [Wire.bdSeq(4), Wire.metric("rpm", alias: 7, type: .int32, int: 1), Wire.metric("load", alias: 8, type: .uint16, int: 2)])

    static func data(_ seq: UInt64, alias: UInt64 = 7, _ value: UInt64 = 1450) -> [UInt8] {
        Wire.payload(seq: seq, [Wire.metric(alias: alias, int: value)])
    }

    static func death(_ bdSeq: UInt64) -> [UInt8] { Wire.payload(seq: nil, [Wire.bdSeq(bdSeq)]) }

    @Test("data carry the alias alone: name and datatype come from the birth")
    func resolves() {
        var host = Host()
        #expect(host.read("spBv1.0/G/NBIRTH/N", Self.nbirth) == "bdSeq=4 rpm=1 load=2")
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(1, 0xFFFF_FFFB)) == "rpm=-5")
        #expect(
            host.receive("spBv1.0/G/NDATA/N", Wire.payload(seq: 2, [Wire.metric(alias: 8, int: 9)]))
                == #"{"timestamp":1700000000000,"seq":2,"metrics":[{"name":"load","alias":8,"datatype":"UInt16","value":9}]}"#)
        #expect(!host.decoder.notes.needsBirth)
    }

    @Test("data that carry the name take the datatype from the birth")
    func resolvesDatatypes() {
        var host = Host()
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        #expect(host.read("spBv1.0/G/NDATA/N", Wire.payload(seq: 1, [Wire.metric("rpm", int: 0xFFFF_FFFF)])) == "rpm=-1")
        #expect(
            host.read("spBv1.0/G/NDATA/N", Wire.payload(seq: 2, [Wire.metric("other", int: 1)]))
                == "metric 'other' comes without its datatype: the birth certificate does not have it")
        #expect(host.decoder.notes.needsBirth)
    }

    @Test("without a birth an alias is not known; data with names and datatypes need none")
    func needsBirth() {
        var host = Host()
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(9)) == "alias 7 of node G/N is not known: no birth certificate was seen")
        #expect(host.decoder.notes.needsBirth)
        #expect(host.read("spBv1.0/G/NDATA/N", Wire.payload(seq: 10, [Wire.metric("rpm", type: .int32, int: 3)])) == "rpm=3")
        #expect(host.decoder.notes.needsBirth, "the node is asked all the same: others of its data may carry aliases")
        #expect(
            host.read("other/topic", Self.data(9)) == "alias 7 of the payload is not known: the topic is not spBv1.0/{group}/{type}/{node}")
        #expect(
            host.read("spBv1.0/STATE/host", Array("{}".utf8))
                == "STATE messages are JSON: take them with a mapping of their own (decode: json)")
    }

    @Test(
        "a birth that cannot be taken ends the former ones all the same: what it would have said is not known",
        arguments: [
            Wire.payload(seq: 0, [Wire.bdSeq(5), Wire.metric("torque", alias: 7), Wire.metric("power", alias: 7)]),
            Wire.payload(seq: 0, [Wire.bdSeq(5), Wire.metric(alias: 7)]), Array(nbirth.dropLast(3)), [],
            Wire.payload(seq: 0, (0..<6).map { Wire.metric("m", alias: UInt64($0), type: .int8) }),
        ])
    func endsWithBadBirth(_ bad: [UInt8]) {
        for isWholeSeen in [true, false] {
            var host = Host(.seen(BirthRegistry(bounds: .init(metrics: 5))))
            host.isWholeSeen = isWholeSeen
            _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
            _ = host.read("spBv1.0/G/DBIRTH/N/D", Wire.payload(seq: 1, [Wire.metric("temp", alias: 20, type: .int16, int: 0)]))
            _ = host.read("spBv1.0/G/NDATA/N", Wire.payload(seq: 255, []))
            _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
            _ = host.read("spBv1.0/G/NBIRTH/N", bad)
            #expect(host.read("spBv1.0/G/NDATA/N", Self.data(1)).hasPrefix("alias 7 of node G/N is not known"))

            _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
            _ = host.read("spBv1.0/G/DBIRTH/N/D", Wire.payload(seq: 1, [Wire.metric("temp", alias: 20, type: .int16, int: 0)]))
            _ = host.read("spBv1.0/G/DBIRTH/N/D", bad)
            #expect(host.read("spBv1.0/G/DDATA/N/D", Self.data(2, alias: 20)).hasPrefix("alias 20 of device G/N/D is not known"))
        }
    }

    @Test("a device has its own aliases, and those of the node or of another device are not its")
    func keepsDevicesApart() {
        var host = Host()
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        _ = host.read("spBv1.0/G/DBIRTH/N/D1", Wire.payload(seq: 1, [Wire.metric("temp", alias: 20, type: .int16, int: 0)]))
        _ = host.read("spBv1.0/G/DBIRTH/N/D2", Wire.payload(seq: 2, [Wire.metric("flow", alias: 30, type: .int16, int: 0)]))
        #expect(host.read("spBv1.0/G/DDATA/N/D1", Self.data(3, alias: 20, 5)) == "temp=5")
        #expect(host.read("spBv1.0/G/DDATA/N/D2", Self.data(4, alias: 30, 6)) == "flow=6")
        #expect(
            host.read("spBv1.0/G/DDATA/N/D2", Self.data(5, alias: 20))
                == "alias 20 of device G/N/D2 is not known: the birth certificate does not have it")
        #expect(
            host.read("spBv1.0/G/DDATA/N/D3", Self.data(6, alias: 20))
                == "alias 20 of device G/N/D3 is not known: no birth certificate was seen")
        #expect(host.read("spBv1.0/H/NDATA/N", Self.data(1)) == "alias 7 of node H/N is not known: no birth certificate was seen")
    }

    @Test("a new birth of the node ends all former ones, of its devices too")
    func redefines() {
        var host = Host()
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        _ = host.read("spBv1.0/G/DBIRTH/N/D", Wire.payload(seq: 1, [Wire.metric("temp", alias: 20, type: .int16, int: 0)]))
        _ = host.read(
            "spBv1.0/G/NBIRTH/N", Wire.payload(seq: 0, [Wire.bdSeq(5), Wire.metric("torque", alias: 7, type: .uint32, int: 0)]))
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(1, 0xFFFF_FFFF)) == "torque=4294967295")
        #expect(
            host.read("spBv1.0/G/DDATA/N/D", Self.data(2, alias: 20))
                == "alias 20 of device G/N/D is not known: no birth certificate was seen")
        // A device that is born again defines its own anew.
        _ = host.read("spBv1.0/G/DBIRTH/N/D", Wire.payload(seq: 3, [Wire.metric("level", alias: 20, type: .int16, int: 0)]))
        #expect(host.read("spBv1.0/G/DDATA/N/D", Self.data(4, alias: 20, 1)) == "level=1")
    }

    @Test("a death ends the births; one of an earlier session does not")
    func dies() {
        var host = Host()
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        _ = host.read("spBv1.0/G/DBIRTH/N/D", Wire.payload(seq: 1, [Wire.metric("temp", alias: 20, type: .int16, int: 0)]))
        #expect(host.read("spBv1.0/G/NDEATH/N", Self.death(3)) == "bdSeq=3")
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(2)) == "rpm=1450", "the last will of a connection that was replaced came late")
        _ = host.read("spBv1.0/G/DDEATH/N/D", Wire.payload(seq: 3, []))
        #expect(
            host.read("spBv1.0/G/DDATA/N/D", Self.data(4, alias: 20))
                == "alias 20 of device G/N/D is not known: no birth certificate was seen")
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(5)) == "rpm=1450")
        _ = host.read("spBv1.0/G/NDEATH/N", Self.death(4))
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(6)) == "alias 7 of node G/N is not known: no birth certificate was seen")
    }

    @Test("after a missing message no alias is believed until the next birth; names are")
    func doubtsAfterGaps() {
        var host = Host()
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(1)) == "rpm=1450")
        #expect(
            host.read("spBv1.0/G/NDATA/N", Self.data(3))
                == "alias 7 of node G/N is not known: messages are missing since the birth certificate, and another one may be among them")
        #expect(host.decoder.notes.hasGap && host.decoder.notes.needsBirth)
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(4)).hasPrefix("alias 7"), "the next one in order does not help")
        #expect(!host.decoder.notes.hasGap && host.decoder.notes.needsBirth)
        #expect(
            host.receive("spBv1.0/G/NDATA/N", Wire.payload(seq: 9, [Wire.metric("rpm", type: .int32, int: 3)]))
                == #"{"timestamp":1700000000000,"seq":9,"seq_gap":true,"metrics":[{"name":"rpm","datatype":"Int32","value":3}]}"#)
        // A device that is born after the gap is certain; the node is not.
        _ = host.read("spBv1.0/G/DBIRTH/N/D", Wire.payload(seq: 10, [Wire.metric("temp", alias: 20, type: .int16, int: 0)]))
        #expect(host.read("spBv1.0/G/DDATA/N/D", Self.data(11, alias: 20, 4)) == "temp=4")
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(12)).hasPrefix("alias 7"))
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(1)) == "rpm=1450")
    }

    @Test("sequence numbers run from 255 to 0, over the messages of the node and its devices; one that comes twice is no gap")
    func countsOn() {
        var host = Host()
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        _ = host.read("spBv1.0/G/DBIRTH/N/D", Wire.payload(seq: 1, [Wire.metric("temp", alias: 20, type: .int16, int: 0)]))
        for seq in 2...600 as ClosedRange<UInt64> {
            #expect(host.read("spBv1.0/G/NDATA/N", Self.data(seq % 256)) == "rpm=1450")
            guard seq % 100 == 0 else { continue }
            #expect(host.read("spBv1.0/G/NDATA/N", Self.data(seq % 256)) == "rpm=1450", "delivered twice")
        }
        #expect(
            host.read("spBv1.0/G/NCMD/N", Wire.payload(seq: nil, [Wire.metric(alias: 7, int: 3)])) == "rpm=3", "commands have no number")
        #expect(host.read("spBv1.0/G/NDATA/N", Wire.payload(seq: nil, [Wire.metric(alias: 7, int: 3)])).hasPrefix("alias 7"))
    }

    @Test("where not all messages of a node are seen, numbers say nothing, and a lost connection ends the belief in births")
    func doubtsAfterInterruptions() {
        let registry = BirthRegistry()
        var host = Host(.seen(registry))
        host.isWholeSeen = false
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(40)) == "rpm=1450")
        registry.connectionLost()
        #expect(
            host.read("spBv1.0/G/NDATA/N", Self.data(41))
                == "alias 7 of node G/N is not known: the connection was lost since the birth certificate, and another one may have been missed"
        )
        _ = host.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(60)) == "rpm=1450")

        host.isWholeSeen = true
        _ = host.read("spBv1.0/G/NBIRTH/M", Self.nbirth)
        registry.connectionLost()
        #expect(host.read("spBv1.0/G/NDATA/M", Self.data(1)) == "rpm=1450", "no number is missing")
    }

    @Test("births that one decoder sees serve all others of the process")
    func isShared() {
        let registry = BirthRegistry()
        var one = Host(.seen(registry))
        var other = Host(.seen(registry))
        _ = one.read("spBv1.0/G/NBIRTH/N", Self.nbirth)
        #expect(other.read("spBv1.0/G/NDATA/N", Self.data(1)) == "rpm=1450")
        #expect(registry.figures == BirthRegistry.Figures(nodes: 1, metrics: 3, gaps: 0, rebirths: 0))
    }

    @Test("a birth that gives one alias to two metrics, or leaves a metric without a name, is refused")
    func refusesAmbiguousBirths() {
        var host = Host()
        let twice = [Wire.metric("a", alias: 1, type: .int8, int: 0), Wire.metric("b", alias: 1, type: .int8, int: 0)]
        #expect(host.read("spBv1.0/G/NBIRTH/N", Wire.payload(seq: 0, twice)) == "the birth certificate gives alias 1 to two metrics")
        #expect(
            host.read("spBv1.0/G/NBIRTH/N", Wire.payload(seq: 0, [Wire.metric(alias: 1, type: .int8)]))
                == "metric 0 has neither a name nor an alias")
        #expect(host.read("spBv1.0/G/NDATA/N", Self.data(1, alias: 1)).hasSuffix("no birth certificate was seen"))
    }
}

@Suite("What is kept of births is bounded")
struct BirthBoundTests {
    static func birth(_ count: Int) -> [UInt8] {
        Wire.payload(seq: 0, (0..<count).map { Wire.metric("m\($0)", alias: UInt64($0), type: .int32, int: 0) })
    }

    @Test("a birth of one node too many is refused; a node without births makes room")
    func boundsNodes() {
        let registry = BirthRegistry(bounds: .init(nodes: 2))
        var host = Host(.seen(registry))
        _ = host.read("spBv1.0/G/NBIRTH/A", Self.birth(1))
        _ = host.read("spBv1.0/G/NDATA/B", BirthTests.data(1))
        _ = host.read("spBv1.0/G/NBIRTH/C", Self.birth(1))
        #expect(
            host.read("spBv1.0/G/NBIRTH/D", Self.birth(1)) == "the birth certificate is not kept: there are 2 edge nodes already")
        #expect(host.read("spBv1.0/G/NDATA/D", Wire.payload(seq: 1, [Wire.metric("x", type: .int8, int: 1)])) == "x=1")
        #expect(host.read("spBv1.0/G/NDATA/A", BirthTests.data(1, alias: 0, 1)) == "m0=1")
        #expect(registry.figures.nodes == 2)
    }

    @Test("metrics of all nodes together are counted, and what a birth replaces is not counted twice")
    func boundsMetrics() {
        let registry = BirthRegistry(bounds: .init(metrics: 10))
        var host = Host(.seen(registry))
        for _ in 0..<5 { #expect(host.read("spBv1.0/G/NBIRTH/A", Self.birth(6)).hasPrefix("m0=0")) }
        #expect(
            host.read("spBv1.0/G/NBIRTH/B", Self.birth(5))
                == "the birth certificate is not kept: there would be more than 10 metrics, or 1073741824 bytes of them")
        #expect(host.read("spBv1.0/G/DBIRTH/A/D", Self.birth(4)).hasPrefix("m0=0"))
        #expect(registry.figures.metrics == 10)
        _ = host.read("spBv1.0/G/DDEATH/A/D", Wire.payload(seq: 1, []))
        #expect(registry.figures.metrics == 6)
        _ = host.read("spBv1.0/G/NDEATH/A", Wire.payload(seq: nil, []))
        #expect(registry.figures.metrics == 0)
    }
}

import Testing

@testable import CopyFormat

@Suite("Internet addresses are read as RFC 4291 writes them, and shown as PostgreSQL shows them")
struct InternetAddressTests {
    private func read(_ text: String) throws -> InternetAddress {
        try Array(text.utf8).withUnsafeBytes { try InternetAddress($0) }
    }

    @Test(
        "every form of an address is the same address",
        arguments: [
            ("192.168.1.5", "192.168.1.5"), ("10.0.0.0/8", "10.0.0.0/8"), ("010.000.0.1", "10.0.0.1"),
            ("255.255.255.255/32", "255.255.255.255"),
            ("::", "::"), ("::/0", "::/0"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:1", "::1"),
            ("FF01:0:0:0:0:0:0:101", "ff01::101"),
            ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"), ("::13.1.68.3", "::13.1.68.3"),
            ("0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"), ("::ffff:1.2.3.4/96", "::ffff:1.2.3.4/96"),
            ("2001:0DB8::CD30:0:0:0:0/60", "2001:db8:0:cd30::/60"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
            ("1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func forms(text: String, shown: String) throws {
        let address = try read(text)
        #expect(address.description == shown)
        #expect(try read(shown) == address)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4/", "1.2.3.4/x", "1.2.3.4/0032", "1.2.3.0004",
            " 1.2.3.4",
            "-1.2.3.4", ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
            "12345::", "g::", "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "::1/", "/8", "::ffff:1.2.3.4.5",
        ])
    func malformed(text: String) {
        #expect(throws: InternetAddress.Fault.malformed) { try read(text) }
    }

    @Test("a prefix is no longer than its address, and a zone has no place")
    func limits() {
        #expect(throws: InternetAddress.Fault.prefixTooLong) { try read("1.2.3.4/33") }
        #expect(throws: InternetAddress.Fault.prefixTooLong) { try read("::/129") }
        #expect(throws: InternetAddress.Fault.hasZone) { try read("fe80::1%eth0") }
    }

    @Test("a network has nothing behind its prefix")
    func networks() throws {
        for network in ["10.0.0.0/8", "0.0.0.0/0", "1.2.3.4", "2001:db8::/32", "::1", "::/0"] { #expect(try read(network).isNetwork) }
        for host in ["10.0.0.1/8", "1.2.3.5/31", "2001:db8::1/32", "8000::/0"] { #expect(try !read(host).isNetwork) }
        #expect(try read("10.0.0.0/8").network == "10.0.0.0/8")
        #expect(try read("::1").network == "::1/128")
    }
}

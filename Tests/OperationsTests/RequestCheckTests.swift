import HTTPTypes
import Ingest
import Testing

@testable import Operations

@Suite("Which requests are answered")
struct RequestCheckTests {
    private func request(_ method: HTTPRequest.Method = .get, host: String? = "127.0.0.1:9464", token: String? = nil) -> HTTPRequest {
        var request = HTTPRequest(method: method, scheme: "http", authority: host, path: "/metrics")
        if let token { request.headerFields[.authorization] = token }
        return request
    }

    private func check(token: String? = nil, host: String = "127.0.0.1") -> RequestCheck {
        var settings = HTTPSettings()
        settings.host = host
        settings.token = token.map { Secret($0) }
        return RequestCheck(settings)
    }

    @Test("only GET and HEAD", arguments: [HTTPRequest.Method.post, .put, .delete, .options, .patch, .trace, .connect])
    func methods(method: HTTPRequest.Method) {
        #expect(check().refusal(of: request(method))?.status == .methodNotAllowed)
        #expect(check().refusal(of: request(.head)) == nil)
    }

    @Test(
        "on loopback only names of this machine, or a page from elsewhere could read what is here",
        arguments: [
            ("127.0.0.1:9464", true), ("localhost", true), ("LOCALHOST:80", true), ("127.9.8.7", true), ("[::1]:9464", true),
            ("[::1]", true),
            ("evil.example", false), ("evil.example:9464", false), ("127.0.0.1.evil.example", false), ("localhost.evil.example", false),
            ("127.0.0.256", false), ("[::2]", false), ("[::1", false), ("", false), (nil, false), ("10.0.0.1", false),
        ] as [(String?, Bool)])
    func hosts(host: String?, isAnswered: Bool) {
        #expect((check().refusal(of: request(host: host)) == nil) == isAnswered)
    }

    @Test("away from loopback the token protects, under whatever name")
    func otherHosts() {
        #expect(check(token: "0123456789abcdef", host: "0.0.0.0").refusal(of: request(host: "penstock.example")) == nil)
    }

    @Test(
        "the token, the whole token and nothing but the token",
        arguments: [
            ("Bearer 0123456789abcdef", true), ("bearer 0123456789abcdef", true), ("Bearer 0123456789abcdeF", false),
            ("Bearer 0123456789abcde", false), ("Bearer 0123456789abcdef0", false), ("Bearer 0123456789abcdef0123456789abcdef", false),
            ("Bearer ", false), ("Bearer", false), ("Basic 0123456789abcdef", false), ("0123456789abcdef", false), ("", false),
            (nil, false),
        ] as [(String?, Bool)])
    func token(header: String?, isAllowed: Bool) {
        #expect(check(token: "0123456789abcdef").isAllowed(request(token: header)) == isAllowed)
    }

    @Test("without a token in the configuration nobody has to show one")
    func noToken() { #expect(check().isAllowed(request())) }
}

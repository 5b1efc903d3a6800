import Foundation
import HTTPTypes
import NIOCore

/// An answer to a request, whole.
struct Answer: Sendable {
    var status: HTTPResponse.Status
    var contentType: String
    var body: [UInt8]
    var headers: HTTPFields

    init(_ status: HTTPResponse.Status, _ contentType: String, _ body: [UInt8], headers: HTTPFields = [:]) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.headers = headers
    }

    init(_ status: HTTPResponse.Status, text: String, headers: HTTPFields = [:]) {
        self.init(status, "text/plain; charset=utf-8", Array(text.utf8), headers: headers)
    }

    init(_ status: HTTPResponse.Status, json: Data) { self.init(status, "application/json", Array(json)) }

    /// A page that may run and load nothing but what carries the nonce.
    init(page html: String) {
        let nonce = Data((0..<18).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        self.init(.ok, "text/html; charset=utf-8", Array(html.replacing("{nonce}", with: nonce).utf8))
        headers[Self.securityPolicy] =
            "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }

    private static let securityPolicy = name("Content-Security-Policy")

    /// The head, with what every answer says.
    var head: HTTPResponse {
        var fields = headers
        if fields[Self.securityPolicy] == nil { fields[Self.securityPolicy] = "default-src 'none'; frame-ancestors 'none'" }
        fields[.contentType] = contentType
        fields[.contentLength] = String(body.count)
        fields[.cacheControl] = "no-store"
        fields[Self.name("X-Content-Type-Options")] = "nosniff"
        fields[Self.name("Referrer-Policy")] = "no-referrer"
        fields[Self.name("Cross-Origin-Resource-Policy")] = "same-origin"
        fields[.connection] = "close"
        return HTTPResponse(status: status, headerFields: fields)
    }

    /// - Precondition: a name of a header, as written here.
    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("the name of a header") }
        return name
    }
}

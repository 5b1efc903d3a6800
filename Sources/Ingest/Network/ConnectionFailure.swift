import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// Whether the broker has ended the connection without a word: by a reset, or over TLS without close_notify.
func isEndWithoutWord(_ error: any Error) -> Bool {
    switch error {
    case let error as IOError: error.errnoCode == ECONNRESET
    case NIOSSLError.uncleanShutdown: true
    default: false
    }
}

/// Says in words why a connection could not be had, or has failed, and what to look at.
func describeConnectFailure(_ error: any Error) -> String {
    switch error {
    case let problem as NetworkProblem: return problem.description
    case let error as NIOConnectionError:
        if let first = error.connectionErrors.first { return describeConnectFailure(first.error) }
        if error.dnsAError != nil || error.dnsAAAAError != nil { return "the host name is not known" }
        return "\(error)"
    case let error as IOError where error.errnoCode == ECONNREFUSED:
        return "connection refused (is the broker running, and is this its port?)"
    case let error as IOError where error.errnoCode == ECONNRESET: return "the broker reset the connection"
    case ChannelError.connectTimeout(let limit): return "no answer within \(limit.nanoseconds / 1_000_000_000) s"
    case NIOWebSocketError.invalidFrameLength:
        return "the broker sends WebSocket frames of more than \(BrokerChannel.frameBytesMinimum >> 20) MiB: raise broker.max_packet_bytes"
    case is HTTPParserError: return "the server does not speak HTTP, in which a WebSocket begins: check that this is its WebSocket port"
    case NIOSSLError.uncleanShutdown: return "the broker closed the connection without a word"
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
        return "the broker's certificate is for another host: check broker.url, or name the host with broker.tls.server_name"
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: return describeTLSFailure("\(error)")
    default: return "\(error)"
    }
}

/// The library's errors are stacks of names; these are the ones that an operator can do something about.
private func describeTLSFailure(_ names: String) -> String {
    let known: KeyValuePairs = [
        "CERTIFICATE_VERIFY_FAILED":
            "the broker's certificate is not trusted, or not valid now: check broker.tls.ca_file and the certificate's dates",
        "WRONG_VERSION_NUMBER": "the broker does not speak TLS on this port",
        "CERTIFICATE_REQUIRED": "the broker wants a client certificate: set broker.tls.cert_file and key_file",
        "UNKNOWN_CA": "the broker does not trust our certificate: check broker.tls.cert_file",
        "CERTIFICATE_EXPIRED": "our certificate has expired: check broker.tls.cert_file",
        "CERTIFICATE_REVOKED": "our certificate is revoked: check broker.tls.cert_file",
        "BAD_CERTIFICATE": "the broker does not take our certificate: check broker.tls.cert_file",
        "UNSUPPORTED_PROTOCOL": "the broker offers no TLS version that is allowed here: see broker.tls.min_version",
        "PROTOCOL_VERSION": "the broker offers no TLS version that is allowed here: see broker.tls.min_version",
        "UNKNOWN_PSK_IDENTITY": "the broker does not know this identity: check broker.tls.psk_identity",
        "BAD_RECORD_MAC": "the broker has another key for this identity: check broker.tls.psk_file",
        "DECRYPT_ERROR": "the broker has another key: check broker.tls.psk_file, or cert_file and key_file",
        "HANDSHAKE_FAILURE":
            "the broker ended the handshake: it may want a client certificate (broker.tls.cert_file), another TLS version or a pre-shared key",
        "EOF during handshake":
            "the broker closed the connection during the TLS handshake: it may want a client certificate, or speak no TLS on this port",
    ]
    for (name, words) in known where names.contains(name) { return "\(words) (TLS: \(name))" }
    return "TLS failed: \(names.prefix(300))"
}

import Sandbox

/// How an ingester reaches its broker.
struct Approach: Sendable {
    /// The listener to which the tap leads; nil where the broker has none such.
    let port: @Sendable (PrivateMosquitto) -> Int?
    /// The value of `broker.url`, for the port of the tap.
    let url: @Sendable (Int) -> String
    /// Whether the tap can read what passes.
    var isReadable = false

    static let plain = Approach(port: { $0.port }, url: { "mqtt://127.0.0.1:\($0)" }, isReadable: true)
    static let tls = tls(host: "localhost")
    static let mutualTLS = Approach(port: { $0.mutualTLSPort }, url: { "mqtts://localhost:\($0)" })
    static let preSharedKey = Approach(port: { $0.pskPort }, url: { "mqtts://localhost:\($0)" })
    static let webSocket = Approach(port: { $0.webSocketPort }, url: { "ws://localhost:\($0)/mqtt" })
    static let secureWebSocket = Approach(port: { $0.secureWebSocketPort }, url: { "wss://localhost:\($0)/mqtt" })

    static func tls(host: String) -> Approach { Approach(port: { $0.tlsPort }, url: { "mqtts://\(host):\($0)" }) }

    /// As this, with another address.
    func at(_ url: @escaping @Sendable (Int) -> String) -> Approach { Approach(port: port, url: url, isReadable: isReadable) }
}

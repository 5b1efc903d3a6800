import Foundation

extension PrivateMosquitto {
    /// What can be set.
    public struct Options: Sendable {
        /// Whether sessions and their messages survive a restart.
        public var persistence = true
        /// Messages that a session may have unacknowledged; 0: no limit; nil: what mosquitto takes by itself (20).
        public var maximumInflight: Int?
        /// Messages that wait for a session; 0: no limit.
        public var maximumQueued = 0
        /// Passwords by user name; nobody else may connect. nil: everybody may.
        public var passwords: [String: String]?
        /// What it shows at the listeners with TLS; nil: there are none.
        public var tls: TLSFiles?
        /// Keys in hexadecimal digits by identity, for a listener with pre-shared keys; nil: there is none.
        public var preSharedKeys: [String: String]?
        /// Whether there are listeners for WebSocket: one in plain, and one with TLS where there is TLS.
        public var webSockets = false
        /// Who may read and write what, as `acl_file` takes it; nil: everybody everything. mosquitto grants subscriptions all the same, and
        /// withholds the messages.
        public var accessRules: String?
        /// The topic filters that may be subscribed to, as patterns; others are refused in the SUBACK. nil: all. A client that
        /// publishes `allowsEverySubscription` lifts it.
        public var allowedSubscriptions: [String]?
        /// Whether the log tells of every packet.
        public var logsEverything = false
        /// Further lines of its configuration, about the broker or about the listener at `port`.
        public var extraLines: [String] = []

        public init() {}
    }

    /// A message after which a broker with `Options.allowedSubscriptions` refuses no subscription any more; connections stay.
    public static let allowsEverySubscription = (
        topic: MosquittoFiles.control,
        payload: #"{"commands":[{"command":"setDefaultACLAccess","acls":[{"acltype":"subscribe","allow":true}]}]}"#
    )

    /// The files in PEM that make a listener one with TLS. They are read at a start and at `reload`.
    public struct TLSFiles: Sendable {
        public var certificate: URL
        public var key: URL
        /// Of the clients' certificates; nil: there is no listener that asks for one.
        public var clientAuthority: URL?
        /// Whether the name in a client's certificate is the user's name.
        public var certificateNamesUser = false
        /// The newest version that is spoken, as OpenSSL calls it, such as `TLSv1.2`; nil: the newest there is.
        public var maximumVersion: String?

        public init(certificate: URL, key: URL, clientAuthority: URL? = nil) {
            self.certificate = certificate
            self.key = key
            self.clientAuthority = clientAuthority
        }
    }
}

import Tidings
import TidingsGateway
import TidingsWebhooks

/// Everything that `tidings run` can be told, with its defaults.
struct RunConfiguration: Sendable, Equatable {
    struct Address: Sendable, Equatable {
        var host: String
        var port: Int
    }

    enum Store: Sendable, Equatable {
        case file(String)
        /// The newest events in memory.
        case none
    }

    enum Durability: String, Sendable, CaseIterable {
        case full, normal, off
    }

    enum LogFormat: String, Sendable, CaseIterable {
        case text, json
    }

    var listen = Address(host: "127.0.0.1", port: 8765)
    var store = Store.file("tidings.db")
    var durability = Durability.normal
    var connectors: [Connector] = []
    var ingress = Ingress()
    var processors: [Deriving] = []
    var webhooks: [WebhookConfiguration] = []
    var heartbeat = Duration.seconds(10)
    var eventBytes = 1 << 20
    var bodyBytes = 8 << 20
    var clients = 20_000
    var clientBufferBytes = 1 << 20
    /// Events per second that each token or address may publish; nil for any number.
    var publishRate: Double?
    /// How long publishing waits for room on the bus.
    var publishWait = Duration.seconds(5)
    var compression = GatewayConfiguration.Compression.automatic
    /// The most connections of any kind; nil leaves it to the gateway.
    var connections: Int?
    var address = AddressLimits()
    var timeouts = Timeouts()
    var tls: TLS?
    var access: AccessFiles?
    var origins: [String] = []
    var logLevel = "info"
    var logFormat = LogFormat.text
    var insecure = false
}

extension RunConfiguration.Address {
    /// `HOST:PORT`; an IPv6 address stands in brackets.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: host, port: Int(port))
    }
}

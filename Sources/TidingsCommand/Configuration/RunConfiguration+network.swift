import Tidings
import TidingsGateway
import Yams

extension RunConfiguration {
    /// Certificate and key; the files are read when the gateway starts.
    struct TLS: Sendable, Equatable {
        var certificate: String
        var key: String
    }

    /// What one address may do.
    struct AddressLimits: Sendable, Equatable {
        var connections: Int?
        var connectionRate: Int?
        var requestRate: Int?
        var exempt: [AddressRange]?

        func apply(to limits: inout TidingsGateway.AddressLimits) {
            if let connections = self.connections { limits.connections = connections }
            if let rate = self.connectionRate { limits.connectionRate = rate }
            if let rate = self.requestRate { limits.requestRate = rate }
            if let exempt = self.exempt { limits.exempt = exempt }
        }
    }

    /// How long a connection may take; what is not given stays as the gateway has it.
    struct Timeouts: Sendable, Equatable {
        var handshake: Duration?
        var head: Duration?
        var body: Duration?
        var response: Duration?
        var idle: Duration?

        func apply(to gateway: inout GatewayConfiguration) {
            if let time = self.handshake { gateway.timeouts.handshake = time }
            if let time = self.head { gateway.timeouts.head = time }
            if let time = self.body { gateway.timeouts.body = time }
            if let time = self.response { gateway.timeouts.response = time }
            if let time = self.idle { gateway.idleTimeout = time }
        }
    }

    mutating func readTLS(_ node: Node?, _ directory: String, _ reader: inout YAMLReader) {
        guard let node, let tls = reader.mapping(node, "tls") else { return }
        reader.expect(tls, in: "tls", only: ["certificate", "key"])
        for name in ["certificate", "key"] where tls[name] == nil {
            reader.report(node, "tls.\(name)", "is missing")
        }
        guard let certificate = reader.text(tls["certificate"], "tls.certificate"),
            let key = reader.text(tls["key"], "tls.key")
        else { return }
        self.tls = TLS(
            certificate: Self.resolve(certificate, directory), key: Self.resolve(key, directory))
    }

    mutating func readAddressLimits(_ node: Node?, _ reader: inout YAMLReader) {
        guard let limits = reader.mapping(node, "limits.address") else { return }
        reader.expect(
            limits, in: "limits.address", only: ["connections", "connection_rate", "request_rate", "exempt"])
        self.address.connections = reader.count(
            limits["connections"], "limits.address.connections", in: 1...1_000_000)
        self.address.connectionRate = reader.count(
            limits["connection_rate"], "limits.address.connection_rate", in: 1...1_000_000)
        self.address.requestRate = reader.count(
            limits["request_rate"], "limits.address.request_rate", in: 1...1_000_000)
        guard let node = limits["exempt"], let texts = reader.texts(node, "limits.address.exempt") else { return }
        self.address.exempt = texts.enumerated().compactMap { index, text in
            if text == "none" && texts.count == 1 { return nil }
            if let range = AddressRange(text) { return range }
            reader.report(
                node.sequence?[index] ?? node, "limits.address.exempt[\(index)]",
                "must be an address or a range such as 10.0.0.0/8 or fd00::/8, was '\(text)'")
            return nil
        }
    }

    mutating func readTimeouts(_ node: Node?, _ reader: inout YAMLReader) {
        guard let timeouts = reader.mapping(node, "limits.timeouts") else { return }
        reader.expect(
            timeouts, in: "limits.timeouts", only: ["handshake", "head", "body", "response", "idle"])
        self.timeouts.handshake = reader.duration(timeouts["handshake"], "limits.timeouts.handshake")
        self.timeouts.head = reader.duration(timeouts["head"], "limits.timeouts.head")
        self.timeouts.body = reader.duration(timeouts["body"], "limits.timeouts.body")
        self.timeouts.response = reader.duration(timeouts["response"], "limits.timeouts.response")
        self.timeouts.idle = reader.duration(timeouts["idle"], "limits.timeouts.idle")
    }
}

/// Where a gateway may listen without asking who is there.
enum ListenPolicy {
    static func check(_ configuration: GatewayConfiguration) throws(GatewayError) {
        guard (0...65_535).contains(configuration.port) else {
            throw GatewayError(.configuration, "listen: the port must be 0...65535, was \(configuration.port)")
        }
        guard !configuration.host.isEmpty else {
            throw GatewayError(.configuration, "listen: the host is missing")
        }
        if !self.isLoopback(configuration.host) && !configuration.insecure && configuration.access == nil {
            throw GatewayError(
                .configuration,
                "listen: \(configuration.host) can be reached from other machines, and nobody would have to show who "
                    + "they are; set access.tokens or access.jwt, listen on 127.0.0.1, or say --insecure if that is what "
                    + "you want")
        }
    }

    /// Whether only this machine can reach a name or address.
    static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        if host == "localhost" || host == "::1" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

import HTTPTypes

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Which names the server answers to where nobody has to show who they are.
///
/// A page whose name was pointed at our address after it was loaded (DNS rebinding) counts for its browser as one of ours;
/// what gives it away is the name in `Host`. Addresses cannot be pointed anywhere, and a name without a dot, as machines and
/// containers have it, belongs to nobody outside of the local network: any of these will do.
struct HostPolicy: Sendable {
    private let names: Set<String>

    init(_ configuration: GatewayConfiguration) {
        var names: Set<String> = [Self.normalised(configuration.host)]
        if let own = Self.ownName { names.insert(Self.normalised(own)) }
        for origin in configuration.allowedOrigins {
            let authority = origin.firstRange(of: "://").map { origin[$0.upperBound...] } ?? origin[...]
            names.insert(Self.normalised(Self.hostName(of: authority.prefix { $0 != "/" })))
        }
        self.names = names
    }

    /// - Parameter authority: the `Host` header; programs that send none are no browsers.
    func allows(_ authority: String?) -> Bool {
        guard let authority else { return true }
        if authority.hasPrefix("[") { return true }
        let name = Self.normalised(Self.hostName(of: authority[...]))
        if self.names.contains(name) || ListenPolicy.isLoopback(name) || name.hasSuffix(".localhost") { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 1 { return !name.isEmpty }
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    func check(_ authority: String?) throws(Problem) {
        guard !self.allows(authority) else { return }
        throw Problem(
            .misdirectedRequest, code: "foreign_host", field: "Host",
            "This server is not called '\((authority ?? "").prefix(200))'; name it in access.origins if it is")
    }

    private static func normalised(_ name: String) -> String {
        let name = name.lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    /// The authority without its port.
    private static func hostName(of authority: Substring) -> String {
        guard !authority.hasPrefix("[") else { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }

    private static var ownName: String? {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
        let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? nil : name
    }
}

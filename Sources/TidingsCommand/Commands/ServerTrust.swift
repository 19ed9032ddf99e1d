import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOSSL
import Tidings
import TidingsWebSocket

/// Which authorities a server's certificate may come from, besides the system's: `--ca-file` over `TIDINGS_CA_FILE` over
/// `SSL_CERT_FILE`, which curl and OpenSSL read as well.
struct ServerTrust: Sendable {
    /// PEM; nil for the system's authorities alone.
    let file: String?

    init(_ flag: String?) throws(ValidationError) {
        let environment = ProcessInfo.processInfo.environment
        let named: [(name: String, file: String?)] = [
            ("--ca-file", flag), ("TIDINGS_CA_FILE", environment["TIDINGS_CA_FILE"]),
            ("SSL_CERT_FILE", environment["SSL_CERT_FILE"]),
        ]
        guard let (name, file) = named.first(where: { $0.file?.isEmpty == false }), let file else {
            self.file = nil
            return
        }
        guard let certificates = try? NIOSSLCertificate.fromPEMFile(file), !certificates.isEmpty else {
            throw ValidationError("\(name): \(file) holds no certificate in PEM format, or cannot be read")
        }
        self.file = file
    }

    /// What an error says where it is about a certificate.
    static func problem(_ error: String) -> String? {
        if error.contains("CERTIFICATE_VERIFY_FAILED") {
            return "its certificate comes from nobody that is trusted here; --ca-file names who is"
        }
        return error.contains("unableToValidateCertificate") ? "its certificate is for another name" : nil
    }

    func apply(to configuration: inout HTTPClient.Configuration) {
        guard let file = self.file else { return }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.additionalTrustRoots = [.file(file)]
        configuration.tlsConfiguration = tls
    }

    func apply(to configuration: inout WebSocketClientConfiguration) {
        if let file = self.file { configuration.trustRoots = .systemAnd(file: file) }
    }
}

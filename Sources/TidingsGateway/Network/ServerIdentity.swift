import NIOCore
import NIOSSL
import Tidings

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The certificate and key that a gateway shows, read from their files and read again when those change.
///
/// Connections that are open keep what they were made with. Safe from any thread.
final class ServerIdentity: Sendable {
    /// How a reload went.
    enum Reload {
        case unchanged
        case replaced
        /// The old pair stays; why the new one cannot be used.
        case failed(GatewayError)
    }

    private struct State {
        var context: NIOSSLContext
        /// Seconds since 1970 after which the certificate is no longer valid.
        var expires: Int
        var stamps: [FileStamp]
        var problem: String?
    }

    /// What changes when a file is written or replaced.
    private struct FileStamp: Equatable {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var size: Int64 = -1
        var seconds: Int = 0
        var nanoseconds: Int = 0

        init(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return }
            self.device = UInt64(status.st_dev)
            self.inode = UInt64(status.st_ino)
            self.size = Int64(status.st_size)
            self.seconds = Int(status.st_mtim.tv_sec)
            self.nanoseconds = Int(status.st_mtim.tv_nsec)
        }
    }

    private let files: GatewayConfiguration.TLS
    private let state: Locked<State>

    /// A certificate that is valid for less than this is worth a warning, in seconds.
    private static let notice = 7 * 86_400

    init(_ files: GatewayConfiguration.TLS) throws(GatewayError) {
        self.files = files
        let stamps = Self.stamps(files)
        let (context, expires) = try Self.load(files)
        self.state = Locked(State(context: context, expires: expires, stamps: stamps))
    }

    /// What the next connection is served with.
    var context: NIOSSLContext { self.state.withLock { $0.context } }

    /// Reads the files if they have changed since they were last looked at, or in any case.
    func reload(evenIfUnchanged: Bool = false) -> Reload {
        let stamps = Self.stamps(self.files)
        guard evenIfUnchanged || self.state.withLock({ $0.stamps != stamps }) else { return .unchanged }
        do throws(GatewayError) {
            let (context, expires) = try Self.load(self.files)
            self.state.withLock { state in
                state = State(context: context, expires: expires, stamps: stamps)
            }
            return .replaced
        } catch {
            self.state.withLock { state in
                state.stamps = stamps
                state.problem = error.message
            }
            return .failed(error)
        }
    }

    /// What `/readyz` says.
    var readiness: ReadinessCheck {
        let (problem, expires) = self.state.withLock { ($0.problem, $0.expires) }
        if let problem { return ReadinessCheck("tls", .warn, reason: "the old certificate is still used: \(problem)") }
        let left = expires - time(nil)
        if left <= 0 { return ReadinessCheck("tls", .warn, reason: "the certificate has expired") }
        guard left < Self.notice else { return ReadinessCheck("tls", .pass) }
        return ReadinessCheck("tls", .warn, reason: "the certificate expires in \(left / 3600) hours")
    }

    private static func stamps(_ files: GatewayConfiguration.TLS) -> [FileStamp] {
        [FileStamp(files.certificate), FileStamp(files.key)]
    }

    // MARK: Reading

    private static func load(
        _ files: GatewayConfiguration.TLS
    ) throws(GatewayError) -> (context: NIOSSLContext, expires: Int) {
        let chain = try self.certificates(files.certificate)
        let key = try self.key(files.key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // RFC 7301: what we speak; a client that offers nothing of it may still go on.
        configuration.applicationProtocols = ["http/1.1"]
        do {
            // BoringSSL compares the key with the first certificate.
            return (try NIOSSLContext(configuration: configuration), chain.first.map { Int($0.notValidAfter) } ?? 0)
        } catch {
            throw GatewayError(
                .configuration,
                "tls.key: the key in \(files.key) does not belong to the certificate in \(files.certificate)",
                underlying: error)
        }
    }

    private static func certificates(_ path: String) throws(GatewayError) -> [NIOSSLCertificate] {
        let bytes = try self.read(path, field: "tls.certificate")
        let chain = (try? NIOSSLCertificate.fromPEMBytes(bytes)) ?? []
        guard !chain.isEmpty else {
            throw GatewayError(.configuration, "tls.certificate: \(path) holds no certificate in PEM format")
        }
        return chain
    }

    private static func key(_ path: String) throws(GatewayError) -> NIOSSLPrivateKey {
        let bytes = try self.read(path, field: "tls.key")
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            let isEncrypted = String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED")
            throw GatewayError(
                .configuration,
                isEncrypted
                    ? "tls.key: the key in \(path) is encrypted; store it without a passphrase"
                    : "tls.key: \(path) holds no private key in PEM format", underlying: error)
        }
    }

    /// Longer than any chain of certificates.
    private static let largestFile = 1 << 20

    private static func read(_ path: String, field: String) throws(GatewayError) -> [UInt8] {
        guard let file = fopen(path, "rb") else {
            throw GatewayError(
                .configuration, "\(field): \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Self.largestFile)
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0 else {
            throw GatewayError(
                .configuration, "\(field): \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        return Array(bytes[..<count])
    }
}

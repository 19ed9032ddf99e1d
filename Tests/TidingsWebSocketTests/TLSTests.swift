import Foundation
import NIOCore
import Testing
import TidingsTestSupport

@testable import TidingsWebSocket

/// A throw-away certificate authority with one server certificate, made by openssl.
private struct Certificates: Sendable {
    let directory: URL
    var authority: String { self.directory.appending(path: "ca.pem").path }
    var server: WebSocketListenerConfiguration.TLS {
        .init(
            certificateFile: self.directory.appending(path: "server.pem").path,
            keyFile: self.directory.appending(path: "server.key").path)
    }

    static let openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    init() throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "tidings-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try self.run(
            ["req", "-x509"] + curve + [
                "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Tidings test",
                "-addext", "basicConstraints=critical,CA:TRUE",
            ])
        try self.run(["req"] + curve + ["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost"])
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8).write(to: self.directory.appending(path: "san"))
        try self.run([
            "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-out", "server.pem", "-extfile", "san",
        ])
    }

    func remove() throws { try FileManager.default.removeItem(at: self.directory) }

    private func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.openssl ?? "")
        process.arguments = arguments
        process.currentDirectoryURL = self.directory
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}

@Suite(
    .timeLimit(.minutes(1)),
    .enabled(if: Certificates.openssl != nil, "openssl is not installed: no certificate to test with"))
struct TLSTests {
    @Test func `client and listener talk over TLS, by name and by address, also through a proxy`() async throws {
        let certificates = try Certificates()
        var server = WebSocketListenerConfiguration()
        server.tls = certificates.server
        try await withListener(server) { listener in
            try await withProxy { proxy in
                var trusting = WebSocketClientConfiguration()
                trusting.trustRoots = .file(certificates.authority)
                var proxied = trusting
                proxied.proxy = .init(host: "127.0.0.1", port: proxy.port, user: "me", password: "secret")
                for (configuration, host) in [(trusting, "localhost"), (trusting, "127.0.0.1"), (proxied, "localhost")]
                {
                    let inbox = Inbox()
                    let connection = try await WebSocketClient(configuration: configuration).connect(
                        to: "wss://\(host):\(listener.port)/", delegate: inbox.delegate)
                    let texts = ["secret", String(repeating: "x", count: 300_000)]
                    for text in texts { try connection.send(text: text) }
                    #expect(await inbox.next(2) == texts)
                    connection.close()
                    #expect(await connection.waitUntilClosed().isClean)
                }
            }
        }
        try certificates.remove()
    }

    @Test func `a certificate of nobody we trust is refused`() async throws {
        let certificates = try Certificates()
        var server = WebSocketListenerConfiguration()
        server.tls = certificates.server
        try await withListener(server) { listener in
            let error = await failure { () async throws(WebSocketError) in
                try await WebSocketClient().connect(to: "wss://localhost:\(listener.port)/", delegate: echo)
            }
            #expect(error?.code == .tlsFailed)
        }
        try certificates.remove()
    }

    @Test func `TLS spoken to a plain server is an error, as are missing files`() async throws {
        try await withListener { listener in
            let error = await failure { () async throws(WebSocketError) in
                try await WebSocketClient().connect(to: "wss://localhost:\(listener.port)/", delegate: echo)
            }
            #expect(error?.code == .tlsFailed || error?.code == .connectFailed)
        }
        var configuration = WebSocketClientConfiguration()
        configuration.trustRoots = .file("/nowhere/ca.pem")
        let client = WebSocketClient(configuration: configuration)
        let error = await failure { () async throws(WebSocketError) in
            try await client.connect(to: "wss://localhost:1/", delegate: echo)
        }
        #expect(error?.code == .tlsFailed)
    }
}

import Foundation
import NIOCore
import NIOSSL
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

@Suite(
    .timeLimit(.minutes(2)),
    .enabled(if: TestCertificates.openssl != nil, "openssl is not installed: no certificate to test with"))
struct GatewayTLSTests {
    /// A gateway that speaks TLS with `server.pem`, a copy of `first.pem`.
    private func run(
        configure: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @Sendable (GatewayHarness, TestCertificates) async throws -> Void
    ) async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.make("first")
        try certificates.copy("first.pem", over: "server.pem")
        try certificates.copy("first.key", over: "server.key")
        try await GatewayHarness.run {
            $0.tls = .init(certificate: certificates.path("server.pem"), key: certificates.path("server.key"))
            $0.tls?.checkInterval = .milliseconds(20)
            configure(&$0)
        } _: { gateway in
            try await body(gateway, certificates)
        }
    }

    @Test func `HTTP, streams and WebSockets are served over TLS on the one port`() async throws {
        try await self.run { gateway, certificates in
            let client = try await TLSTestClient.connect(port: gateway.port, authority: certificates.authority)
            #expect(client.negotiated == "http/1.1")
            #expect(try await client.get("/readyz").contains(#""tls":{"status":"pass"}"#))
            #expect(try await client.get("/livez").hasPrefix("HTTP/1.1 200 "))
            #expect(
                try await client.get("/metrics").contains(#"tidings_gateway_tls_handshakes_total{result="done"} 1"#))
            client.close()

            let stream = try await TLSTestClient.connect(port: gateway.port, authority: certificates.authority)
            try await stream.send("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await eventually("the stream has begun") { stream.text.contains("retry: 2000") }

            var configuration = WebSocketClientConfiguration()
            configuration.trustRoots = .systemAnd(file: certificates.authority)
            let received = Locked<[String]>([])
            let socket = try await WebSocketClient(configuration: configuration).connect(
                to: "wss://localhost:\(gateway.port)/ws"
            ) { _ in
                WebSocketCallbacks(onText: { _, bytes in
                    let text = String(decoding: bytes, as: UTF8.self)
                    received.withLock { $0.append(text) }
                })
            }
            try socket.send(text: #"{"action":"subscribe","symbols":["*"]}"#)
            try await eventually("the subscription") { received.withLock { $0.count } == 1 }
            try await gateway.publishTrades(1...1)
            try await eventually("the event, on both") {
                received.withLock { $0.count } == 2 && stream.text.contains(#""price":1"#)
            }
            socket.close()
            stream.close()
        }
    }

    @Test func `TLS 1.2 is spoken, 1.1 is not, and a client that offers another protocol is not sent away`()
        async throws
    {
        try await self.run { gateway, certificates in
            let authority = certificates.authority
            for version in [TLSVersion.tlsv12, .tlsv13] {
                let client = try await TLSTestClient.connect(
                    port: gateway.port, authority: authority, protocols: ["h2"], maximum: version)
                #expect(try await client.get("/livez").hasPrefix("HTTP/1.1 200 "))
                client.close()
            }
            await #expect(throws: (any Error).self) {
                try await TLSTestClient.connect(port: gateway.port, authority: authority, maximum: .tlsv11)
            }
            let client = try await TLSTestClient.connect(port: gateway.port, authority: authority)
            try await eventually("the failed handshake is counted") {
                try await client.get("/metrics").contains(#"tls_handshakes_total{result="failed"} 1"#)
            }
        }
    }

    @Test func `plain HTTP on the port is answered 400 with what to do`() async throws {
        try await self.run { gateway, _ in
            let client = try await RawTestClient.connect(port: gateway.port)
            try await client.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            let text = try await client.everything()
            #expect(text.hasPrefix("HTTP/1.1 400 "))
            #expect(text.contains("This port speaks TLS: use https:// or wss://"))
        }
    }

    @Test func `a handshake that does not come, or does not go on, ends`() async throws {
        try await self.run {
            $0.timeouts.handshake = .milliseconds(200)
        } _: { gateway, _ in
            let silent = try await RawTestClient.connect(port: gateway.port)
            let halting = try await RawTestClient.connect(port: gateway.port)
            try await halting.send("\u{16}\u{3}\u{1}")
            #expect(try await silent.everything().isEmpty)
            #expect(try await halting.everything().isEmpty)
        }
    }

    @Test func `a new certificate is shown to new connections, and those that are open stay`() async throws {
        try await self.run { gateway, certificates in
            let old = try await TLSTestClient.connect(port: gateway.port, authority: certificates.authority)
            #expect(old.certificate.contains("first"))
            try certificates.make("second")
            // The one file, and a while later the other: in between the pair does not fit.
            try certificates.copy("second.pem", over: "server.pem")
            try await eventually("the misfit is noticed") {
                try await old.get("/readyz").contains("does not belong to the certificate")
            }
            let between = try await TLSTestClient.connect(port: gateway.port, authority: certificates.authority)
            #expect(between.certificate.contains("first"))
            try certificates.copy("second.key", over: "server.key")
            try await eventually("the new pair is used") {
                let client = try await TLSTestClient.connect(port: gateway.port, authority: certificates.authority)
                defer { client.close() }
                return client.certificate.contains("second")
            }
            #expect(try await old.get("/readyz").contains(#""tls":{"status":"pass"}"#))
            #expect(try await between.get("/livez").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `rubbish in the files changes nothing but the readiness, which is a warning`() async throws {
        try await self.run { gateway, certificates in
            try certificates.write("rubbish", to: "server.pem")
            let client = try await TLSTestClient.connect(port: gateway.port, authority: certificates.authority)
            try await eventually("the rubbish is noticed") {
                let text = try await client.get("/readyz")
                return text.hasPrefix("HTTP/1.1 200 ") && text.contains(#"{"status":"warn""#)
                    && text.contains("holds no certificate in PEM format")
            }
            gateway.gateway.reloadCertificate()
            let other = try await TLSTestClient.connect(port: gateway.port, authority: certificates.authority)
            #expect(try await other.get("/livez").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `a certificate that runs out soon is a warning`() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.make("short", days: 2)
        let identity = try ServerIdentity(
            .init(certificate: certificates.path("short.pem"), key: certificates.path("short.key")))
        #expect(identity.readiness.status == .warn)
        #expect(identity.readiness.reason?.hasPrefix("the certificate expires in 4") == true)
    }

    @Test func `what is wrong with the files is said at the start, by field and file`() async throws {
        let certificates = try TestCertificates()
        defer { certificates.remove() }
        try certificates.make("good")
        try certificates.make("other")
        try certificates.write("rubbish", to: "rubbish")
        try certificates.run(["ec", "-in", "good.key", "-aes128", "-passout", "pass:x", "-out", "locked.key"])
        func message(_ certificate: String, _ key: String) -> String {
            var configuration = GatewayConfiguration()
            configuration.tls = .init(certificate: certificates.path(certificate), key: certificates.path(key))
            let log = MemoryEventLog()
            let error = #expect(throws: GatewayError.self) {
                _ = try Gateway(configuration: configuration, bus: MemoryEventBus(log: log), log: log)
            }
            #expect(error?.code == .configuration)
            return error?.message.replacing(certificates.folder.path + "/", with: "") ?? ""
        }
        #expect(
            message("missing.pem", "good.key")
                == "tls.certificate: missing.pem cannot be read: No such file or directory")
        #expect(message("good.pem", "missing.key") == "tls.key: missing.key cannot be read: No such file or directory")
        #expect(message("rubbish", "good.key") == "tls.certificate: rubbish holds no certificate in PEM format")
        #expect(message("good.pem", "rubbish") == "tls.key: rubbish holds no private key in PEM format")
        #expect(
            message("good.pem", "locked.key")
                == "tls.key: the key in locked.key is encrypted; store it without a passphrase")
        #expect(
            message("good.pem", "other.key")
                == "tls.key: the key in other.key does not belong to the certificate in good.pem")
    }
}

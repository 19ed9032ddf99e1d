import Foundation
import Testing
import Tidings
import TidingsWebSocket
import TidingsWebhooks

@Suite(.timeLimit(.minutes(1)))
struct WebhookTLSTests {
    private static let openssl = "/usr/bin/openssl"

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: Self.openssl), "openssl is not installed"))
    func `a certificate that nobody vouches for is not believed`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "webhook-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(filePath: Self.openssl)
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem",
            "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)

        var configuration = WebSocketListenerConfiguration()
        configuration.tls = WebSocketListenerConfiguration.TLS(
            certificateFile: folder.appending(path: "cert.pem").path, keyFile: folder.appending(path: "key.pem").path)
        let listener = try await WebSocketListener.bind(
            configuration: configuration, onUpgrade: { _ in .refuse(WebSocketHandshake.Refusal(status: 404)) },
            onRequest: { _ in WebSocketListener.Response(status: 204) })
        let error = await failure {
            try await withWebhook(WebhookConfiguration(url: "https://localhost:\(listener.port)/hook")) {
                try await $0.deliver(.alert())
            }
        }
        await listener.close()
        let found = try #require(error as? WebhookError)
        #expect(found.code == .connection)
        #expect(found.message.contains("CERTIFICATE_VERIFY_FAILED"), "\(found)")
    }
}

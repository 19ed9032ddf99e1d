import Foundation
import Testing

/// A throw-away certificate authority and server certificates of it, made by openssl.
struct TestCertificates: Sendable {
    static let openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    let folder: URL

    var authority: String { self.path("ca.pem") }

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appending(path: "tidings-gateway-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        try self.run(
            ["req", "-x509"] + Self.curve + [
                "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Tidings test",
                "-addext", "basicConstraints=critical,CA:TRUE",
            ])
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8).write(to: self.folder.appending(path: "san"))
    }

    private static let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    func path(_ name: String) -> String { self.folder.appending(path: name).path }

    /// Makes `NAME.pem` and `NAME.key`.
    func make(_ name: String, days: Int = 30) throws {
        try self.run(["req"] + Self.curve + ["-keyout", "\(name).key", "-out", "\(name).csr", "-subj", "/CN=\(name)"])
        try self.run([
            "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
            "\(days)", "-out", "\(name).pem", "-extfile", "san",
        ])
    }

    /// Puts a copy in place of a file at once, as programs that renew certificates do.
    func copy(_ name: String, over other: String) throws {
        let temporary = self.path("temporary-\(UUID().uuidString)")
        try FileManager.default.copyItem(atPath: self.path(name), toPath: temporary)
        guard rename(temporary, self.path(other)) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: self.folder.appending(path: name))
    }

    func remove() { try? FileManager.default.removeItem(at: self.folder) }

    func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.openssl ?? "")
        process.arguments = arguments
        process.currentDirectoryURL = self.folder
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}

import Foundation
import Testing
import Tidings

/// A server that may have few files open, and more clients than that.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct DescriptorTests {
    @Test func `a server without file descriptors left waits for some, and serves again`() async throws {
        try await withFolder { folder in
            let server = try Program(
                [
                    "--nofile=60:60", Program.path.path, "run", "--store", folder.appending(path: "s.db").path,
                    "--listen", "127.0.0.1:0", "--quiet",
                ], executable: URL(filePath: "/usr/bin/prlimit"))
            let address = try await server.address()
            var clients = try (0..<150).map { _ in try RawSocket(address) }
            // The first of those that find no place are told so; there is no descriptor for the others.
            try? await clients[149].read(.seconds(1), until: { _ in true })
            clients.removeAll()
            let deadline = ContinuousClock.now + .seconds(20)
            var metrics = ""
            while !metrics.contains("\ntidings_gateway_connections 1\n"), ContinuousClock.now < deadline {
                let socket = try RawSocket(address)
                try? socket.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                metrics = (try? await socket.readToEnd(.seconds(5))) ?? ""
            }
            #expect(metrics.contains("\ntidings_gateway_connections 1\n"))
            let errors = metrics.split(separator: "\n").first { $0.hasPrefix("tidings_gateway_accept_errors_total ") }
            // It waits between two tries rather than trying all the time; none fails where clients were turned away in time.
            let count = try #require(Int(errors?.split(separator: " ").last ?? ""))
            #expect(count <= 300)
            server.terminate()
            #expect(await server.waitUntilEnded() == 0, "\(server.error)")
        }
    }
}

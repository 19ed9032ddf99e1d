import Foundation
import ServiceLifecycle
import Testing
import Tidings
import TidingsGateway

/// `docs/gateway.md` shows what is tested, letter by letter.
@Suite struct GuideTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// Compiled; ``WebSocketServerTests`` runs the same on ports of its own.
    private func serve(_ emitter: EventEmitter) async throws {
        // Guide server starts
        let server = WebSocketServer(port: 8765)
        try await server.attach(to: emitter)
        try await server.start()
        // Guide server ends
    }

    private func embed() async throws {
        // Guide example starts
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        var configuration = GatewayConfiguration()
        configuration.port = 0  // any free one
        let gateway = try Gateway(configuration: configuration, bus: bus, log: log) { address in
            print("http://\(address)")
        }
        // In a program of its own: ServiceGroup(services: [gateway], gracefulShutdownSignals: [.sigterm], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gateway.run() }
            _ = try await bus.publish(StandardEvent(eventType: "hello", source: "me", payload: ["n": 1]))
            group.cancelAll()
        }
        await bus.stop()
        // Guide example ends
    }

    @Test func `the example of embedding runs`() async throws {
        try await self.embed()
    }

    @Test func `the guide shows the examples as they are`() throws {
        let guide = try Self.text("docs/gateway.md")
        for name in ["follow.py", "follow.js", "follow.html"] {
            let example = try Self.text("Examples/clients/\(name)").trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(guide.contains("\n\(example)\n"), "\(name)")
        }
        let source = try Self.text("Tests/TidingsGatewayTests/Description/GuideTests.swift")
        for name in ["example", "server"] {
            let parts = source.components(separatedBy: "\n        // Guide " + "\(name) ")
            let code = try #require(parts.count == 3 ? parts[1] : nil).components(separatedBy: "\n").dropFirst()
                .map { $0.hasPrefix("        ") ? String($0.dropFirst(8)) : $0 }.joined(separator: "\n")
            #expect(guide.contains("\n\(code)\n"), "\(name)")
        }
    }

    @Test func `the guide names every path, status and code of closing`() throws {
        let guide = try Self.text("docs/gateway.md")
        let statuses = try DescribedAPI.enforced().operations.reduce(into: Set<Int>()) { $0.formUnion($1.statuses) }
        for status in statuses where status >= 400 { #expect(guide.contains("\(status)"), "\(status)") }
        for code in [1001, 1003, 1008, 1009, 4008, 4012] { #expect(guide.contains("\(code)"), "\(code)") }
    }
}

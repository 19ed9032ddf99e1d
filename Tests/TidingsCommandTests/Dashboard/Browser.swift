import Foundation
import Tidings
import TidingsWebSocket

/// A headless Chromium with one page, driven by the DevTools protocol over our own WebSocket client.
final class Browser: Sendable {
    private struct State {
        var nextID = 1
        var waiting: [Int: CheckedContinuation<DevToolsMessage, any Error>] = [:]
        var complaints: [String] = []
        var isClosed = false
    }

    /// The first there is of the names that Chromium goes by.
    static let path: String? = ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"].lazy
        .flatMap { name in
            (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
        }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private let state = Locked(State())
    private let connection = Locked<WebSocketConnection?>(nil)
    private let session = Locked<String?>(nil)

    /// Starts a browser for the length of `body`.
    static func with<Result>(size: String = "1280,900", _ body: (Browser) async throws -> Result) async throws -> Result
    {
        let path = try Self.path.orThrow("no chromium")
        return try await withFolder { profile in
            // It says on standard error where it listens.
            let program = try Program(
                [
                    "-c", "exec \"$@\" 2>&1", "sh", path, "--headless", "--no-sandbox", "--disable-gpu",
                    "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0",
                    "--user-data-dir=\(profile.path)", "--window-size=\(size)", "about:blank",
                ], executable: URL(filePath: "/bin/sh"))
            let browser = Browser()
            do {
                await program.wait { $0.contains(/DevTools listening on ws:\S+\n/) }
                let found = try program.output.firstMatch(of: /DevTools listening on (ws:\S+)\n/)
                    .orThrow("no DevTools: \(program.output)")
                try await browser.attach(String(found.1))
                let result = try await body(browser)
                await Self.end(program)
                return result
            } catch {
                await Self.end(program)
                throw error
            }
        }
    }

    private static func end(_ program: Program) async {
        program.kill9()
        await program.waitUntilEnded()
    }

    private func attach(_ url: String) async throws {
        var configuration = WebSocketClientConfiguration()
        configuration.options.pingInterval = nil
        configuration.headers = []
        let client = WebSocketClient(configuration: configuration)
        let connection = try await client.connect(to: url, headers: [], subprotocols: []) { _ in
            WebSocketCallbacks(
                onText: { _, bytes in self.receive(Data(bytes)) },
                onClose: { _, _ in self.close() })
        }
        self.connection.withLock { $0 = connection }
        let target = try await self.call("Target.createTarget", ["url": "about:blank"]).targetId.orThrow("no target")
        let session = try await self.call("Target.attachToTarget", ["targetId": target, "flatten": true]).sessionId
        self.session.withLock { $0 = session }
        for domain in ["Page", "Runtime", "Log", "Accessibility"] { _ = try await self.call("\(domain).enable") }
    }

    private func receive(_ data: Data) {
        guard let message = try? JSONDecoder().decode(DevToolsMessage.self, from: data) else { return }
        let waiter = self.state.withLock { state -> CheckedContinuation<DevToolsMessage, any Error>? in
            if let id = message.id { return state.waiting.removeValue(forKey: id) }
            if let complaint = message.complaint, state.complaints.count < 100 { state.complaints.append(complaint) }
            return nil
        }
        waiter?.resume(returning: message)
    }

    private func close() {
        let waiting = self.state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in waiting { waiter.resume(throwing: ProgramError(description: "the browser is gone")) }
    }

    /// What the page's script threw, and what the browser logged as an error, such as a breach of the content policy.
    var complaints: [String] { self.state.withLock { $0.complaints } }

    func forgetComplaints() { self.state.withLock { $0.complaints = [] } }

    @discardableResult
    func call(_ method: String, _ parameters: [String: any Sendable] = [:]) async throws -> DevToolsMessage.Result {
        let connection = try self.connection.withLock { $0 }.orThrow("not connected")
        let id = self.state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        var request: [String: Any] = ["id": id, "method": method, "params": parameters]
        if let session = self.session.withLock({ $0 }) { request["sessionId"] = session }
        let text = String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
        let message = try await withCheckedThrowingContinuation { continuation in
            let isClosed = self.state.withLock { state in
                if !state.isClosed { state.waiting[id] = continuation }
                return state.isClosed
            }
            if isClosed { return continuation.resume(throwing: ProgramError(description: "the browser is gone")) }
            do {
                try connection.send(text: text)
            } catch {
                self.state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(throwing: error)
            }
        }
        if let error = message.error { throw ProgramError(description: "\(method): \(error.message)") }
        return message.result ?? DevToolsMessage.Result()
    }

    func open(_ address: String) async throws {
        try await self.call("Page.navigate", ["url": address])
    }

    /// The value of an expression as text; a promise is waited for.
    @discardableResult
    func evaluate(_ expression: String) async throws -> String {
        let answer = try await self.call(
            "Runtime.evaluate",
            ["expression": "(async () => String(\(expression)))()", "awaitPromise": true, "returnByValue": true])
        if let thrown = answer.exceptionDetails {
            throw ProgramError(description: "\(expression): \(thrown.exception?.description ?? thrown.text)")
        }
        return answer.result?.value ?? ""
    }

    /// Returns once an expression is true in the page, as seen by its own timer.
    func wait(for expression: String, seconds: Int = 20) async throws {
        let script = """
            new Promise((done) => {
                const end = Date.now() + \(seconds * 1000);
                const look = () => {
                    let isTrue = false;
                    try { isTrue = Boolean(\(expression)); } catch {}
                    if (isTrue || Date.now() > end) done(isTrue);
                    else setTimeout(look, 50);
                };
                look();
            }).then((value) => value)
            """
        guard try await self.evaluate("await \(script)") == "true" else {
            let page = try await self.evaluate("document.body?.innerText.slice(0, 1500)")
            throw ProgramError(description: "never true: \(expression)\n\(page)")
        }
    }
}

/// What the browser sends, as far as we read it.
struct DevToolsMessage: Decodable, Sendable {
    struct Result: Decodable, Sendable {
        var targetId: String?
        var sessionId: String?
        var result: Value?
        var exceptionDetails: Thrown?
        var nodes: [Node]?
    }

    struct Value: Decodable, Sendable {
        var value: String?
        var description: String?
    }

    struct Thrown: Decodable, Sendable {
        var text: String
        var exception: Value?
    }

    /// One node of the accessibility tree.
    struct Node: Decodable, Sendable {
        struct Property: Decodable, Sendable {
            var value: String?

            private enum Key: CodingKey { case value }

            /// A name is text; other values are of no interest here.
            init(from decoder: any Decoder) throws {
                self.value = try? decoder.container(keyedBy: Key.self).decode(String.self, forKey: .value)
            }
        }

        var ignored: Bool
        var role: Property?
        var name: Property?
    }

    struct Failure: Decodable, Sendable { var message: String }

    struct Parameters: Decodable, Sendable {
        struct Entry: Decodable, Sendable {
            var level: String
            var text: String
            var url: String?
        }

        var entry: Entry?
        var exceptionDetails: Thrown?
    }

    var id: Int?
    var method: String?
    var result: Result?
    var error: Failure?
    var params: Parameters?

    var complaint: String? {
        if let thrown = self.params?.exceptionDetails { return thrown.exception?.description ?? thrown.text }
        guard let entry = self.params?.entry, entry.level == "error" else { return nil }
        return "\(entry.text) \(entry.url ?? "")"
    }
}

extension Optional {
    fileprivate func orThrow(_ what: String) throws -> Wrapped {
        guard let self else { throw ProgramError(description: what) }
        return self
    }
}

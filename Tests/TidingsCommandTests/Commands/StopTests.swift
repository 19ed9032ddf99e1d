import Foundation
import Testing
import Tidings
import TidingsTestSupport
import TidingsWebSocket

/// What a server that is told to stop (SIGTERM) does for those it serves. Real programs and sockets.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct StopTests {
    private func serve(_ store: String) throws -> Program {
        try Program(["run", "--store", store, "--listen", "127.0.0.1:0", "--quiet"])
    }

    private func stop(_ server: Program) async -> Duration {
        let start = ContinuousClock.now
        server.terminate()
        let status = await server.waitUntilEnded()
        #expect(status == 0, "\(server.error)")
        return ContinuousClock.now - start
    }

    private func stored(_ store: String, _ type: String) async throws -> Int {
        let (_, output, _) = try await Program.run("query", "--store", store, "--type", type, "--json")
        return output.split(separator: "\n").count
    }

    private static func line(_ number: Int) -> String {
        #"{"event_type":"custom","event_id":"e-\#(number)","payload":{"n":\#(number)}}"# + "\n"
    }

    private static func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }

    /// The body of an answer, whole; chunked or not.
    private static func body(_ answer: String) throws -> String {
        let end = try #require(answer.firstRange(of: "\r\n\r\n"))
        let head = answer[..<end.lowerBound].lowercased()
        guard head.contains("transfer-encoding: chunked") else { return String(answer[end.upperBound...]) }
        var rest = Array(answer[end.upperBound...].utf8)[...]
        var body: [UInt8] = []
        while let line = rest.firstIndex(of: 13) {
            let size = try #require(Int(String(decoding: rest[..<line], as: UTF8.self), radix: 16))
            rest = rest[(line + 2)...]
            if size == 0 { return String(decoding: body, as: UTF8.self) }
            try #require(rest.count >= size + 2, "the answer was cut off")
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        throw ProgramError(description: "the answer was cut off")
    }

    private static let upload =
        "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
        + "Transfer-Encoding: chunked\r\n\r\n"

    private func head(_ address: String) async throws -> Int {
        let (_, body) = try await request("http://\(address)/api/v1/events?type=custom&limit=10000")
        return try JSONObject(json: body)["events"]?.array?.count ?? 0
    }

    private func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw ProgramError(description: "timed out: \(what)") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test func `an upload is taken to its end, a stream ends cleanly, an idle connection is closed, a new one refused`()
        async throws
    {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let server = try self.serve(store)
            let address = try await server.address()
            let upload = try RawSocket(address)
            try upload.send(Self.upload + Self.chunk((0..<10).map(Self.line).joined()))
            let stream = try RawSocket(address)
            try stream.send("GET /api/v1/stream?type=custom&after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
            try await stream.read { $0.contains(#""n":9"#) }
            let idle = try RawSocket(address)
            try idle.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            try await idle.read { $0.contains("checks") }

            let start = ContinuousClock.now
            server.terminate()
            _ = try await idle.readToEnd()
            try await self.eventually("new connections are refused") {
                (try? RawSocket(address)) == nil
            }
            // In the middle of the stop the rest comes, and is streamed as well.
            try upload.send(Self.chunk((10..<20).map(Self.line).joined()))
            try await stream.read { $0.contains(#""n":19"#) }
            try upload.send("0\r\n\r\n")
            let answer = try await upload.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 202 "), "\(answer)")
            #expect(answer.contains(#""accepted":20"#))
            let streamed = try await stream.readToEnd()
            #expect(streamed.hasSuffix("0\r\n\r\n"), "\(streamed.suffix(100))")
            #expect(await server.waitUntilEnded() == 0, "\(server.error)")
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(try await self.stored(store, "custom") == 20)
        }
    }

    @Test func `an upload without an end is answered with what was taken, and all of that is in the log`() async throws
    {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let server = try self.serve(store)
            let address = try await server.address()
            let upload = try RawSocket(address)
            try upload.send(Self.upload + Self.chunk((0..<10).map(Self.line).joined()))
            try await self.eventually("the first lines are in") { try await self.head(address) == 10 }
            let start = ContinuousClock.now
            server.terminate()
            var sent = 10
            while true {
                do { try upload.send(Self.chunk(Self.line(sent))) } catch { break }
                sent += 1
                try await upload.read(.seconds(20)) { _ in true }
                try await Task.sleep(for: .milliseconds(20))
                if upload.hasEnded || upload.text.contains("accepted") { break }
                #expect(ContinuousClock.now - start < .seconds(20))
            }
            let answer = try await upload.readToEnd()
            #expect(await server.waitUntilEnded() == 0, "\(server.error)")
            #expect(ContinuousClock.now - start < .seconds(10))
            let body = try Self.body(answer)
            let accepted = try JSONObject(json: body)["accepted"]?.int
            let inLog = try await self.stored(store, "custom")
            #expect(accepted == inLog, "\(answer)")
            #expect(inLog >= 10)
        }
    }

    @Test func `a large answer is finished for a client that takes its time`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let server = try self.serve(store)
            let address = try await server.address()
            let filler = String(repeating: "x", count: 2000)
            let lines = (0..<5000).map {
                #"{"event_type":"custom","event_id":"e-\#($0)","payload":{"n":\#($0),"text":"\#(filler)"}}"#
            }
            let (status, _) = try await request(
                "http://\(address)/api/v1/events", method: "POST", contentType: "application/x-ndjson",
                body: Data(lines.joined(separator: "\n").utf8))
            #expect(status == 202)
            let download = try RawSocket(address)
            try download.send("GET /api/v1/events?type=custom&limit=10000 HTTP/1.1\r\nHost: x\r\n\r\n")
            // The answer has begun, and does not fit into what the sockets hold.
            try await download.read { !$0.isEmpty }
            server.terminate()
            try await Task.sleep(for: .milliseconds(500))
            let answer = try await download.readToEnd()
            #expect(await server.waitUntilEnded() == 0, "\(server.error)")
            let page = try JSONObject(json: try Self.body(answer))
            #expect(page["events"]?.array?.count == 5000)
        }
    }

    @Test func `WebSocket clients under load are told exactly where to resume`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let server = try self.serve(store)
            let address = try await server.address()
            let clients = try await (0..<4).asyncMap { index in
                try await ResumingClient.connect(
                    address, from: nil, symbols: index == 3 ? ["A-USD"] : ["*"])
            }
            // Several publishers at once, as fast as they are answered, until the server takes no more.
            async let published: Void = withTaskGroup(of: Void.self) { group in
                for lane in 0..<4 {
                    group.addTask {
                        for round in 0..<10_000 {
                            let lines = (0..<50).map {
                                #"{"event_type":"custom","event_id":"\#(lane)-\#(round)-\#($0)","#
                                    + #""payload":{"symbol":"\#($0 % 2 == 0 ? "A" : "B")-USD"}}"#
                            }
                            let answer = try? await request(
                                "http://\(address)/api/v1/events", method: "POST", contentType: "application/x-ndjson",
                                body: Data(lines.joined(separator: "\n").utf8))
                            guard answer?.status == 202 else { return }
                        }
                    }
                }
            }
            try await self.eventually("load") { clients[0].offsets.count > 2000 }
            let time = await self.stop(server)
            await published
            #expect(time < .seconds(10))

            let again = try self.serve(store)
            let newAddress = try await again.address()
            for (index, client) in clients.enumerated() {
                let closure = await client.closure()
                #expect(closure.code.rawValue == 1001)
                let prefix = "stopping, resume after "
                #expect(closure.reason.hasPrefix(prefix))
                let offset = try #require(Int64(closure.reason.dropFirst(prefix.count)))
                let first = client.offsets
                #expect(first.last ?? 0 <= offset, "nothing behind the offset was sent")
                // What is in the log from the first event on, for this client's filter.
                let resumed = try await ResumingClient.connect(
                    newAddress, from: (client.epoch, offset), symbols: index == 3 ? ["A-USD"] : ["*"])
                let (_, output, _) = try await Program.run(
                    "query", "--store", store, "--json", "--after", "\(client.start)",
                    "--type", "custom", "--symbol", index == 3 ? "A-USD" : "*")
                let logged = try output.split(separator: "\n").map { line in
                    try #require(try JSONObject(json: String(line))["offset"]?.int).magnitude
                }.map { Int64($0) }
                #expect(logged.count > 2000 || index == 3)
                let expected = Set(logged)
                try await self.eventually("the rest of the log") {
                    (resumed.offsets.last ?? offset) >= (logged.last ?? 0)
                }
                let all = (first + resumed.offsets).filter { expected.contains($0) }
                #expect(all == logged, "client \(index): no gap, no duplicate at \(offset)")
                resumed.close()
            }
            again.terminate()
            await again.waitUntilEnded()
        }
    }
}

extension Sequence where Element: Sendable {
    fileprivate func asyncMap<Result>(_ body: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}

/// A WebSocket client that notes the offsets it gets.
private final class ResumingClient: Sendable {
    private struct State {
        var offsets: [Int64] = []
        var epoch: String?
        var start: Int64 = 0
        var isSubscribed = false
    }

    private let state = Locked(State())
    private let socket = Locked<WebSocketConnection?>(nil)

    static func connect(
        _ address: String, from: (epoch: String, offset: Int64)?, symbols: [String]
    ) async throws -> ResumingClient {
        let client = ResumingClient()
        let state = client.state
        let connection = try await WebSocketClient().connect(to: "ws://\(address)/ws") { _ in
            WebSocketCallbacks(onText: { _, bytes in
                guard let message = try? JSONObject(json: bytes) else { return }
                state.withLock { state in
                    if message["type"]?.string == "ack" {
                        state.isSubscribed = true
                        state.epoch = message["data"]?.object?["epoch"]?.string
                        state.start = Int64(message["data"]?.object?["offset"]?.int ?? 0)
                    } else if let offset = message["offset"]?.int {
                        state.offsets.append(Int64(offset))
                    }
                }
            })
        }
        client.socket.withLock { $0 = connection }
        let names = symbols.map { "\"\($0)\"" }.joined(separator: ",")
        let position = from.map { #","from":{"epoch":"\#($0.epoch)","offset":\#($0.offset)}"# } ?? ""
        try connection.send(text: #"{"action":"subscribe","symbols":[\#(names)]\#(position)}"#)
        while !state.withLock({ $0.isSubscribed }) { try await Task.sleep(for: .milliseconds(2)) }
        return client
    }

    var offsets: [Int64] { self.state.withLock { $0.offsets } }
    var epoch: String { self.state.withLock { $0.epoch } ?? "" }
    var start: Int64 { self.state.withLock { $0.start } }

    func closure() async -> WebSocketClosure {
        guard let connection = self.socket.withLock({ $0 }) else { preconditionFailure("not connected") }
        return await connection.waitUntilClosed()
    }

    func close() { self.socket.withLock { $0 }?.close() }
}

import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct HeadLimitTests {
    private func answer(_ gateway: GatewayHarness, to text: String) async throws -> String {
        let client = try await RawTestClient.connect(port: gateway.port)
        try? await client.send(text)
        return try await client.everything()
    }

    @Test func `a path that is too long is answered 414, wherever it ends`() async throws {
        try await GatewayHarness.run { gateway in
            for length in [16_385, 40_000, 100_000, 1_000_000, 5_000_000] {
                let path = "/" + String(repeating: "a", count: length)
                let text = try await self.answer(gateway, to: "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(text.hasPrefix("HTTP/1.1 414 "), "\(length): \(text.prefix(60))")
                #expect(text.contains(#""code":"uri_too_long""#))
            }
            let path = "/" + String(repeating: "a", count: 16_383)
            #expect(try await gateway.request("GET", path).status == 404)
        }
    }

    @Test func `headers that are too long, or too many, are answered 431`() async throws {
        try await GatewayHarness.run { gateway in
            let long = "X-A: " + String(repeating: "a", count: 70_000)
            let endless = "X-A: " + String(repeating: "a", count: 3_000_000)
            let many = (0..<200).map { "X-\($0): b" }.joined(separator: "\r\n")
            let wide = (0..<100).map { "X-\($0): " + String(repeating: "b", count: 1000) }.joined(separator: "\r\n")
            for (name, headers) in [("long", long), ("endless", endless), ("many", many), ("wide", wide)] {
                let text = try await self.answer(gateway, to: "GET /livez HTTP/1.1\r\nHost: x\r\n\(headers)\r\n\r\n")
                #expect(text.hasPrefix("HTTP/1.1 431 "), "\(name): \(text.prefix(60))")
                #expect(text.contains(#""code":"head_too_large""#))
            }
            let fitting = (0..<100).map { "X-\($0): " + String(repeating: "b", count: 500) }.joined(separator: "\r\n")
            let request = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(fitting)\r\n\r\n"
            #expect(try await self.answer(gateway, to: request).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `trailers and the words behind a chunk's size are bounded, too`() async throws {
        try await GatewayHarness.run { gateway in
            let head =
                "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n"
            let trailers = (0..<50_000).map { "X-\($0): b\r\n" }.joined()
            let extensions = "1;" + String(repeating: "a", count: 1_000_000)
            for rest in ["0\r\n" + trailers + "\r\n", extensions + "\r\n\n\r\n0\r\n\r\n"] {
                let text = try await self.answer(gateway, to: head + rest)
                #expect(text.hasPrefix("HTTP/1.1 431 ") || text.hasPrefix("HTTP/1.1 400 "), "\(text.prefix(80))")
            }
        }
    }

    @Test(arguments: [
        "\u{0}\u{1}\u{2}\u{3}", "GET / HTTP/9.9\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
    func `what is no HTTP is answered 400`(text: String) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await self.answer(gateway, to: text)
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer.prefix(80))")
            #expect(answer.contains("application/problem+json"))
        }
    }

    @Test func `what is wrong behind good requests is answered after them`() async throws {
        try await GatewayHarness.run { gateway in
            let good = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
            let text = try await self.answer(gateway, to: good + good + "BAD\r\n\r\n")
            #expect(text.components(of: "HTTP/1.1 200 ") == 2)
            #expect(text.components(of: "HTTP/1.1 400 ") == 1)
        }
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}

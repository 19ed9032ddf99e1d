import Testing

@testable import TidingsWebSocket

@Suite struct HandshakeTests {
    @Test func `the accept key is the one of the RFC`() {
        #expect(WebSocketHandshake.acceptKey(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test func `SHA-1 and Base64 give the known values`() {
        func hex(_ text: String) -> String {
            SHA1.digest(Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(
            ["", "f", "fo", "foo", "foob"].map { Base64.encode(Array($0.utf8)) } == [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==",
            ])
        #expect(Base64.isNonce(WebSocketHandshake.randomKey()))
    }

    private static let good = [
        WebSocketHeader("Host", "x"), .init("Upgrade", "WebSocket"), .init("Connection", "keep-alive, Upgrade"),
        .init("Sec-WebSocket-Version", "13"), .init("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        .init("Sec-WebSocket-Protocol", "a, b"), .init("sec-websocket-protocol", "c"),
    ]

    private static func status(_ method: String = "GET", without name: String, plus: WebSocketHeader? = nil) -> Int? {
        let headers = self.good.filter { $0.name != name } + (plus.map { [$0] } ?? [])
        do throws(WebSocketHandshake.Refusal) {
            _ = try WebSocketHandshake.accept(method: method, path: "/", headers: headers)
            return nil
        } catch {
            return error.status
        }
    }

    @Test func `requests that break the rules are refused with the right status`() {
        #expect(Self.status(without: "Host") == nil)
        #expect(Self.status("POST", without: "") == 405)
        #expect(Self.status(without: "Upgrade") == 426)
        #expect(Self.status(without: "Connection") == 426)
        #expect(Self.status(without: "Sec-WebSocket-Version") == 426)
        #expect(Self.status(without: "Sec-WebSocket-Version", plus: .init("Sec-WebSocket-Version", "8")) == 426)
        #expect(Self.status(without: "Sec-WebSocket-Key") == 400)
        #expect(Self.status(without: "Sec-WebSocket-Key", plus: .init("Sec-WebSocket-Key", "short")) == 400)
        #expect(Self.status(without: "", plus: .init("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")) == 400)
    }

    @Test func `the first subprotocol of the client that the server knows is chosen`() {
        #expect(WebSocketHandshake.selectSubprotocol(Self.good, from: ["c", "b"]) == "b")
        #expect(WebSocketHandshake.selectSubprotocol(Self.good, from: ["z"]) == nil)
    }

    @Test func `a response is checked in all it promises`() {
        let key = "dGhlIHNhbXBsZSBub25jZQ=="
        let base = [
            WebSocketHeader("upgrade", "websocket"), .init("connection", "upgrade"),
            .init("sec-websocket-accept", WebSocketHandshake.acceptKey(for: key)),
        ]
        func works(_ headers: [WebSocketHeader], deflate: Bool = false) -> Bool {
            (try? WebSocketHandshake.checkResponse(
                headers, key: key, path: "/", subprotocols: ["a"], offersDeflate: deflate)) != nil
        }
        #expect(works(base))
        for index in base.indices {
            var broken = base
            broken.remove(at: index)
            #expect(!works(broken))
        }
        #expect(!works(Array(base.prefix(2)) + [.init("Sec-WebSocket-Accept", "wrong")]))
        #expect(works(base + [.init("Sec-WebSocket-Protocol", "a")]))
        #expect(!works(base + [.init("Sec-WebSocket-Protocol", "b")]))
        #expect(!works(base + [.init("Sec-WebSocket-Extensions", "permessage-deflate")]))
        #expect(works(base + [.init("Sec-WebSocket-Extensions", "permessage-deflate")], deflate: true))
        #expect(
            !works(base + [.init("Sec-WebSocket-Extensions", "permessage-deflate, permessage-deflate")], deflate: true))
    }

    @Test func `addresses are split`() throws {
        let plain = try WebSocketURL("ws://example.com")
        #expect((plain.host, plain.port, plain.path, plain.isSecure) == ("example.com", 80, "/", false))
        let full = try WebSocketURL("WSS://[::1]:9443/a/b?c=d:/@#frag")
        #expect((full.host, full.port, full.path, full.isSecure) == ("::1", 9443, "/a/b?c=d:/@", true))
        #expect(full.hostHeader == "[::1]:9443")
        #expect(try WebSocketURL("wss://h?x=1").path == "/?x=1")
        #expect(try WebSocketURL("wss://h:443").hostHeader == "h")
        #expect("\(try WebSocketURL("wss://h/p?secret=1"))" == "wss://h/p")
        for bad in [
            "", "example.com", "ftp://x", "ws://", "ws://:80", "ws://h:0", "ws://h:65536", "ws://h:x", "ws://u:p@h",
            "ws://[::1", "ws://[::1]x", "ws://h/ a", "ws://h/\r\nX: y", "ws://hö", "ws:/h", "://h",
        ] {
            #expect(throws: WebSocketError.self, "\(bad)") { try WebSocketURL(bad) }
        }
    }

    @Test func `a header that would smuggle in a line is refused`() throws {
        let url = try WebSocketURL("ws://h")
        for header in [
            WebSocketHeader("X", "a\r\nY: b"), .init("X Y", "a"), .init("", "a"), .init("Host", "other"),
            .init("X:", "a"),
        ] {
            #expect(throws: WebSocketError.self) {
                try ClientRequest(url: url, subprotocols: [], headers: [header], configuration: .init())
            }
        }
        let evil = WebSocketURL(isSecure: false, host: "h", port: 80, path: "/ HTTP/1.1\r\nX: y")
        #expect(throws: WebSocketError.self) {
            try ClientRequest(url: evil, subprotocols: [], headers: [], configuration: .init())
        }
    }
}

@Suite struct ResponseHeadParserTests {
    private static func parse(_ text: String, cut: Int? = nil) -> ResponseHeadParser.Outcome {
        let bytes = Array(text.utf8)
        var parser = ResponseHeadParser(limit: 1000, maximumHeaders: 5)
        var done = 0
        for part in [bytes.prefix(cut ?? 0), bytes.dropFirst(cut ?? 0)] {
            let outcome = Array(part).withUnsafeBytes { parser.append($0) }
            switch outcome {
            case .head(let head, let consumed): return .head(head, consumed: done + consumed)
            case .invalid: return outcome
            case .needsMore: done += part.count
            }
        }
        return .needsMore
    }

    private static let answer = "HTTP/1.1 429 Too Many Requests\r\nRetry-After:  7 \r\nX: \r\n\r\n"

    @Test func `a head is read however it is cut, and nothing behind it`() {
        let head = ResponseHeadParser.Head(status: 429, headers: [.init("Retry-After", "7"), .init("X", "")])
        let size = Self.answer.utf8.count
        for cut in 0...size { #expect(Self.parse(Self.answer + "rest", cut: cut) == .head(head, consumed: size)) }
        #expect(Self.parse(String(Self.answer.dropLast())) == .needsMore)
        #expect(Self.parse("HTTP/1.1 101\n\n") == .head(.init(status: 101, headers: []), consumed: 14))
    }

    @Test func `what is no head is refused, early where it shows early`() {
        for bad in [
            "SSH-2.0", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
            "HTTP/1.1200 OK\r\n\r\n",
            "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: v\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA B: v\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \u{1}\r\n\r\n", "\r\n\r\n",
            "HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 6) + "\r\n",
            "HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 2000),
        ] {
            guard case .invalid = Self.parse(bad) else {
                Issue.record("taken: \(bad.prefix(40))")
                continue
            }
        }
    }

    @Test func `no mutation of a head traps`() {
        var generator = SeededGenerator(seed: 11)
        let bytes = Array(Self.answer.utf8)
        for _ in 0..<5_000 {
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                mutated[Int.random(in: 0..<mutated.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            var parser = ResponseHeadParser(limit: 200)
            _ = mutated.withUnsafeBytes { parser.append($0) }
        }
    }
}

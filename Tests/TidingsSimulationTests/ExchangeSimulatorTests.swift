import Testing
import TidingsWebSocket

@testable import Tidings
@testable import TidingsSimulation

@Suite(.timeLimit(.minutes(2))) struct ExchangeSimulatorTests {
    private func withSimulator(
        _ configuration: ExchangeSimulatorConfiguration, _ body: (ExchangeSimulator, Int) async throws -> Void
    ) async throws {
        let simulator = ExchangeSimulator(configuration: configuration)
        let port = try await simulator.start()
        do {
            try await body(simulator, port)
        } catch {
            await simulator.stop()
            throw error
        }
        await simulator.stop()
    }

    private func small(
        speed: PlaybackSpeed = .max, faults: [Fault] = [], lines: [String] = SmallSession.lines
    ) throws -> (configuration: ExchangeSimulatorConfiguration, file: TemporaryFile) {
        let file = try TemporaryFile(lines)
        var configuration = ExchangeSimulatorConfiguration(source: .recording(file: file.path))
        configuration.speed = speed
        configuration.faults = faults
        return (configuration, file)
    }

    private func acknowledgement(_ type: String) -> String {
        #"{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":{"type":"\#(type)","coin":"BTC"}}}"#
    }

    // MARK: Recordings

    @Test(.enabled(if: SampleRecordings.areThere, "no recordings beside the project"))
    func `a recording is sent byte for byte in its order`() async throws {
        let expected = try SampleRecordings.received("hyperliquid-btc.jsonl")
        #expect(expected.count == 55)
        var configuration = ExchangeSimulatorConfiguration(
            source: .recording(file: SampleRecordings.file("hyperliquid-btc.jsonl")))
        configuration.speed = .max
        try await self.withSimulator(configuration) { _, port in
            for _ in 0..<2 {
                let client = try await TestClient.connect(port: port)
                try client.subscribe("trades", "l2Book")
                try await client.wait(for: 57)
                try client.send(#"{"method":"ping"}"#)
                let frames = try await client.wait(for: 58)
                let acknowledgements = [self.acknowledgement("trades"), self.acknowledgement("l2Book")]
                #expect(frames == acknowledgements + expected + [#"{"channel":"pong"}"#])
                #expect(frames.filter { $0.contains(#""l2Book","data":{"coin""#) }.count == 46)
                #expect(client.connection.isOpen)
                client.connection.close()
            }
        }
    }

    @Test func `each client gets what it subscribed to, on any path`() async throws {
        let (configuration, file) = try self.small()
        try await self.withSimulator(configuration) { _, port in
            let trades = try await TestClient.connect(port: port, path: "/")
            let books = try await TestClient.connect(port: port, path: "/a/b?c=d")
            try trades.subscribe("trades")
            try books.subscribe("l2Book")
            #expect(
                try await trades.wait(for: 11)
                    == [self.acknowledgement("trades")] + SmallSession.frames.filter { $0.contains("trades") })
            #expect(
                try await books.wait(for: 11)
                    == [self.acknowledgement("l2Book")] + SmallSession.frames.filter { $0.contains("l2Book") })
        }
        withExtendedLifetime(file) {}
    }

    @Test func `recorded answers are given to whoever asks, not played`() async throws {
        let recorded =
            #"{"data":{"subscription":{"coin":"BTC","type":"trades"},"method":"subscribe"},"channel":"subscriptionResponse"}"#
        let trade = SmallSession.frame(0)
        let (configuration, file) = try self.small(lines: [
            #"{"recording":1,"venue":"hyperliquid"}"#, SmallSession.line("1", "Websocket connection established."),
            SmallSession.line("1", recorded), SmallSession.line("2", #"{"channel":"pong"}"#),
            SmallSession.line("3", trade),
        ])
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades")
            let frames = try await client.wait(for: 3)
            #expect(frames == [recorded, "Websocket connection established.", trade])
        }
        withExtendedLifetime(file) {}
    }

    @Test func `an error does not end the connection, and unsubscribing works`() async throws {
        let (configuration, file) = try self.small(speed: .times(20))
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.send("nonsense")
            try client.subscribe("trades", coin: "DOGE")
            try client.subscribe("trades", "l2Book")
            try client.send(#"{"method":"unsubscribe","subscription":{"type":"l2Book","coin":"BTC"}}"#)
            let frames = try await client.wait(for: 15)
            #expect(frames.filter { $0.hasPrefix(#"{"channel":"error""#) }.count == 2)
            #expect(frames.suffix(10) == SmallSession.frames.filter { $0.contains("trades") }[...])
        }
        withExtendedLifetime(file) {}
    }

    @Test func `a client that does not read for a while gets everything all the same`() async throws {
        var (configuration, file) = try self.small()
        configuration.loops = true
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades", "l2Book")
            try await client.wait(for: 1000)
            client.connection.pauseReading()
            // The simulator fills the socket's buffers and then has to wait.
            let writer = try await TestClient.connect(port: port)
            try writer.subscribe("trades")
            try await writer.wait(for: 20_000)
            client.connection.resumeReading()
            let seen = client.frames.count
            let frames = try await client.wait(for: seen + 10_000).dropFirst(2)
            #expect(frames.enumerated().allSatisfy { $1 == SmallSession.frame($0 % 20) })
        }
        withExtendedLifetime(file) {}
    }

    @Test func `killed and started again on its port, it plays from the beginning`() async throws {
        var (configuration, file) = try self.small(speed: .times(1))
        let first = ExchangeSimulator(configuration: configuration)
        configuration.port = try await first.start()
        let client = try await TestClient.connect(port: configuration.port)
        try client.subscribe("trades")
        try await client.wait(for: 2)
        await first.abort()
        try await client.waitUntilClosed()
        #expect(await client.connection.waitUntilClosed().isClean == false)
        await #expect(throws: WebSocketError.self) { _ = try await TestClient.connect(port: configuration.port) }
        configuration.speed = .max
        try await self.withSimulator(configuration) { _, port in
            let again = try await TestClient.connect(port: port)
            try again.subscribe("trades", "l2Book")
            #expect(try await again.wait(for: 22).suffix(20) == SmallSession.frames[...])
        }
        withExtendedLifetime(file) {}
    }

    @Test func `stopping says goodbye, and the same simulator starts again`() async throws {
        let (configuration, file) = try self.small()
        let simulator = ExchangeSimulator(configuration: configuration)
        let client = try await TestClient.connect(port: try await simulator.start())
        await #expect(throws: ExchangeSimulatorError.self) { try await simulator.start() }
        await simulator.stop()
        #expect(await client.connection.waitUntilClosed().code == .goingAway)
        #expect(simulator.port == nil)
        #expect(try await simulator.start() > 0)
        await simulator.stop()
        withExtendedLifetime(file) {}
    }

    // MARK: REST

    @Test func `REST tells the state at the playback's point`() async throws {
        let (configuration, file) = try self.small()
        try await self.withSimulator(configuration) { _, port in
            let before = try await TestHTTP.post(#"{"type":"recentTrades","coin":"BTC"}"#, port: port)
            #expect(before.status == 200)
            #expect(before.body.contains(#""tid":0"#) && !before.body.contains(#""tid":2"#))
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades", "l2Book")
            try await client.wait(for: 22)
            let book = try await TestHTTP.post(#"{"type":"l2Book","coin":"BTC"}"#, port: port)
            #expect(SmallSession.frame(19).contains(book.body))
            let trades = try await TestHTTP.post(#"{"type":"recentTrades","coin":"BTC"}"#, port: port)
            #expect(trades.body.hasPrefix(#"[{"coin":"BTC","side":"B","px":"100.18""#))
            let mids = try await TestHTTP.post(#"{"type":"allMids"}"#, port: port)
            #expect(mids.body == #"{"BTC":"100.75"}"#)
            let meta = try await TestHTTP.post(#"{"type":"meta"}"#, port: port)
            #expect(meta.body == #"{"universe":[{"name":"BTC","szDecimals":5,"maxLeverage":40}]}"#)
        }
        withExtendedLifetime(file) {}
    }

    @Test(arguments: [
        ("/info", "", 422, "JSON"), ("/info", "{}", 422, "unknown type"), ("/other", "{}", 404, "/other"),
        ("/info", #"{"type":"l2Book","coin":"DOGE"}"#, 422, "unknown coin 'DOGE'"),
        ("/info", #"{"type":"candleSnapshot","req":{"coin":"BTC","interval":"2m"}}"#, 422, "interval"),
    ])
    func `a REST request that cannot be answered is told why`(
        path: String, body: String, status: Int, reason: String
    ) async throws {
        let (configuration, file) = try self.small()
        try await self.withSimulator(configuration) { _, port in
            let response = try await TestHTTP.post(body, path: path, port: port)
            #expect(response.status == status)
            #expect(response.body.contains(reason), "\(response.body)")
        }
        withExtendedLifetime(file) {}
    }

    // MARK: Generated

    @Test func `two clients of a generated market see the same trades`() async throws {
        var configuration = ExchangeSimulatorConfiguration(source: .generated(seed: 42))
        configuration.speed = .times(20)
        try await self.withSimulator(configuration) { _, port in
            let first = try await TestClient.connect(port: port)
            let second = try await TestClient.connect(port: port)
            try first.subscribe("trades")
            try await first.wait(for: 40)
            try second.subscribe("trades", "bbo")
            let late = try await second.wait { $0.count { $0.contains(#""trades","data""#) } >= 40 }
            // All after the replayed ones; the first client is not behind for long.
            guard let last = late.last(where: { $0.contains(#""trades","data""#) }) else { return }
            let early = try await first.wait { $0.contains(last) }
            let common = late.filter { $0.contains(#""trades","data""#) }.dropFirst()
            guard let start = common.first.flatMap({ early.firstIndex(of: $0) }) else {
                Issue.record("the second client's first trade is unknown to the first")
                return
            }
            #expect(Array(early[start...].prefix(common.count)) == Array(common))
            let replayed = try JSONObject(json: late.first { $0.contains(#""trades","data""#) } ?? "")
            #expect(replayed["data"]?.array?.count == 10)
            let candles = try await TestHTTP.post(
                #"{"type":"candleSnapshot","req":{"coin":"BTC","interval":"1m","startTime":0}}"#, port: port)
            #expect(candles.body.hasPrefix(#"[{"t":"#))
        }
    }

    @Test func `a generated market at full speed is the same for everybody, from its beginning`() async throws {
        var configuration = ExchangeSimulatorConfiguration(source: .generated(seed: 1))
        configuration.speed = .max
        configuration.startTime = 1_700_000_000_000
        try await self.withSimulator(configuration) { _, port in
            var all: [[String]] = []
            for _ in 0..<2 {
                let client = try await TestClient.connect(port: port)
                try client.subscribe("trades", "l2Book", coin: "ETH")
                all.append(Array(try await client.wait(for: 2000).prefix(2000)))
                client.connection.abort()
            }
            #expect(all[0] == all[1])
        }
    }

    // MARK: Faults

    @Test func `drop cuts the connection once`() async throws {
        let (configuration, file) = try self.small(faults: [try Fault("drop@5")])
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades", "l2Book")
            try await client.waitUntilClosed()
            #expect(await client.connection.waitUntilClosed().code == .abnormal)
            let again = try await TestClient.connect(port: port)
            try again.subscribe("trades", "l2Book")
            #expect(try await again.wait(for: 22).suffix(20) == SmallSession.frames[...])
        }
        withExtendedLifetime(file) {}
    }

    @Test func `429 refuses handshakes and says for how long`() async throws {
        var (configuration, file) = try self.small(faults: [try Fault("429@5")])
        configuration.banTime = .seconds(60)
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades")
            try await client.waitUntilClosed()
            let error = await #expect(throws: WebSocketError.self) { _ = try await TestClient.connect(port: port) }
            #expect(error?.status == 429)
            #expect((1...60).contains(error?.retryAfterSeconds ?? 0))
        }
        withExtendedLifetime(file) {}
    }

    @Test func `close-1012 closes with that code`() async throws {
        let (configuration, file) = try self.small(faults: [try Fault("close-1012@5")])
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades", "l2Book")
            #expect(await client.connection.waitUntilClosed().code == .serviceRestart)
            #expect(client.frames.dropFirst(2) == SmallSession.frames[..<10])
        }
        withExtendedLifetime(file) {}
    }

    @Test func `garbage is sent between two frames`() async throws {
        let (configuration, file) = try self.small(faults: [try Fault("garbage@5")])
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades", "l2Book")
            let frames = try await client.wait(for: 23).dropFirst(2)
            #expect(frames.prefix(10) == SmallSession.frames[..<10])
            #expect(frames.suffix(10) == SmallSession.frames[10...])
            #expect(throws: EventDecodingError.self) { try JSONObject(json: frames[12]) }
        }
        withExtendedLifetime(file) {}
    }

    @Test func `a stale connection is silent but answers pings`() async throws {
        let (configuration, file) = try self.small(faults: [try Fault("stale@5")])
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades", "l2Book")
            try await client.wait(for: 12)
            try client.send(#"{"method":"ping"}"#)
            #expect(try await client.wait(for: 13).last == #"{"channel":"pong"}"#)
            let other = try await TestClient.connect(port: port)
            try other.subscribe("trades", "l2Book")
            try await other.wait(for: 22)
            #expect(client.frames.count == 13)
        }
        withExtendedLifetime(file) {}
    }

    @Test func `a half-open connection stays open and answers nothing`() async throws {
        let (configuration, file) = try self.small(faults: [try Fault("half-open@5")])
        try await self.withSimulator(configuration) { simulator, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades", "l2Book")
            try await client.wait(for: 12)
            try client.send(#"{"method":"ping"}"#)
            client.connection.ping()
            let other = try await TestClient.connect(port: port)
            try other.subscribe("trades", "l2Book")
            try await other.wait(for: 22)
            #expect(client.frames.count == 12)
            #expect(client.connection.isOpen)
            #expect(simulator.connectionCount == 2)
        }
        withExtendedLifetime(file) {}
    }

    @Test func `a gap leaves out twenty frames`() async throws {
        let lines =
            [#"{"recording":1,"venue":"hyperliquid"}"#]
            + (0..<40).map { SmallSession.line("\($0)", SmallSession.frame($0)) }
        let (configuration, file) = try self.small(faults: [try Fault("gap@5")], lines: lines)
        try await self.withSimulator(configuration) { _, port in
            let client = try await TestClient.connect(port: port)
            try client.subscribe("trades", "l2Book")
            let frames = try await client.wait(for: 22).dropFirst(2)
            #expect(Array(frames) == (Array(0..<5) + Array(25..<40)).map { SmallSession.frame($0) })
        }
        withExtendedLifetime(file) {}
    }

    // MARK: Wrong set-ups

    @Test func `an unknown venue is refused with those that are known`() async {
        let simulator = ExchangeSimulator(
            configuration: ExchangeSimulatorConfiguration(venue: "mtgox", source: .generated(seed: 1)))
        let error = await #expect(throws: ExchangeSimulatorError.self) { try await simulator.start() }
        #expect(
            error?.message
                == "unknown venue 'mtgox', known are: hyperliquid, binance, coinbase, coinbase-advanced, kraken")
    }

    @Test func `a taken port is named`() async throws {
        var configuration = ExchangeSimulatorConfiguration(source: .generated(seed: 1))
        try await self.withSimulator(configuration) { _, port in
            configuration.port = port
            let second = ExchangeSimulator(configuration: configuration)
            let error = await #expect(throws: ExchangeSimulatorError.self) { try await second.start() }
            #expect(error?.code == .cannotListen)
            #expect(error?.message.hasPrefix("cannot listen on 127.0.0.1:\(port): ") == true)
            #expect(error?.message.contains("in use") == true, "\(error?.message ?? "")")
        }
    }

    @Test func `another venue's recording is refused`() async throws {
        let (configuration, file) = try self.small(lines: [#"{"recording":1,"venue":"kraken","frames":0}"#])
        let error = await #expect(throws: ExchangeSimulatorError.self) {
            try await ExchangeSimulator(configuration: configuration).start()
        }
        #expect(error?.message.hasSuffix("a recording of 'kraken', not of 'hyperliquid'") == true)
        withExtendedLifetime(file) {}
    }
}

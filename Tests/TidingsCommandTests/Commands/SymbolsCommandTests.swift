import NIOCore
import Testing
import Tidings
import TidingsWebSocket

@Suite(.timeLimit(.minutes(2))) struct SymbolsCommandTests {
    private static let list = #"""
        {"symbols":[
        {"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC","isSpotTradingAllowed":true,
        "filters":[{"filterType":"PRICE_FILTER","tickSize":"0.00001000"},{"filterType":"LOT_SIZE","stepSize":"0.00010000"}]},
        {"symbol":"1000SATSUSDT","status":"TRADING","baseAsset":"1000SATS","quoteAsset":"USDT",
        "isSpotTradingAllowed":true,"filters":[]},
        {"symbol":"OLDBTC","status":"BREAK","baseAsset":"OLD","quoteAsset":"BTC","isSpotTradingAllowed":true,"filters":[]}
        ]}
        """#

    private func withVenue(_ status: Int, _ body: String, _ test: (_ port: Int) async throws -> Void) async throws {
        var configuration = WebSocketListenerConfiguration()
        configuration.port = 0
        let listener = try await WebSocketListener.bind(
            configuration: configuration,
            onUpgrade: { _ in .refuse(.init(status: 400, message: "no sockets here", headers: [])) },
            onRequest: { _ in .init(status: status, headers: [], body: ByteBuffer(string: body)) })
        do {
            try await test(listener.port)
        } catch {
            await listener.close()
            throw error
        }
        await listener.close()
    }

    @Test func `instruments are listed in columns for people and as JSON lines for programs`() async throws {
        try await self.withVenue(200, Self.list) { port in
            let table = try await Program.run("symbols", "binance", "--endpoint", "http://127.0.0.1:\(port)")
            #expect(table.status == 0, "\(table.error)")
            #expect(
                table.output == """
                    1000SATS-USDT  1000SATSUSDT  spot
                    ETH-BTC        ETHBTC        spot

                    """)
            // The WebSocket's address will do: the simulator has both on one port.
            let json = try await Program.run(
                "symbols", "Binance", "--endpoint", "ws://127.0.0.1:\(port)/ws", "--json")
            #expect(json.status == 0, "\(json.error)")
            let lines = try json.output.split(separator: "\n").map { try JSONObject(json: String($0)) }
            #expect(lines.map { $0["symbol"]?.string } == ["1000SATS-USDT", "ETH-BTC"])
            #expect(
                json.output.hasSuffix(
                    #"{"symbol":"ETH-BTC","venue_symbol":"ETHBTC","instrument":"spot","price_scale":5,"size_scale":4}"#
                        + "\n"))
        }
    }

    @Test func `a venue that refuses, answers nonsense or is not there ends with 1 and a reason`() async throws {
        try await self.withVenue(403, "not from here") { port in
            let (status, output, error) = try await Program.run(
                "symbols", "binance", "--endpoint", "http://127.0.0.1:\(port)")
            #expect(status == 1)
            #expect(output.isEmpty)
            #expect(error.contains("binance: HTTP 403: not from here"))
        }
        try await self.withVenue(200, "<html>") { port in
            let (status, _, error) = try await Program.run(
                "symbols", "binance", "--endpoint", "http://127.0.0.1:\(port)")
            #expect(status == 1)
            #expect(error.contains("binance"))
        }
        let (status, _, error) = try await Program.run("symbols", "kraken", "--endpoint", "http://127.0.0.1:1")
        #expect(status == 1)
        #expect(error.contains("kraken"))
    }

    @Test(arguments: [
        (["mtgox"], "'mtgox' is no venue; there are: "),
        (["binance", "--endpoint", "nowhere"], "--endpoint: 'nowhere' is no HTTP address"),
        (["binance", "--proxy", "socks://x:1"], "--proxy: must be http://host:port"),
        ([], "venue"),
    ])
    func `wrong words end with 64 and name what is wrong`(_ arguments: [String], _ expected: String) async throws {
        let program = try Program(["symbols"] + arguments)
        try program.closeInput()
        #expect(await program.waitUntilEnded() == 64)
        #expect(program.error.contains(expected), "\(program.error)")
        #expect(program.output.isEmpty)
    }

    @Test func `the help has an example`() async throws {
        let (status, output, _) = try await Program.run("symbols", "--help")
        #expect(status == 0)
        #expect(output.contains("Example: tidings symbols"))
    }
}

import Testing
import Tidings
import TidingsMarkets

@testable import TidingsCommand

@Suite struct ConnectorConfigurationTests {
    private static func read(
        _ yaml: String, directory: String = "/etc/tidings"
    ) -> (connectors: [RunConfiguration.Connector], problems: [String]) {
        var reader = YAMLReader(file: "tidings.yaml")
        let configuration = RunConfiguration(yaml: yaml, directory: directory, &reader)
        return (configuration.connectors, reader.problems.map { "\($0.line): \($0.field): \($0.message)" })
    }

    @Test func `the contract's example is read`() throws {
        let (connectors, problems) = Self.read(
            """
            connectors:
              - venue: hyperliquid
                symbols: [BTC, ETH]
                channels: [trade, order_book, ticker, ohlcv]
                order_book: {depth: 20, kind: snapshot, every: 0ms}   # kind: snapshot | delta
                endpoint: wss://api.hyperliquid.xyz/ws
                rest: https://api.hyperliquid.xyz
                stale_after: 30s
                proxy: http://proxy.example.com:3128
                record: recordings/              # raw frames, rotated
            """)
        #expect(problems.isEmpty)
        let settings = try #require(connectors.first).settings
        #expect(settings.symbols == ["BTC", "ETH"])
        #expect(settings.channels == [.trade, .orderBook, .ticker, .ohlcv])
        #expect(settings.book == BookPlan(depth: 20, kind: .snapshot, interval: .zero))
        #expect(settings.endpoint == "wss://api.hyperliquid.xyz/ws")
        #expect(settings.rest == "https://api.hyperliquid.xyz")
        #expect(settings.staleAfter == .seconds(30))
        #expect(settings.proxy == "http://proxy.example.com:3128")
        #expect(settings.recordingDirectory == "/etc/tidings/recordings/")
    }

    @Test func `what is left out has its default`() throws {
        let (connectors, problems) = Self.read("connectors: [{venue: kraken, symbols: XBT/USD}]")
        #expect(problems.isEmpty)
        let settings = try #require(connectors.first).settings
        #expect(settings.channels == MarketChannel.standard)
        #expect(settings.book == BookPlan())
        #expect(settings.rest == nil && settings.proxy == nil && settings.recordingDirectory == nil)
    }

    @Test func `an absolute path stays, and a delta book is read`() throws {
        let (connectors, problems) = Self.read(
            """
            connectors:
              - {venue: binance, symbols: BTCUSDT, record: /var/frames, order_book: {depth: 5, kind: delta, every: 250ms}}
            """)
        #expect(problems.isEmpty)
        #expect(connectors.first?.recordingDirectory == "/var/frames")
        #expect(connectors.first?.book == BookPlan(depth: 5, kind: .delta, interval: .milliseconds(250)))
    }

    @Test(arguments: [
        ("order_book: {depth: 0}", "order_book.depth: must be 1...5000, was '0'"),
        ("order_book: {depth: many}", "order_book.depth: must be 1...5000, was 'many'"),
        ("order_book: {kind: whole}", "order_book.kind: must be one of snapshot, delta, was 'whole'"),
        ("order_book: {every: often}", "order_book.every: must be a duration such as"),
        ("order_book: {deep: 3}", "order_book.deep: unknown setting"),
        ("order_book: 20", "order_book: must be a mapping of settings"),
        ("channels: [quotes]", "channels: 'quotes' is no channel; there are: trade, ticker, order_book, ohlcv"),
        ("endpoint: nowhere", "endpoint: 'nowhere' cannot be used"),
        ("rest: ftp://x", "rest: 'ftp://x' is no HTTP address"),
        ("proxy: socks://x:1", "proxy: must be http://host:port"),
        ("stale_after: 0s", "stale_after: must be more than zero"),
        ("record: []", "record: must be text"),
        ("recrod: x", "recrod: unknown setting; did you mean 'record'?"),
    ])
    func `a mistake is told with its line and its field`(_ setting: String, _ expected: String) {
        let (_, problems) = Self.read(
            """
            connectors:
              - venue: kraken
                symbols: [BTC-USD]
                \(setting)
            """)
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("4: connectors[0].\(expected)") == true, "\(problems)")
    }

    @Test func `no message repeats a proxy's password`() {
        let (_, problems) = Self.read(
            """
            connectors:
              - {venue: kraken, symbols: BTC-USD, proxy: "http://me:hunter2@"}
            """)
        #expect(problems.count == 1)
        #expect(!problems.joined().contains("hunter2"))
    }
}

import Testing
import TidingsWebSocket

@testable import Tidings
@testable import TidingsMarkets

@Suite struct ConnectorConfigurationTests {
    private func code(_ configuration: ConnectorConfiguration) -> ConnectorError.Code? {
        do throws(ConnectorError) {
            _ = try Connector(configuration, bus: MemoryEventBus())
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `wrong words are refused before anything is opened`() {
        #expect(self.code(.init(venue: "mtgox", symbols: ["BTC"])) == .unknownVenue)
        #expect(self.code(.init(venue: "hyperliquid", symbols: ["B TC"])) == .unknownSymbol)
        #expect(self.code(.init(venue: "hyperliquid", symbols: [""])) == .unknownSymbol)
        #expect(self.code(.init(venue: "hyperliquid", symbols: [])) == .invalidConfiguration)
        #expect(self.code(.init(venue: "hyperliquid", symbols: ["BTC"], channels: [])) == .invalidConfiguration)
        #expect(
            self.code(.init(venue: "hyperliquid", symbols: ["BTC"], channels: [.trade, .trade]))
                == .invalidConfiguration)
        #expect(
            self.code(.init(venue: "hyperliquid", symbols: ["BTC"], staleAfter: .zero)) == .invalidConfiguration)
        #expect(self.code(.init(venue: "hyperliquid", symbols: ["BTC"], endpoint: "http//x")) == .invalidEndpoint)
        var configuration = ConnectorConfiguration(venue: "hyperliquid", symbols: ["BTC"])
        configuration.rest = "ftp://x"
        #expect(self.code(configuration) == .invalidEndpoint)
        configuration.rest = nil
        for proxy in ["socks://x:1", "http://", "http://x:0", "http://x/path", "x:1", "http://a%ZZ@x:1"] {
            configuration.proxy = proxy
            #expect(self.code(configuration) == .invalidProxy)
        }
        configuration.proxy = "http://x:1"
        #expect(self.code(configuration) == nil)
        #expect(self.code(.init(venue: "Hyperliquid", symbols: ["BTC"])) == nil)
    }

    @Test func `an endpoint without a path takes the venue's, and HTTP goes where the endpoint is`() throws {
        func addresses(_ endpoint: String?, rest: String? = nil) throws -> ConnectorAddresses {
            var configuration = ConnectorConfiguration(venue: PracticeVenue(), symbols: ["A"], endpoint: endpoint)
            configuration.rest = rest
            return try ConnectorAddresses(configuration, PracticeVenue())
        }
        var found = try addresses(nil)
        #expect("\(found.webSocket)" == "ws://practice.invalid/feed")
        #expect(found.rest == "http://practice.invalid")
        found = try addresses("ws://127.0.0.1:8080")
        #expect("\(found.webSocket)" == "ws://127.0.0.1:8080/feed")
        #expect(found.rest == "http://127.0.0.1:8080")
        found = try addresses("wss://[::1]/other")
        #expect("\(found.webSocket)" == "wss://[::1]/other")
        #expect(found.rest == "https://[::1]:443")
        found = try addresses("wss://a.example", rest: "https://b.example")
        #expect(found.rest == "https://b.example")
    }

    @Test func `a proxy's user and password are read, and no message repeats them`() throws {
        var configuration = ConnectorConfiguration(venue: PracticeVenue(), symbols: ["A"])
        configuration.proxy = "http://me:p%40ss@proxy.example:3128"
        let proxy = try #require(try ConnectorAddresses(configuration, PracticeVenue()).proxy)
        #expect(proxy == .init(host: "proxy.example", port: 3128, user: "me", password: "p@ss"))
        configuration.proxy = "http://me:secret@:99999"
        do throws(ConnectorError) {
            _ = try ConnectorAddresses(configuration, PracticeVenue())
            Issue.record("a port of 99999 was taken")
        } catch {
            #expect(!error.message.contains("secret"))
        }
    }
}

import ArgumentParser
import Foundation
import Tidings
import TidingsMarkets

struct SymbolsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "symbols",
        abstract: "List what a venue trades, in our spelling and in its own.",
        discussion: """
            Asks the venue over HTTP. Either spelling may be used wherever a symbol is given.

            Example: tidings symbols binance --json
            """
    )

    @Argument(help: ArgumentHelp("The venue.", valueName: "venue"))
    var venue: String

    @Option(
        name: .long,
        help: ArgumentHelp("Where its HTTP requests go, instead of its public address.", valueName: "url"))
    var endpoint: String?

    @Option(name: .long, help: ArgumentHelp("An HTTP proxy, http://host:port.", valueName: "url"))
    var proxy: String?

    @Flag(name: .long, help: "One JSON object a line.")
    var json = false

    func validate() throws {
        do throws(ConnectorError) {
            var configuration = ConnectorConfiguration(venue: self.venue, symbols: [])
            configuration.proxy = self.proxy
            try configuration.checkAddresses()
            configuration.rest = self.httpEndpoint
            try configuration.checkAddresses()
        } catch {
            switch error.code {
            case .invalidEndpoint: throw ValidationError("--endpoint: \(error.message(withoutField: "rest"))")
            case .invalidProxy: throw ValidationError("--\(error.message)")
            default: throw ValidationError(error.message)
            }
        }
    }

    func run() async throws {
        let history = try MarketHistory(venue: self.venue, rest: self.httpEndpoint, proxy: self.proxy)
        let outcome: Result<[Instrument], VenueError>
        do throws(VenueError) {
            outcome = .success(try await history.instruments())
        } catch {
            outcome = .failure(error)
        }
        await history.shutdown()
        switch outcome {
        case .failure(let error): throw CommandError(error.message)
        case .success(let instruments): self.print(instruments.sorted { $0.symbol < $1.symbol })
        }
    }

    /// A WebSocket address will do as well: the simulator has both on one port.
    private var httpEndpoint: String? {
        guard let endpoint = self.endpoint, var parts = URLComponents(string: endpoint),
            let scheme = ["ws": "http", "wss": "https"][parts.scheme?.lowercased() ?? ""]
        else { return self.endpoint }
        parts.scheme = scheme
        parts.path = ""
        parts.query = nil
        return parts.string ?? endpoint
    }

    private func print(_ instruments: [Instrument]) {
        var text = ""
        let width = instruments.map(\.symbol.count).max() ?? 0
        let venueWidth = instruments.map(\.venueSymbol.count).max() ?? 0
        for instrument in instruments {
            if self.json {
                var members: [(String, JSONValue)] = [
                    ("symbol", .string(instrument.symbol)), ("venue_symbol", .string(instrument.venueSymbol)),
                    ("instrument", .string(instrument.kind.rawValue)),
                ]
                if let scale = instrument.priceScale { members.append(("price_scale", .number(ExactDecimal(scale)))) }
                if let scale = instrument.sizeScale { members.append(("size_scale", .number(ExactDecimal(scale)))) }
                text += JSONObject(members).description + "\n"
            } else {
                let columns = [
                    instrument.symbol.padding(toLength: width, withPad: " ", startingAt: 0),
                    instrument.venueSymbol.padding(toLength: venueWidth, withPad: " ", startingAt: 0),
                    instrument.kind.rawValue,
                ]
                text += columns.joined(separator: "  ") + "\n"
            }
        }
        StandardOutput.write(text)
    }
}

import ArgumentParser
import Tidings
import TidingsMarkets

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Collect, keep and serve events until interrupted.",
        discussion: """
            Prints `listening on HOST:PORT` when it is ready. The dashboard is at http://HOST:PORT/. On Ctrl-C it stops taking
            events in, handles and stores those it has, and tells its clients where to resume.

            Example: tidings run --connector hyperliquid:BTC,ETH --store tidings.db
            """
    )

    @Option(name: .long, help: ArgumentHelp("Configuration file (YAML). [env: TIDINGS_CONFIG]", valueName: "file"))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp("What to collect; may be repeated.", valueName: "venue:symbol[,symbol]"))
    var connector: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A venue's WebSocket, instead of its public one; VENUE.rest=URL for its HTTP. May be repeated.",
            valueName: "venue=url"))
    var endpoint: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Write the venues' raw frames into files here, for `simulate`.", valueName: "directory"))
    var record: String?

    @OptionGroup var serving: ServingOptions

    func validate() throws {
        _ = try self.connectors()
        try self.serving.validateValues()
    }

    func run() async throws {
        var configuration = RunConfiguration()
        if let file = self.config ?? Environment.value("CONFIG") { configuration = try RunConfiguration(file: file) }
        let connectors = try self.connectors()
        if !connectors.isEmpty { configuration.connectors = connectors }
        try self.applyEndpoints(to: &configuration.connectors)
        if let record = self.record {
            for place in configuration.connectors.indices {
                configuration.connectors[place].recordingDirectory = record
            }
        }
        try self.serving.apply(to: &configuration)
        Logs.bootstrap(level: configuration.logLevel, format: configuration.logFormat)
        try await Server(configuration, console: self.serving.console).run()
    }

    // MARK: Flags

    private func connectors() throws(ValidationError) -> [RunConfiguration.Connector] {
        var connectors: [RunConfiguration.Connector] = []
        for text in self.connector {
            guard let colon = text.firstIndex(of: ":") else {
                throw ValidationError("--connector: '\(text)' must be VENUE:SYMBOL, such as hyperliquid:BTC")
            }
            let venue = String(text[..<colon])
            let symbols = text[text.index(after: colon)...].split(separator: ",").map(String.init)
            guard !symbols.isEmpty else { throw ValidationError("--connector: '\(text)' names no symbol") }
            do throws(ConnectorError) {
                try RunConfiguration.Connector(venue: venue, symbols: symbols).check()
            } catch {
                throw ValidationError("--connector: \(error.message)")
            }
            connectors.append(RunConfiguration.Connector(venue: venue, symbols: symbols))
        }
        return connectors
    }

    /// Gives each connector its address; one for a venue that nothing is collected from is a mistake.
    private func applyEndpoints(to connectors: inout [RunConfiguration.Connector]) throws(ValidationError) {
        for text in self.endpoint {
            guard let equals = text.firstIndex(of: "=") else {
                throw ValidationError("--endpoint: '\(text)' must be VENUE=URL")
            }
            var venue = String(text[..<equals])
            let url = String(text[text.index(after: equals)...])
            let isREST = venue.hasSuffix(".rest")
            if isREST { venue.removeLast(5) }
            let places = connectors.indices.filter { connectors[$0].venue.lowercased() == venue.lowercased() }
            guard !places.isEmpty else { throw ValidationError("--endpoint: there is no connector for '\(venue)'") }
            for place in places {
                if isREST { connectors[place].rest = url } else { connectors[place].endpoint = url }
                do throws(ConnectorError) {
                    try connectors[place].settings.checkAddresses()
                } catch {
                    throw ValidationError(
                        "--endpoint: \(error.message(withoutField: isREST ? "rest" : "endpoint"))")
                }
            }
        }
    }
}

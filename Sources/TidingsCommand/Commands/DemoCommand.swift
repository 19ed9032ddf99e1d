import ArgumentParser
import Foundation
import Tidings
import TidingsMarkets
import TidingsSimulation

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run against a simulated exchange: no network needed.",
        discussion: """
            Everything is real but the exchange: its sockets, the connector, the bus, the log, the dashboard at
            http://127.0.0.1:8765/. The store is a temporary file unless --store names one.

            Example: tidings demo --listen 127.0.0.1:0
            """
    )

    @OptionGroup var serving: ServingOptions

    /// What the simulated exchange trades.
    private static let symbols = ["BTC", "ETH", "SOL"]

    func validate() throws {
        try self.serving.validateValues()
    }

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidings-demo-\(UUID().uuidString)")
        var configuration = RunConfiguration()
        configuration.logLevel = "notice"
        configuration.store = .file(folder.appending(path: "demo.db").path)
        try self.serving.apply(to: &configuration)
        Logs.bootstrap(level: configuration.logLevel, format: configuration.logFormat)
        let simulator = ExchangeSimulator(
            configuration: ExchangeSimulatorConfiguration(source: .generated(seed: .random(in: 1...1000))))
        let port = try await simulator.start()
        configuration.connectors = [
            RunConfiguration.Connector(
                venue: "hyperliquid", symbols: Self.symbols, channels: MarketChannel.allCases,
                endpoint: "ws://127.0.0.1:\(port)/ws")
        ]
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try await Server(
                configuration, console: self.serving.console, extras: [SimulatorService(simulator: simulator)]
            ).run()
        } catch {
            await simulator.stop()
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
        try? FileManager.default.removeItem(at: folder)
    }
}

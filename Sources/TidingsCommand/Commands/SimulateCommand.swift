import ArgumentParser
import Logging
import ServiceLifecycle
import Tidings
import TidingsSimulation
import UnixSignals

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Play an exchange over WebSocket and REST, from a recording or made up.",
        discussion: """
            Prints `listening on HOST:PORT`. Any path will do; WebSocket and REST are on the same port. Each connection has
            its own playback, from its first subscription, or from its start where the URL names the streams.

            Faults: drop, gap, corrupt, stale, slow, garbage, 429, close-1012, half-open.

            Example: tidings simulate --venue binance --recording session.jsonl --speed max --fault gap@5
            """
    )

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Whose manner of speaking: hyperliquid, binance, coinbase, coinbase-advanced or kraken.", valueName: "venue"
        )
    )
    var venue: String

    @Option(name: .long, help: ArgumentHelp("A recorded session; a made-up market without it.", valueName: "file"))
    var recording: String?

    @Option(name: .long, help: ArgumentHelp("Times the recorded pace, or max.", valueName: "n|max"))
    var speed: String = "1"

    @Flag(name: .long, help: "Begin a recording anew after its last frame.")
    var loop = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Something that goes wrong at a second of the recording, such as drop@5; may be repeated.",
            valueName: "kind@seconds"))
    var fault: [String] = []

    @Option(name: .long, help: ArgumentHelp("What a made-up market is made from.", valueName: "number"))
    var seed: UInt64 = 1

    @Option(name: .long, help: ArgumentHelp("Where to listen; port 0 takes any free one.", valueName: "host:port"))
    var listen: String = "127.0.0.1:0"

    @Option(
        name: .long,
        help: ArgumentHelp("trace, debug, info, notice, warning or error. [env: TIDINGS_LOG_LEVEL]", valueName: "level")
    )
    var logLevel: String?

    func validate() throws {
        _ = try self.simulatorConfiguration()
    }

    private func simulatorConfiguration() throws(ValidationError) -> ExchangeSimulatorConfiguration {
        guard let address = RunConfiguration.Address(self.listen) else {
            throw ValidationError("--listen: '\(self.listen)' must be HOST:PORT")
        }
        do throws(ExchangeSimulatorError) {
            _ = try SimulatedVenues.named(self.venue)
            var configuration = ExchangeSimulatorConfiguration(
                venue: self.venue,
                source: self.recording.map { .recording(file: $0) } ?? .generated(seed: self.seed))
            configuration.speed = try PlaybackSpeed(self.speed)
            configuration.loops = self.loop
            configuration.faults = try self.fault.map { text throws(ExchangeSimulatorError) in try Fault(text) }
            configuration.host = address.host
            configuration.port = address.port
            return configuration
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        Logs.bootstrap(level: self.logLevel ?? Environment.value("LOG_LEVEL") ?? "notice", format: .text)
        let configuration = try self.simulatorConfiguration()
        let simulator = ExchangeSimulator(configuration: configuration)
        let port = try await simulator.start()
        StandardOutput.write("listening on \(configuration.host):\(port)\n")
        let service = SimulatorService(simulator: simulator)
        try await ServiceGroup(
            services: [service], gracefulShutdownSignals: [.sigint, .sigterm], logger: Logger(label: "tidings")
        ).run()
    }
}

/// Lets a simulator that has been started run until the program stops.
struct SimulatorService: Service {
    let simulator: ExchangeSimulator

    func run() async throws {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled: the connections are still to be closed.
        }
        await self.simulator.stop()
    }
}

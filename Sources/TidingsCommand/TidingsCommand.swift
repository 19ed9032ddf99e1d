import ArgumentParser
import Foundation
import Tidings

/// The `tidings` command.
@main
struct TidingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tidings",
        abstract: "The event system for scrapers and market-data collectors.",
        discussion: """
            Start with `tidings demo`: a simulated exchange, the event bus, the log and a live dashboard at
            http://127.0.0.1:8765/, without any network.

            Settings come from flags, else from the environment (TIDINGS_LISTEN, TIDINGS_STORE, TIDINGS_URL,
            TIDINGS_TOKEN, TIDINGS_LOG_LEVEL), else from the configuration file, else from defaults.
            """,
        version: TidingsVersion.current,
        subcommands: [
            RunCommand.self, DemoCommand.self, SimulateCommand.self, TailCommand.self, PublishCommand.self,
            QueryCommand.self, TraceCommand.self, DeadLettersCommand.self, SymbolsCommand.self, TokenCommand.self,
            BenchCommand.self, BenchPeerCommand.self,
        ]
    )

    static func main() async {
        // A reader that goes away ends a command; it must not kill the process before it has said what it has to.
        signal(SIGPIPE, SIG_IGN)
        await Self.main(nil)
    }
}

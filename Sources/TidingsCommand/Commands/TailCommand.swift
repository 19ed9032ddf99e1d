import ArgumentParser
import Foundation
import Tidings
import TidingsWebSocket
import UnixSignals

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Print the events of a running server as they come.",
        discussion: """
            Resumes by itself where it was when the connection breaks. Ends at --limit, or with Ctrl-C.

            Example: tidings tail --type trade --symbol BTC-USD --from start
            """
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var filters: FilterOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to begin: start, an offset (what follows it), or a time; now without it.", valueName: "position"))
    var from: String?

    @Option(name: .long, help: ArgumentHelp("End after this many events.", valueName: "n"))
    var limit: Int?

    @OptionGroup var printing: PrintOptions

    func validate() throws {
        if let limit = self.limit, limit < 1 { throw ValidationError("--limit: must be at least 1, was \(limit)") }
        _ = try self.position()
    }

    private func position() throws(ValidationError) -> TailSession.Position? {
        guard let from = self.from else { return nil }
        if from == "start" { return .start }
        if let offset = Int64(from) {
            guard offset >= 0 else { throw ValidationError("--from: an offset must be at least 0, was \(offset)") }
            return .offset(offset, epoch: nil)
        }
        guard let time = try parseTime(from, flag: "--from") else { return nil }
        return .time(time)
    }

    func run() async throws {
        let session = TailSession(
            filter: try self.filters.filter(), position: try self.position(), limit: self.limit,
            line: self.printing.line)
        let server = try self.server.server().shown(self.server.access)
        var configuration = WebSocketClientConfiguration()
        server.trust?.apply(to: &configuration)
        if let token = server.token { configuration.headers.append(token.webSocketHeader) }
        let (client, url) = (WebSocketClient(configuration: configuration), server.webSocket)
        let reader = TailReader(session)
        // Ctrl-C is how a tail ends: not a failure.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reader.run(client, url) }
            group.addTask {
                for await _ in signals {
                    // The reader takes its leave, unless it hangs in a pipe that nobody reads.
                    signal(SIGALRM) { _ in _exit(0) }
                    alarm(2)
                    return
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

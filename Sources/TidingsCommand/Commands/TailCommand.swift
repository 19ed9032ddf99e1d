import ArgumentParser
import Foundation
import Tidings
import TidingsWebSocket

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
        // Ctrl-C is how a tail ends: not a failure.
        signal(SIGINT) { _ in Foundation.exit(0) }
        signal(SIGTERM) { _ in Foundation.exit(0) }
        let server = try self.server.server().shown(self.server.access)
        let url = server.webSocket
        var configuration = WebSocketClientConfiguration()
        server.trust?.apply(to: &configuration)
        if let token = server.token { configuration.headers.append(token.webSocketHeader) }
        let client = WebSocketClient(configuration: configuration)
        var delay = Duration.milliseconds(250)
        while true {
            let began = ContinuousClock.now
            let reason = try await Self.follow(session, client, url)
            if session.isDone { return }
            if ContinuousClock.now - began > .seconds(10) { delay = .milliseconds(250) }
            StandardError.write("connection lost (\(reason)), trying again\n")
            try await Task.sleep(for: delay * Double.random(in: 0.8...1.2))
            delay = min(delay * 2, .seconds(5))
        }
    }

    /// Prints over one connection until it ends; returns why it did.
    private static func follow(
        _ session: TailSession, _ client: WebSocketClient, _ url: String
    ) async throws(CommandError) -> String {
        let connection: WebSocketConnection
        do throws(WebSocketError) {
            connection = try await client.connect(to: url) { _ in TailDelegate(session) }
        } catch {
            if error.code == .rejected { throw CommandError("\(url): \(error.message)") }
            if !session.hasEverOpened { throw CommandError("cannot reach \(url): \(error.message)") }
            return error.message
        }
        let closure = await connection.waitUntilClosed()
        if let problem = session.problem { throw CommandError(problem) }
        return closure.cause?.message ?? (closure.reason.isEmpty ? "code \(closure.code)" : closure.reason)
    }
}

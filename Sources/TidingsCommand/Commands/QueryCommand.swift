import ArgumentParser
import Tidings
import TidingsSQLite

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Read the log of a store, oldest first.",
        discussion: """
            Works beside a running server.

            Example: tidings query --store tidings.db --type trade --symbol BTC-USD --since 15m
            """
    )

    @Option(name: .long, help: ArgumentHelp("The store. [env: TIDINGS_STORE]", valueName: "file"))
    var store: String?

    @OptionGroup var filters: FilterOptions

    @Option(
        name: .long,
        help: ArgumentHelp("From this time on (RFC 3339, a date, or an age such as 15m).", valueName: "time"))
    var since: String?

    @Option(name: .long, help: ArgumentHelp("Before this time.", valueName: "time"))
    var until: String?

    @Option(name: .long, help: ArgumentHelp("Only above this offset.", valueName: "offset"))
    var after: Int64?

    @Option(name: .long, help: ArgumentHelp("Only events of one correlation.", valueName: "id"))
    var correlation: String?

    @Option(name: .long, help: ArgumentHelp("At most this many events; all without it.", valueName: "n"))
    var limit: Int?

    @OptionGroup var printing: PrintOptions

    func validate() throws {
        _ = try self.query()
        _ = try self.file()
    }

    private func file() throws(ValidationError) -> String {
        guard let file = self.store ?? Environment.value("STORE") else {
            throw ValidationError("--store: which store is to be read?")
        }
        return file
    }

    private func query() throws(ValidationError) -> LogQuery {
        var correlationID: EventID?
        if let correlation = self.correlation {
            guard let id = EventID(correlation) else {
                throw ValidationError("--correlation: an id has 1 to \(EventID.maximumByteCount) bytes")
            }
            correlationID = id
        }
        if let limit = self.limit, limit < 1 { throw ValidationError("--limit: must be at least 1, was \(limit)") }
        if let after = self.after, after < 0 { throw ValidationError("--after: must be at least 0, was \(after)") }
        let filter = try self.filters.filter(
            since: try parseTime(self.since, flag: "--since"), until: try parseTime(self.until, flag: "--until"),
            correlationID: correlationID)
        return LogQuery(filter: filter, after: self.after ?? 0, limit: self.limit ?? .max)
    }

    func run() async throws {
        let file = try self.file()
        let query = try self.query()
        let reader = try await SQLiteEventReader.open(file: file)
        let line = self.printing.line
        var output = OutputBuffer()
        for try await page in reader.pages(query) {
            for logged in page { output.append(try line.line(for: logged)) }
            output.flush()
        }
        await reader.close()
    }
}

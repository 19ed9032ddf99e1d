import ArgumentParser
import Tidings
import TidingsSQLite

struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Print what led to an event and what came of it, as a tree.",
        discussion: """
            From the root cause down: each event's offset, the time since the root, type, source and summary, and how \
            long it took where it says so. The event asked for is marked with an arrow.

            --store reads the file, also beside a running server; --url asks the server. One of them is needed.

            Example: tidings trace 01980a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b --store tidings.db
            """
    )

    @Argument(help: ArgumentHelp("The event.", valueName: "event-id"))
    var id: String

    @Option(name: .long, help: ArgumentHelp("The store. [env: TIDINGS_STORE]", valueName: "file"))
    var store: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The server, such as http://127.0.0.1:8765. [env: TIDINGS_URL]", valueName: "url"))
    var url: String?

    @OptionGroup var access: TokenOptions

    @Flag(name: .long, help: "The tree as one JSON object on one line.")
    var json = false

    private enum Place {
        case store(String)
        case server(ServerAddress)
    }

    func validate() throws {
        _ = try self.eventID()
        _ = try self.place()
    }

    private func eventID() throws(ValidationError) -> EventID {
        guard let id = EventID(self.id) else {
            throw ValidationError("event-id: an id has 1 to \(EventID.maximumByteCount) bytes")
        }
        return id
    }

    /// Flags come before the environment.
    private func place() throws(ValidationError) -> Place {
        var (store, url) = (self.store, self.url)
        if store == nil && url == nil { (store, url) = (Environment.value("STORE"), Environment.value("URL")) }
        switch (store, url) {
        case (nil, nil): throw ValidationError("--store, --url: which store or server has the event?")
        case (.some, .some): throw ValidationError("--store, --url: give one of them, not both")
        case (let store?, nil): return .store(store)
        case (nil, let url?):
            guard let address = ServerAddress(url) else {
                throw ValidationError("--url: '\(url)' is not an address such as http://127.0.0.1:8765")
            }
            return .server(address)
        }
    }

    func run() async throws {
        let id = try self.eventID()
        let tree =
            switch try self.place() {
            case .store(let file): try await Self.tree(id, store: file)
            case .server(let address): try await TreeServer(address.shown(self.access)).tree(id)
            }
        var output = OutputBuffer()
        if self.json {
            output.append(tree.json)
        } else {
            let printer = TreePrinter(isColoured: StandardOutput.isColoured, width: StandardOutput.width)
            for line in printer.lines(tree) { output.append(line) }
        }
        output.flush()
    }

    private static func tree(_ id: EventID, store file: String) async throws -> EventTree {
        let reader = try await SQLiteEventReader.open(file: file)
        let outcome: Result<EventTree?, EventLogError>
        do throws(EventLogError) {
            outcome = .success(try await EventTree.build(for: id, in: reader))
        } catch {
            outcome = .failure(error)
        }
        await reader.close()
        guard let tree = try outcome.get() else { throw CommandError("there is no event \(id) in \(file)") }
        return tree
    }
}

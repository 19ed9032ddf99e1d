import ArgumentParser
import Tidings
import TidingsSQLite

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Look at the events whose handler gave up, try them again, or discard them.",
        discussion: """
            Example: tidings dead-letters list --store tidings.db
            Example: tidings dead-letters retry 01980a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b --url http://127.0.0.1:8765
            """,
        subcommands: [List.self, Show.self, Retry.self, Purge.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List dead letters, oldest first.",
            discussion: """
                With --store it works beside a running server and without one.

                Example: tidings dead-letters list --url http://127.0.0.1:8765
                """
        )

        @OptionGroup var options: DeadLetterOptions

        @Option(name: .long, help: ArgumentHelp("At most this many; all without it.", valueName: "n"))
        var limit: Int?

        @Flag(name: .long, help: "One JSON object a line.")
        var json = false

        func validate() throws {
            if let limit = self.limit, limit < 1 { throw ValidationError("--limit: must be at least 1, was \(limit)") }
        }

        func run() async throws {
            let limit = self.limit ?? .max
            var output = OutputBuffer()
            var listing = DeadLetterListing(width: StandardOutput.width)
            var isEmpty = true
            let print: ([ToldLetter]) -> Void = { letters in
                isEmpty = isEmpty && letters.isEmpty
                if self.json {
                    for letter in letters { output.append(letter.json) }
                } else {
                    for line in listing.lines(letters.map(\.letter), now: .now()) { output.append(line) }
                }
                output.flush()
            }
            switch try self.options.place() {
            case .server(let address):
                try await DeadLetterServer.with(address.shown(self.options.access)) {
                    try await $0.list(limit: limit, print)
                }
            case .store(let file):
                try await withReader(file) { reader in
                    var remaining = limit
                    var after: EventID?
                    while remaining > 0 {
                        let page = try await reader.deadLetters(after: after, limit: min(100, remaining))
                        guard let last = page.last else { return }
                        print(page.map { ToldLetter(letter: $0, json: $0.json) })
                        remaining -= page.count
                        after = last.id
                    }
                }
            }
            if isEmpty && !self.json { StandardError.write("no dead letters\n") }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print everything about one dead letter.",
            discussion: "Example: tidings dead-letters show 01980a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b --store tidings.db"
        )

        @Argument(help: "Which letter.") var id: String
        @OptionGroup var options: DeadLetterOptions

        @Flag(name: .long, help: "One JSON object.")
        var json = false

        func validate() throws {
            _ = try EventID.letter(self.id)
        }

        func run() async throws {
            let id = try EventID.letter(self.id)
            let told: ToldLetter
            switch try self.options.place() {
            case .server(let address):
                told = try await DeadLetterServer.with(address.shown(self.options.access)) { server in
                    do {
                        return try await server.letter(id)
                    } catch let refused as RefusedRequest where refused.status == 404 {
                        throw CommandError("there is no dead letter \(id)")
                    }
                }
            case .store(let file):
                told = try await withReader(file) { reader in
                    guard let letter = try await reader.deadLetter(id) else {
                        throw CommandError("there is no dead letter \(id) in \(file)")
                    }
                    return ToldLetter(letter: letter, json: letter.json)
                }
            }
            StandardOutput.write((self.json ? told.json : DeadLetterText(told.letter, now: .now()).text) + "\n")
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put dead letters through the handler that failed, once more.",
            discussion: """
                The handler lives in the running server, so this needs --url. A letter that cannot be retried is told \
                of on standard error, the ones after it are still retried, and the exit status is 1.

                Example: tidings dead-letters retry 01980a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b --url http://127.0.0.1:8765
                """
        )

        @Argument(help: "Which letters.") var id: [String]

        @Option(
            name: .long,
            help: ArgumentHelp("The server, such as http://127.0.0.1:8765. [env: TIDINGS_URL]", valueName: "url"))
        var url: String?

        @OptionGroup var access: TokenOptions

        @Option(name: .long, help: .hidden)
        var store: String?

        @Flag(name: .long, help: "One JSON object a line.")
        var json = false

        func validate() throws {
            _ = try self.server()
            for id in self.id { _ = try EventID.letter(id) }
        }

        private func server() throws(ValidationError) -> ServerAddress {
            guard self.store == nil, let url = self.url ?? Environment.value("URL") else {
                throw ValidationError(
                    "--url: retry needs --url: the handler that failed lives in the running server, not in the store")
            }
            return try DeadLetterOptions.server(url)
        }

        func run() async throws {
            let ids = try self.id.map { id throws(ValidationError) in try EventID.letter(id) }
            let refused = try await DeadLetterServer.with(try self.server().shown(self.access)) { server in
                var refused = 0
                for id in ids {
                    do {
                        let answer = try await server.retry(id)
                        StandardOutput.write(self.json ? "\(answer)\n" : "retried \(id)\n")
                    } catch let error as RefusedRequest {
                        refused += 1
                        StandardError.write("\(id): \(error.detail)\n")
                    }
                }
                return refused
            }
            if refused > 0 { throw ExitCode(1) }
        }
    }

    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Discard all dead letters and print how many there were.",
            discussion: """
                Asks nothing. With --store it works only while no server has the store open.

                Example: tidings dead-letters purge --url http://127.0.0.1:8765
                """
        )

        @OptionGroup var options: DeadLetterOptions

        @Flag(name: .long, help: "One JSON object.")
        var json = false

        func run() async throws {
            let count: Int
            switch try self.options.place() {
            case .server(let address):
                count = try await DeadLetterServer.with(address.shown(self.options.access)) { try await $0.purge() }
            case .store(let file): count = try await Self.purge(file)
            }
            StandardOutput.write(
                self.json ? "{\"purged\":\(count)}\n" : "purged \(count) dead letter\(count == 1 ? "" : "s")\n")
        }

        private static func purge(_ file: String) async throws -> Int {
            // Opening for writing would make a store where there is none.
            try await withReader(file) { _ in }
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            do {
                let count = try await log.deadLetters.removeAll()
                await log.close()
                return count
            } catch {
                await log.close()
                throw error
            }
        }
    }
}

/// A store, open for reading while `body` runs.
private func withReader<Result>(
    _ file: String, _ body: (SQLiteEventReader) async throws -> Result
) async throws -> Result {
    let reader = try await SQLiteEventReader.open(file: file)
    do {
        let result = try await body(reader)
        await reader.close()
        return result
    } catch {
        await reader.close()
        throw error
    }
}

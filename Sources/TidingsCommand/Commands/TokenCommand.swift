import ArgumentParser
import Tidings
import TidingsGateway

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make access tokens.",
        subcommands: [Create.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Print a new access token, once, and the entry for the token file.",
            discussion: """
                The first line is the token: hand it to whoever is to use it, it is kept nowhere. Behind an empty line comes
                its entry, with the token's SHA-256 only; add it to the file that access.tokens names. A running server
                reads that file again by itself.

                Example: tidings token create --name grafana --scope read --type trade --expires 90d
                """
        )

        @Option(
            name: .long,
            help: ArgumentHelp("Whose it is: the source of events that name none.", valueName: "name"))
        var name: String

        @Option(
            name: .long,
            help: ArgumentHelp("read, publish, admin; may be repeated or a list with commas.", valueName: "scope"))
        var scope: [String]

        @Option(
            name: .long,
            help: ArgumentHelp(
                "A type it may see and send, or a pattern such as login.*; any without it. May be repeated.",
                valueName: "pattern"))
        var type: [String] = []

        @Option(
            name: .long,
            help: ArgumentHelp("A symbol it may see and send; any without it. May be repeated.", valueName: "symbol"))
        var symbol: [String] = []

        @Option(
            name: .long,
            help: ArgumentHelp(
                "When it ends: an RFC 3339 time, a date, or a time from now such as 12h or 90d.", valueName: "time"))
        var expires: String?

        @Flag(name: .long, help: "One JSON object: {\"token\", \"entry\"}.")
        var json = false

        func validate() throws {
            _ = try self.entry(for: "")
        }

        func run() async throws {
            let token = AccessToken.random()
            let entry = TokenEntry(try self.entry(for: token))
            StandardOutput.write(self.json ? entry.json(token) + "\n" : token + "\n\n" + entry.yaml)
        }

        private func entry(for token: String) throws(ValidationError) -> AccessToken {
            var scopes = Set<AccessScope>()
            for text in Self.list(self.scope) {
                guard let scope = AccessScope(rawValue: text) else {
                    throw ValidationError("--scope: must be read, publish or admin, was '\(text)'")
                }
                scopes.insert(scope)
            }
            var types: [EventTypePattern] = []
            for text in Self.list(self.type) {
                guard let pattern = EventTypePattern(text) else {
                    throw ValidationError("--type: must be a type or a pattern such as login.*, was '\(text)'")
                }
                types.append(pattern)
            }
            let end = try self.end()
            do throws(AccessError) {
                return try AccessToken(
                    name: self.name, sha256: SHA256Sum(of: token), scopes: scopes, types: types,
                    symbols: Self.list(self.symbol), expires: end)
            } catch {
                throw ValidationError("--\(Self.flags[error.field] ?? error.field): \(error.message)")
            }
        }

        private static let flags = ["scopes": "scope", "symbols": "symbol"]

        private func end() throws(ValidationError) -> Timestamp? {
            guard let text = self.expires else { return nil }
            let now = Timestamp.now()
            if let time = Timestamp(text) ?? Duration(expression: text).map({ now.advanced(by: $0) }), time > now {
                return time
            }
            throw ValidationError(
                "--expires: must be a time to come: RFC 3339, a date, or such as 12h or 90d, was '\(text)'")
        }

        private static func list(_ texts: [String]) -> [String] {
            texts.flatMap { $0.split(separator: ",").map(String.init) }
        }
    }
}

/// An entry of the token file, as it is printed.
struct TokenEntry {
    private let token: AccessToken

    init(_ token: AccessToken) {
        self.token = token
    }

    private var scopes: [String] {
        AccessScope.allCases.filter { self.token.scopes.contains($0) }.map(\.rawValue)
    }

    /// An element of a YAML list; texts are quoted as JSON does it, which YAML reads as well.
    var yaml: String {
        var lines = ["- name: \(JSONValue.string(self.token.name))", "  sha256: \(self.token.sha256.hex)"]
        lines.append("  scopes: [\(self.scopes.joined(separator: ", "))]")
        if !self.token.types.isEmpty { lines.append("  types: \(Self.list(self.token.types.map(\.text)))") }
        if !self.token.symbols.isEmpty { lines.append("  symbols: \(Self.list(self.token.symbols))") }
        if let expires = self.token.expires { lines.append("  expires: \(expires)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func list(_ texts: [String]) -> String {
        "[" + texts.map { JSONValue.string($0).description }.joined(separator: ", ") + "]"
    }

    func json(_ token: String) -> String {
        var entry: [(String, JSONValue)] = [
            ("name", .string(self.token.name)), ("sha256", .string(self.token.sha256.hex)),
            ("scopes", .array(self.scopes.map { .string($0) })),
        ]
        if !self.token.types.isEmpty { entry.append(("types", .array(self.token.types.map { .string($0.text) }))) }
        if !self.token.symbols.isEmpty { entry.append(("symbols", .array(self.token.symbols.map { .string($0) }))) }
        if let expires = self.token.expires { entry.append(("expires", .string(expires.description))) }
        return JSONObject([("token", .string(token)), ("entry", .object(JSONObject(entry)))]).description
    }
}

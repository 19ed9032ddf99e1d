import Foundation
import Tidings
import TidingsGateway
import Yams

/// The files that say who may come in.
struct AccessFiles: Sendable, Equatable {
    /// A YAML list of tokens by their hashes.
    var tokens: String?
    /// A JWK set.
    var jwks: String?
    /// Who JWTs have to be for.
    var audience: String?

    var all: [String] { [self.tokens, self.jwks].compactMap(\.self) }

    /// Larger files are a mistake.
    private static let longestFile = 16 << 20

    /// Reads the files.
    ///
    /// - Throws: ``ConfigurationErrors`` with file, line and field; nothing in them is a token or a key.
    func load() async throws(ConfigurationErrors) -> AccessPolicy.Credentials {
        var credentials = AccessPolicy.Credentials()
        if let file = self.tokens {
            var reader = YAMLReader(file: file)
            credentials.tokens = AccessTokenFile.read(try Self.text(file), &reader)
            if !reader.problems.isEmpty { throw ConfigurationErrors(problems: reader.problems) }
        }
        if let file = self.jwks {
            let text = try Self.text(file)
            do throws(AccessError) {
                credentials.keys = try await JWTKeySet(jwks: text, audience: self.audience)
            } catch {
                throw Self.problem(file, error.field, error.message)
            }
        }
        return credentials
    }

    private static func text(_ file: String) throws(ConfigurationErrors) -> String {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: file))
            defer { try? handle.close() }
            data = try handle.read(upToCount: Self.longestFile + 1) ?? Data()
        } catch {
            throw self.problem(file, "", "cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= Self.longestFile else { throw self.problem(file, "", "is longer than 16 MiB") }
        guard let text = String(data: data, encoding: .utf8) else { throw self.problem(file, "", "is not UTF-8") }
        return text
    }

    private static func problem(_ file: String, _ field: String, _ message: String) -> ConfigurationErrors {
        ConfigurationErrors(problems: [
            ConfigurationProblem(file: file, line: 1, column: 1, field: field, message: message)
        ])
    }
}

/// The token file: a list of `{name, sha256, scopes, types, symbols, expires}`.
enum AccessTokenFile {
    private static let keys = ["name", "sha256", "scopes", "types", "symbols", "expires"]

    static func read(_ text: String, _ reader: inout YAMLReader) -> [AccessToken] {
        guard let root = reader.compose(text) else {
            if reader.problems.isEmpty { reader.report(Node(""), "", "is empty; write [] for a file without tokens") }
            return []
        }
        guard let list = root.sequence else {
            reader.report(root, "", "must be a list of tokens")
            return []
        }
        var tokens: [AccessToken] = []
        for (index, node) in list.enumerated() {
            let path = "[\(index)]"
            guard let entry = reader.mapping(node, path), let token = self.token(entry, node, path, &reader) else {
                continue
            }
            if tokens.contains(where: { $0.sha256 == token.sha256 }) {
                reader.report(entry["sha256"] ?? node, "\(path).sha256", "stands twice")
            }
            tokens.append(token)
        }
        return tokens
    }

    private static func token(
        _ entry: Node.Mapping, _ node: Node, _ path: String, _ reader: inout YAMLReader
    ) -> AccessToken? {
        let problems = reader.problems.count
        reader.expect(entry, in: path, only: self.keys)
        for name in ["name", "sha256", "scopes"] where entry[name] == nil {
            reader.report(node, "\(path).\(name)", "is required")
        }
        var hash: SHA256Sum?
        if let node = entry["sha256"], let text = reader.text(node, "\(path).sha256") {
            hash = SHA256Sum(hex: text)
            // What stands there instead may be the token itself.
            if hash == nil { reader.report(node, "\(path).sha256", "must be the SHA-256 of the token, 64 hex digits") }
        }
        let types = self.values(entry["types"], "\(path).types", &reader) {
            EventTypePattern($0)
        } or: {
            "must be a type or a pattern such as login.*, was '\($0)'"
        }
        let scopes = self.values(entry["scopes"], "\(path).scopes", &reader) {
            AccessScope(rawValue: $0)
        } or: {
            "must be read, publish or admin, was '\($0)'"
        }
        let symbols = self.values(entry["symbols"], "\(path).symbols", &reader) {
            $0
        } or: { _ in
            ""
        }
        var expires: Timestamp?
        if let node = entry["expires"], node.null == nil, let text = reader.text(node, "\(path).expires") {
            expires = Timestamp(text)
            if expires == nil {
                reader.report(node, "\(path).expires", "must be an RFC 3339 time or a date, was '\(text)'")
            }
        }
        guard let name = reader.text(entry["name"], "\(path).name"), let hash, reader.problems.count == problems else {
            return nil
        }
        do throws(AccessError) {
            return try AccessToken(
                name: name, sha256: hash, scopes: Set(scopes), types: types, symbols: symbols, expires: expires)
        } catch {
            reader.report(entry[Node(error.field)] ?? node, "\(path).\(error.field)", error.message)
            return nil
        }
    }

    /// A list of texts that each mean something.
    private static func values<Value>(
        _ node: Node?, _ field: String, _ reader: inout YAMLReader, _ value: (String) -> Value?,
        or complaint: (String) -> String
    ) -> [Value] {
        guard let node, node.null == nil, let texts = reader.texts(node, field) else { return [] }
        var values: [Value] = []
        for (index, text) in texts.enumerated() {
            if let value = value(text) {
                values.append(value)
            } else {
                let isList = node.sequence != nil
                reader.report(node.sequence?[index] ?? node, isList ? "\(field)[\(index)]" : field, complaint(text))
            }
        }
        return values
    }
}

import Tidings
import TidingsGateway
import Yams

extension RunConfiguration {
    /// Reads `access`; the files are read when the server starts, and again when they change.
    mutating func readAccess(_ node: Node?, _ directory: String, _ reader: inout YAMLReader) {
        guard let node, let access = reader.mapping(node, "access") else { return }
        reader.expect(access, in: "access", only: ["tokens", "jwt", "origins"])
        self.readOrigins(access["origins"], &reader)
        var files = AccessFiles()
        if let file = reader.text(access["tokens"], "access.tokens") { files.tokens = Self.resolve(file, directory) }
        if let node = access["jwt"], let jwt = reader.mapping(node, "access.jwt") {
            reader.expect(jwt, in: "access.jwt", only: ["jwks", "audience"])
            if jwt["jwks"] == nil { reader.report(node, "access.jwt.jwks", "is required") }
            if let file = reader.text(jwt["jwks"], "access.jwt.jwks") { files.jwks = Self.resolve(file, directory) }
            files.audience = reader.text(jwt["audience"], "access.jwt.audience")
        }
        if files.tokens != nil || files.jwks != nil { self.access = files }
    }

    private mutating func readOrigins(_ node: Node?, _ reader: inout YAMLReader) {
        guard let node else { return }
        self.origins = reader.texts(node, "access.origins") ?? []
        for (index, text) in self.origins.enumerated() where !Self.isOrigin(text) {
            reader.report(
                node.sequence?[index] ?? node, node.sequence == nil ? "access.origins" : "access.origins[\(index)]",
                "must be an origin such as https://dash.example.com, was '\(text)'")
        }
    }

    /// A scheme, a host and perhaps a port (RFC 6454 section 6.1), and nothing behind it but a slash.
    private static func isOrigin(_ text: String) -> Bool {
        let text = text.lowercased()
        for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
            var authority = text.dropFirst(scheme.count)
            if authority.hasSuffix("/") { authority = authority.dropLast() }
            return !authority.isEmpty && !authority.contains { "/?#@ *".contains($0) }
        }
        return false
    }
}

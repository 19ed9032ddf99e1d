import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Tidings
import TidingsWebSocket

/// What a server is shown: `--token` or `--token-file` over `TIDINGS_TOKEN`.
struct TokenOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The access token. Others can see it in the list of processes: --token-file or TIDINGS_TOKEN is better. "
                + "[env: TIDINGS_TOKEN]",
            valueName: "token"))
    var token: String?

    @Option(name: .long, help: ArgumentHelp("A file with the access token.", valueName: "file"))
    var tokenFile: String?

    func validate() throws {
        if self.token != nil && self.tokenFile != nil {
            throw ValidationError("--token, --token-file: give one of them, not both")
        }
        if let token = self.token, !ServerToken.isToken(token) {
            throw ValidationError("--token: this is no access token")
        }
    }

    /// The token, if one is given.
    func shown() throws(CommandError) -> ServerToken? {
        if let token = self.token { return ServerToken(token) }
        if let file = self.tokenFile { return try ServerToken(file: file) }
        guard let token = Environment.value("TOKEN") else { return nil }
        guard ServerToken.isToken(token) else { throw CommandError("TIDINGS_TOKEN: this is no access token") }
        return ServerToken(token)
    }
}

/// An access token on its way to a server. Prints as nothing of it.
struct ServerToken: Sendable, CustomStringConvertible {
    private let text: String

    fileprivate init(_ text: String) {
        self.text = text
    }

    /// More than this is no token.
    private static let longestFile = 64 << 10

    fileprivate init(file: String) throws(CommandError) {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: file))
            data = try handle.read(upToCount: Self.longestFile) ?? Data()
            try handle.close()
        } catch {
            throw CommandError("--token-file: \(file) cannot be read: \(error.localizedDescription)")
        }
        let text = String(data: data, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        guard Self.isToken(text) else { throw CommandError("--token-file: \(file) holds no access token") }
        self.text = text
    }

    /// RFC 6750 section 2.1, `b64token`.
    fileprivate static func isToken(_ text: String) -> Bool {
        (1...(16 << 10)).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~+/=".utf8.contains(byte)
                }
            }
    }

    var description: String { "access token" }

    func apply(to headers: inout HTTPHeaders) {
        headers.replaceOrAdd(name: "Authorization", value: "Bearer \(self.text)")
    }

    var webSocketHeader: WebSocketHeader { WebSocketHeader("Authorization", "Bearer \(self.text)") }
}

import Tidings

/// The texts of `/openapi.json` (OpenAPI 3.1) and `/asyncapi.json` (AsyncAPI 3.0), which are part of the program.
///
/// What stands in `Resources` are templates: what they share is put in once, when the server is made; the address comes
/// in with each request, as the server is reached under the name that the client used. Their tests compare them with the
/// routes and with what the server answers.
struct ServerDescription: Sendable {
    private let openAPI: Template
    private let asyncAPI: Template

    /// - Parameters:
    ///   - isSecure: whether the port speaks TLS.
    ///   - isEnforced: whether callers have to show who they are.
    init(isSecure: Bool, isEnforced: Bool, version: String = TidingsVersion.current) {
        let shared = Self.text(PackageResources.schemas_json)
        self.openAPI = Template(
            Self.text(PackageResources.openapi_json),
            [
                ("{{version}}", version),
                ("\"{{schemas}}\"", Self.joined(shared, Self.text(PackageResources.schemas_http_json))),
            ] + AccessScope.allCases.map { ("\"{{\($0.rawValue)}}\"", Self.security($0, isEnforced)) },
            isSecure: isSecure)
        self.asyncAPI = Template(
            Self.text(PackageResources.asyncapi_json),
            [
                ("{{version}}", version),
                ("\"{{schemas}}\"", Self.joined(shared, Self.text(PackageResources.schemas_streams_json))),
                (
                    "\"{{security}}\"",
                    isEnforced
                        ? ##"[{"$ref": "#/components/securitySchemes/bearer"}, "##
                            + ##"{"$ref": "#/components/securitySchemes/session"}]"## : "[]"
                ),
                ("{{webSocketProtocol}}", isSecure ? "wss" : "ws"),
                ("{{httpProtocol}}", isSecure ? "https" : "http"),
            ], isSecure: isSecure)
    }

    /// - Parameter authority: host and port as the client called them.
    func openAPI(at authority: String) -> [UInt8] { self.openAPI.text(at: authority) }

    /// - Parameter authority: host and port as the client called them.
    func asyncAPI(at authority: String) -> [UInt8] { self.asyncAPI.text(at: authority) }

    private static func security(_ scope: AccessScope, _ isEnforced: Bool) -> String {
        isEnforced ? #"[{"bearer": ["\#(scope.rawValue)"]}, {"session": ["\#(scope.rawValue)"]}]"# : "[]"
    }

    private static func text(_ resource: [UInt8]) -> String { String(decoding: resource, as: UTF8.self) }

    /// One JSON object with the members of two.
    private static func joined(_ first: String, _ second: String) -> String {
        guard let end = first.lastIndex(of: "}"), let start = second.firstIndex(of: "{") else { return first }
        return first[..<end] + "," + second[second.index(after: start)...]
    }

    /// A text with places for the server's address.
    private struct Template: Sendable {
        /// What stands around those places, each with the word of the place behind it.
        private var pieces: [(text: [UInt8], place: Place?)] = []
        private let scheme: String

        private enum Place: String, CaseIterable {
            case server = "\"{{server}}\""
            case authority = "\"{{authority}}\""
        }

        init(_ text: String, _ replacements: [(String, String)], isSecure: Bool) {
            var text = text
            for (place, value) in replacements { text = text.replacing(place, with: value) }
            self.scheme = isSecure ? "https" : "http"
            var rest = text[...]
            while let (range, place) = Self.next(in: rest) {
                self.pieces.append((Array(rest[..<range.lowerBound].utf8), place))
                rest = rest[range.upperBound...]
            }
            self.pieces.append((Array(rest.utf8), nil))
        }

        private static func next(in text: Substring) -> (Range<Substring.Index>, Place)? {
            Place.allCases.compactMap { place in text.firstRange(of: place.rawValue).map { ($0, place) } }
                .min { $0.0.lowerBound < $1.0.lowerBound }
        }

        func text(at authority: String) -> [UInt8] {
            var writer = JSONWriter(capacity: self.pieces.reduce(256) { $0 + $1.text.count })
            for piece in self.pieces {
                piece.text.withUnsafeBytes { writer.write(bytes: $0) }
                switch piece.place {
                case .server: writer.write(string: "\(self.scheme)://\(authority)")
                case .authority: writer.write(string: authority)
                case nil: break
                }
            }
            return writer.array()
        }
    }
}

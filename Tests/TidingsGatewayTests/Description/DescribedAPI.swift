import Testing
import Tidings

@testable import TidingsGateway

/// `/openapi.json` as a test reads it.
struct DescribedAPI: Sendable {
    struct Operation: Sendable {
        /// `GET /api/v1/events/{event_id}`
        let name: String
        let method: String
        /// With the names of its parts in braces.
        let template: String
        /// What a caller has to be allowed to do; nil when nothing.
        let scope: AccessScope?
        let parameters: [Parameter]
        let statuses: Set<Int>

        /// The path as the list of routes has it.
        var route: String {
            "/"
                + self.template.split(separator: "/").map { $0.hasPrefix("{") ? "*" : String($0) }.joined(
                    separator: "/")
        }

        /// A path that can be asked for.
        func path(with part: String = "x") -> String {
            self.route.replacing("*", with: part)
        }

        var queryNames: Set<String> { Set(self.parameters.filter { $0.place == "query" }.map(\.name)) }
    }

    struct Parameter: Sendable {
        let name: String
        let place: String
        let isRequired: Bool
        let minimum: Int64?
        let maximum: Int64?
    }

    let operations: [Operation]

    init(_ text: [UInt8]) throws {
        let document = try text.withUnsafeBytes { try JSONObject(json: $0) }
        var operations: [Operation] = []
        for (template, item) in document["paths"]?.object?.members ?? [] {
            for (method, operation) in item.object?.members ?? [] {
                let operation = try #require(operation.object)
                operations.append(
                    Operation(
                        name: "\(method.uppercased()) \(template)", method: method.uppercased(), template: template,
                        scope: try Self.scope(operation),
                        parameters: try (operation["parameters"]?.array ?? []).map { try Self.parameter($0, document) },
                        statuses: Set((operation["responses"]?.object?.members ?? []).compactMap { Int($0.0) })))
            }
        }
        self.operations = operations.sorted { $0.name < $1.name }
    }

    /// All alternatives ask for the same.
    private static func scope(_ operation: JSONObject) throws -> AccessScope? {
        let alternatives = try #require(operation["security"]?.array)
        let scopes = Set(
            alternatives.flatMap { alternative in
                (alternative.object?.members ?? []).flatMap { $0.1.array ?? [] }.compactMap(\.string)
            })
        #expect(scopes.count == (alternatives.isEmpty ? 0 : 1))
        return scopes.first.flatMap { AccessScope(rawValue: $0) }
    }

    private static func parameter(_ value: JSONValue, _ document: JSONObject) throws -> Parameter {
        var object = try #require(value.object)
        if let reference = object["$ref"]?.string {
            let name = try #require(reference.split(separator: "/").last)
            object = try #require(document["components"]?.object?["parameters"]?.object?[String(name)]?.object)
        }
        let schema = object["schema"]?.object
        return Parameter(
            name: try #require(object["name"]?.string), place: try #require(object["in"]?.string),
            isRequired: object["required"]?.bool ?? false, minimum: schema?["minimum"]?.int.map { Int64($0) },
            maximum: schema?["maximum"]?.int.map { Int64($0) })
    }

    /// As a server describes itself that asks for tokens.
    static func enforced() throws -> DescribedAPI {
        try DescribedAPI(ServerDescription(isSecure: false, isEnforced: true).openAPI(at: "127.0.0.1:8765"))
    }
}

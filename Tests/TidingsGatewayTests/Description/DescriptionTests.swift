import HTTPTypes
import NIOHTTP1
import NIOPosix
import Testing
import Tidings

@testable import TidingsGateway

/// The descriptions against the program: whatever is in one and not in the other is a failure.
@Suite(.timeLimit(.minutes(1)))
struct DescriptionTests {
    /// The dashboard's own files are no interface.
    private static let files = Set(DashboardAssets.all.keys.map { "/\($0)" })

    private static func routes() async throws -> [HTTPRoute] {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        let configuration = GatewayConfiguration()
        let gateway = try Gateway(configuration: configuration, bus: bus, log: log)
        let feed = try await StreamFeed.make(
            on: [MultiThreadedEventLoopGroup.singleton.any()], log: log, scope: WorkScope(),
            configuration: configuration)
        let routes = gateway.routes(
            feed, EventIngest(bus: bus, log: log, access: AccessControl(nil, failures: 1)))
        await bus.stop()
        return routes
    }

    @Test func `every route and method is described with its scope, and nothing else is`() async throws {
        var known: [String: AccessScope?] = [:]
        for route in try await Self.routes() {
            let path = "/" + route.path.joined(separator: "/")
            // What is no HTTP is in the other description.
            if Self.files.contains(path) || path == GatewayChannel.webSocketPath { continue }
            for (method, endpoint) in route.endpoints { known["\(method.rawValue) \(path)"] = .some(endpoint.scope) }
        }
        let described = try DescribedAPI.enforced().operations
        #expect(Set(described.map { "\($0.method) \($0.route)" }) == Set(known.keys))
        for operation in described {
            #expect(operation.scope == known["\(operation.method) \(operation.route)"], "\(operation.name)")
        }
    }

    @Test func `the streams are in the other description`() throws {
        let text = ServerDescription(isSecure: false, isEnforced: true).asyncAPI(at: "127.0.0.1:8765")
        let document = try text.withUnsafeBytes { try JSONObject(json: $0) }
        let addresses = document["channels"]?.object?.members.compactMap { $0.value.object?["address"]?.string } ?? []
        #expect(Set(addresses) == [GatewayChannel.webSocketPath, "/api/v1/stream"])
    }

    @Test func `every query parameter is described, and its bounds are those of the program`() async throws {
        let api = try DescribedAPI.enforced()
        try await GatewayHarness.run { gateway in
            for operation in api.operations where operation.template != "/" {
                let unknown = try await gateway.request(operation.method, operation.path() + "?no-such-parameter=1")
                #expect(unknown.status == 400, "\(operation.name)")
                let answer = try unknown.object
                #expect(answer["code"]?.string == "unknown_parameter", "\(operation.name)")
                #expect(answer["field"]?.string == "no-such-parameter", "\(operation.name)")
                let names = (answer["detail"]?.string ?? "").split(separator: "known are ").dropFirst().first ?? ""
                #expect(
                    Set(names.split(separator: ", ").map(String.init)) == operation.queryNames, "\(operation.name)")
                try await Self.checkBounds(operation, gateway)
            }
        }
    }

    private static func checkBounds(_ operation: DescribedAPI.Operation, _ gateway: GatewayHarness) async throws {
        for parameter in operation.parameters where parameter.minimum != nil {
            let required = operation.parameters.filter { $0.isRequired && $0.place == "query" }
                .map { "\($0.name)=x" }
            func field(_ value: Int64) async throws -> String? {
                let query = (required + ["\(parameter.name)=\(value)"]).joined(separator: "&")
                let answer = try await gateway.request(operation.method, "\(operation.path())?\(query)")
                return answer.status == 400 ? try answer.object["field"]?.string : nil
            }
            let name: Comment = "\(operation.name) \(parameter.name)"
            if let minimum = parameter.minimum {
                #expect(try await field(minimum) == nil, name)
                #expect(try await field(minimum - 1) == parameter.name, name)
            }
            if let maximum = parameter.maximum {
                #expect(try await field(maximum) == nil, name)
                if maximum < Int64.max { #expect(try await field(maximum + 1) == parameter.name, name) }
            }
        }
    }

    @Test func `the descriptions name the server that was asked, and say whether it wants a token`() async throws {
        try await GatewayHarness.run { gateway in
            for path in ["/openapi.json", "/asyncapi.json"] {
                let answer = try await gateway.request("GET", path, headers: [("Host", "localhost:99")])
                #expect(answer.status == 200)
                #expect(answer.headers.first(name: "content-type") == "application/json")
                #expect(!answer.body.contains("{{"))
                #expect(try answer.object["info"]?.object?["version"]?.string == TidingsVersion.current)
                #expect((try await gateway.request("HEAD", path)).status == 200)
            }
            let openAPI = try await gateway.request("GET", "/openapi.json").object
            let url = openAPI["servers"]?.array?.first?.object?["url"]?.string
            #expect(url == "http://127.0.0.1:\(gateway.port)")
            #expect(try DescribedAPI(Array(openAPI.description.utf8)).operations.allSatisfy { $0.scope == nil })
            let servers = try await gateway.request("GET", "/asyncapi.json").object["servers"]?.object
            #expect(servers?["webSocket"]?.object?["host"]?.string == "127.0.0.1:\(gateway.port)")
            #expect(servers?["webSocket"]?.object?["protocol"]?.string == "ws")
        }
        let secure = ServerDescription(isSecure: true, isEnforced: true)
        let text = String(decoding: secure.asyncAPI(at: "a.example\"\\"), as: UTF8.self)
        let document = try JSONObject(json: text)
        let server = document["servers"]?.object?["webSocket"]?.object
        #expect(server?["protocol"]?.string == "wss")
        #expect(server?["host"]?.string == "a.example\"\\")
        #expect(server?["security"]?.array?.count == 2)
        let openAPI = try JSONObject(json: String(decoding: secure.openAPI(at: "a.example"), as: UTF8.self))
        #expect(openAPI["servers"]?.array?.first?.object?["url"]?.string == "https://a.example")
    }
}

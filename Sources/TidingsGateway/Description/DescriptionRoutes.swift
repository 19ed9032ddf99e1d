import HTTPTypes
import HummingbirdCore
import NIOCore

/// `GET /openapi.json` and `GET /asyncapi.json`: what can be asked of this server, for programs.
struct DescriptionRoutes: Sendable {
    let description: ServerDescription
    /// Where the server listens, for clients that do not say how they called it.
    let address: GatewayAddress

    func openAPI(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        return Self.answer(self.description.openAPI(at: self.authority(call)))
    }

    func asyncAPI(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        return Self.answer(self.description.asyncAPI(at: self.authority(call)))
    }

    private func authority(_ call: HTTPCall) -> String {
        if let authority = call.request.head.authority, !authority.isEmpty { return authority }
        let port = call.channel.localAddress?.port ?? self.address.port
        return GatewayAddress(host: self.address.host, port: port).description
    }

    private static func answer(_ text: [UInt8]) -> Response {
        Response(status: .ok, headers: .json, body: ResponseBody(byteBuffer: ByteBuffer(bytes: text)))
    }
}

import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Tidings

// In place of what the branch `rest` brings under these names: delete this file when that is merged. Requests are made, in
// no particular rhythm; recording is refused.

final class VenueHTTP: Sendable {
    private static let patience = TimeAmount.seconds(10)
    private static let largestAnswer = 16 << 20
    private let rest: String

    init(rest: String, limits: VenueLimits, proxy: String?, logger: Logger) throws(ConnectorError) {
        guard proxy == nil else {
            throw ConnectorError(.invalidProxy, "proxy: HTTP through a proxy is not available in this version")
        }
        self.rest = rest
    }

    func answer(to request: VenueRequest) async -> VenueAnswer {
        var call = HTTPClientRequest(url: self.rest + request.target)
        call.method = HTTPMethod(rawValue: request.method.rawValue)
        if !request.body.isEmpty {
            call.headers.add(name: "Content-Type", value: "application/json")
            call.body = .bytes(ByteBuffer(string: request.body))
        }
        do {
            let response = try await HTTPClient.shared.execute(call, timeout: Self.patience)
            let body = try await response.body.collect(upTo: Self.largestAnswer)
            guard (200..<300).contains(response.status.code) else {
                return .failure(status: Int(response.status.code), reason: response.status.reasonPhrase)
            }
            return .body(Array(buffer: body))
        } catch {
            return .failure(status: nil, reason: "\(error)")
        }
    }

    func shutdown() async {}
}

final class FrameRecorder: Sendable {
    enum Kind { case connect, sent, received, response }

    init(directory: String, venue: String, logger: Logger) throws(ConnectorError) {
        throw ConnectorError(.invalidConfiguration, "record: is not available in this version")
    }

    func record(_ kind: Kind, _ text: UnsafeRawBufferPointer, url: String?, at: Timestamp) {}

    func close() async {}
}

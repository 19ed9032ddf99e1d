import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// Whether a request wants its answer as CloudEvents.
enum CloudEventNegotiation {
    /// Whether a media type is asked for by its name and no less than JSON is (RFC 9110, 12.5.1). Whoever takes anything
    /// gets JSON.
    static func wants(_ mediaType: String, _ headers: HTTPFields) -> Bool {
        var wanted = 0.0
        var json = 0.0
        for range in headers[values: .accept].flatMap({ $0.split(separator: ",") }) {
            let parts = range.split(separator: ";").map { $0.lowercased().filter { $0 != " " && $0 != "\t" } }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch parts.first {
            case mediaType: wanted = max(wanted, quality)
            case "application/json": json = max(json, quality)
            default: break
            }
        }
        return wanted > 0 && wanted >= json
    }

    static func headers(_ mediaType: String) -> HTTPFields {
        var headers: HTTPFields = [.contentType: mediaType, .cacheControl: "no-store"]
        headers[.vary] = "Accept"
        return headers
    }
}

extension Response {
    /// One event as a CloudEvent.
    static func cloudEvent(_ logged: LoggedEvent) -> Response {
        var writer = JSONWriter()
        writer.write(cloudEvent: logged)
        return Response(
            status: .ok, headers: CloudEventNegotiation.headers(CloudEventName.jsonMediaType),
            body: ResponseBody(byteBuffer: writer.withBytes { ByteBuffer(bytes: $0) }))
    }
}

extension JSONWriter {
    mutating func write(cloudEvent logged: LoggedEvent) {
        logged.withJSON { json in CloudEventWriter.write(json, offset: logged.offset, into: &self) }
    }
}

import NIOCore
import Tidings
import TidingsWebSocket

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How an event is wrapped for a kind of client.
enum FrameFormat: Hashable, Sendable {
    /// A text frame with `{"type":"event","offset":n,"data":{...}}`.
    case webSocket
    /// A text frame with a CloudEvent (the subprotocol `cloudevents.json`).
    case cloudEvents
    /// The same two, compressed (permessage-deflate).
    case deflatedWebSocket
    case deflatedCloudEvents
    /// `id: <epoch>-<offset>` and `data: {...}`.
    case serverSentEvents(epoch: String)

    init(isCloudEvents: Bool, isDeflated: Bool) {
        switch (isCloudEvents, isDeflated) {
        case (false, false): self = .webSocket
        case (true, false): self = .cloudEvents
        case (false, true): self = .deflatedWebSocket
        case (true, true): self = .deflatedCloudEvents
        }
    }

    /// Whether making a frame takes so long that none should be made that nobody wants.
    var isCostly: Bool {
        switch self {
        case .deflatedWebSocket, .deflatedCloudEvents: true
        case .webSocket, .cloudEvents, .serverSentEvents: false
        }
    }

    /// Appends an event.
    func write(
        offset: Int64, json: UnsafeRawBufferPointer, into buffer: inout ByteBuffer, _ compressor: FrameCompressor
    ) {
        switch self {
        case .deflatedWebSocket:
            var writer = JSONWriter(capacity: json.count + 48)
            writer.write(
                bytes: UnsafeRawBufferPointer(start: Self.prefix.utf8Start, count: Self.prefix.utf8CodeUnitCount))
            writer.write(offset)
            writer.write(
                bytes: UnsafeRawBufferPointer(start: Self.infix.utf8Start, count: Self.infix.utf8CodeUnitCount))
            writer.write(bytes: json)
            writer.write(byte: UInt8(ascii: "}"))
            writer.withBytes { compressor.writeFrame($0, into: &buffer) }
        case .deflatedCloudEvents:
            var writer = JSONWriter(capacity: json.count + 256)
            CloudEventWriter.write(json, offset: offset, into: &writer)
            writer.withBytes { compressor.writeFrame($0, into: &buffer) }
        case .webSocket:
            var number = String(offset)
            number.withUTF8 { digits in
                let length =
                    Self.prefix.utf8CodeUnitCount + digits.count + Self.infix.utf8CodeUnitCount + json.count + 1
                buffer.writeWebSocketHeader(WebSocketFrameHeader(.text, payloadLength: length))
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { target in
                    guard var at = target.baseAddress else { return 0 }
                    at = Self.copy(
                        UnsafeRawBufferPointer(start: Self.prefix.utf8Start, count: Self.prefix.utf8CodeUnitCount),
                        to: at)
                    at = Self.copy(UnsafeRawBufferPointer(digits), to: at)
                    at = Self.copy(
                        UnsafeRawBufferPointer(start: Self.infix.utf8Start, count: Self.infix.utf8CodeUnitCount), to: at
                    )
                    at = Self.copy(json, to: at)
                    at.storeBytes(of: UInt8(ascii: "}"), as: UInt8.self)
                    return length
                }
            }
        case .cloudEvents:
            var writer = JSONWriter(capacity: json.count + 256)
            CloudEventWriter.write(json, offset: offset, into: &writer)
            writer.withBytes { buffer.writeWebSocketFrame(.text, payload: $0) }
        case .serverSentEvents(let epoch):
            buffer.writeString("id: ")
            buffer.writeString(epoch)
            buffer.writeString("-\(offset)\ndata: ")
            buffer.writeBytes(json)
            buffer.writeString("\n\n")
        }
    }

    /// Appends the news that events were lost.
    func writeGap(dropped: UInt64, after: Int64, into buffer: inout ByteBuffer) {
        switch self {
        case .webSocket, .cloudEvents, .deflatedWebSocket, .deflatedCloudEvents:
            buffer.writeWebSocketText(#"{"type":"gap","dropped":\#(dropped),"after":\#(after)}"#)
        case .serverSentEvents:
            buffer.writeString("event: gap\ndata: {\"dropped\":\(dropped),\"after\":\(after)}\n\n")
        }
    }

    private static let prefix: StaticString = #"{"type":"event","offset":"#
    private static let infix: StaticString = #","data":"#

    @inline(__always)
    private static func copy(
        _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        guard let start = bytes.baseAddress else { return target }
        memcpy(target, start, bytes.count)
        return target + bytes.count
    }
}

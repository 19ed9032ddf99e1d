/// A recorded exchange session in memory.
package struct Recording: Sendable {
    package enum Kind: String, Sendable {
        /// A socket was opened.
        case connect
        /// The recording client sent a text.
        case sent
        /// The venue sent a text.
        case received
        /// The venue answered an HTTP request.
        case response
    }

    package struct Frame: Sendable {
        package var kind: Kind
        /// Nanoseconds since 1970, never less than the frame before.
        package var time: Int64
        /// Of a `connect`, a `response`, sometimes of the others.
        package var url: String?
        /// Where its text stands in ``Recording/bytes``.
        package var text: Range<Int>
    }

    package let venue: String
    package let frames: [Frame]
    /// The texts of all frames, one after the other, as they were on the wire.
    package let bytes: [UInt8]

    package func text(of frame: Frame) -> [UInt8] {
        Array(self.bytes[frame.text])
    }
}

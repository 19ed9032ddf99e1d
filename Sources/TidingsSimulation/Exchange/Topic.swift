/// What one subscription asks for.
package struct Topic: Hashable, Sendable {
    /// The venue's word for the kind of data.
    package var channel: String
    /// The venue's spelling; empty where the channel is about all symbols.
    package var symbol: String
    /// What else tells subscriptions of a channel apart, such as a candle's interval.
    package var detail: String

    package init(_ channel: String, _ symbol: String = "", _ detail: String = "") {
        self.channel = channel
        self.symbol = symbol
        self.detail = detail
    }
}

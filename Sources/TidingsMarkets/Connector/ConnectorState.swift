/// Where a connector is on its way; the `state` of `connector_status` events.
public enum ConnectorState: String, Sendable {
    case connecting
    /// The socket is open and the subscriptions are sent.
    case connected
    /// The venue has confirmed the subscriptions.
    case subscribed
    /// A symbol has been silent for too long.
    case stale
    /// A symbol is being subscribed to anew.
    case resyncing
    /// Waiting before the next attempt.
    case reconnecting
    case stopped
}

extension StandardEvent {
    /// The seldom used fields, behind one reference.
    @usableFromInline
    final class Details: Sendable {
        struct Content: Sendable {
            var processedAt: Timestamp?
            var processingTimeMs: ExactDecimal?
            /// What came with it, without what ``causes`` says.
            var extra: JSONObject?
            /// What led to it within this process; written as the extra key `causes`.
            var causes: CauseChain?
            var texts = Texts()

            var isEmpty: Bool {
                self.processedAt == nil && self.processingTimeMs == nil && self.extra == nil && self.causes == nil
                    && self.texts.isEmpty
            }
        }

        /// What is no canonical UUID, or not interned.
        struct Texts: Sendable {
            var eventID: SharedText?
            var correlationID: SharedText?
            var parentEventID: SharedText?
            var eventType: SharedText?
            var source: SharedText?

            var isEmpty: Bool {
                self.eventID == nil && self.correlationID == nil && self.parentEventID == nil && self.eventType == nil
                    && self.source == nil
            }
        }

        let content: Content

        init(_ content: Content) {
            self.content = content
        }
    }

    /// When a processor was done with it.
    public var processedAt: Timestamp? { self.details?.content.processedAt }

    /// Milliseconds spent in `process`.
    public var processingTimeMs: ExactDecimal? { self.details?.content.processingTimeMs }

    /// What stands in the JSON beside the ten known keys, in its order.
    public var extra: JSONObject? {
        get {
            guard let content = self.details?.content, let causes = content.causes else {
                return self.details?.content.extra
            }
            return (content.extra ?? JSONObject()).setting(CauseChain.key, to: .object(causes.object))
        }
        set {
            self.change {
                $0.extra = newValue.flatMap { $0.isEmpty ? nil : $0 }
                $0.causes = nil
            }
        }
    }

    mutating func setProcessing(at moment: Timestamp?, timeMs: ExactDecimal?) {
        self.change {
            $0.processedAt = moment
            $0.processingTimeMs = timeMs
        }
    }

    /// What led to the event, as far as is known.
    var causes: CauseChain? {
        get {
            guard let content = self.details?.content else { return nil }
            return content.causes ?? content.extra.flatMap { CauseChain(received: $0) }
        }
        set {
            self.change {
                if newValue != nil, $0.extra?[CauseChain.key] != nil {
                    $0.extra = $0.extra?.setting(CauseChain.key, to: nil)
                }
                if $0.extra?.isEmpty == true { $0.extra = nil }
                $0.causes = newValue
            }
        }
    }

    /// Notes that processing ended now and took `duration`, to the microsecond.
    public mutating func markProcessed(at moment: Timestamp = .now(), after duration: Duration) {
        let parts = duration.components
        let microseconds = parts.seconds &* 1_000_000 &+ parts.attoseconds / 1_000_000_000_000
        self.setProcessing(at: moment, timeMs: ExactDecimal(mantissa: microseconds, scale: 3))
    }

    /// Notes that processing ended now; the time since the event occurred counts as processing.
    public mutating func markProcessed(at moment: Timestamp = .now()) {
        self.markProcessed(at: moment, after: moment.duration(since: self.timestamp))
    }
}

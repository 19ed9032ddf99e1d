public import Logging

/// Takes secrets out of events before anybody else sees them: what stands under a sensitive name becomes `"[redacted]"`.
///
/// Names are compared whole, after lower-casing and without `_`, `-` and `.`, at any depth: `password`, `passwd`,
/// `secret`, `clientsecret`, `authorization`, `cookie`, `setcookie`, `apikey`, `accesstoken`, `refreshtoken`,
/// `privatekey`, `sessionid`; `token` only with a text of 20 characters or more that is no address or hash. In URLs, user
/// and password before the host go, and query parameters of such a name. All other bytes stay as they are. Market data of
/// ours is exempt; so are `source` and the identifiers.
///
/// Copies share their counters. Safe to use from any thread.
public struct Redaction: Sendable {
    let keys: SensitiveKeys
    private let counter: RedactionCounter

    /// - Parameters:
    ///   - adding: further names, in any spelling. `token` named here is redacted whatever its value.
    ///   - keeping: names that are no secrets after all.
    public init(
        adding: [String] = [], keeping: [String] = [], logger: Logger = Logger(label: "tidings.redaction")
    ) {
        self.keys = SensitiveKeys(adding: adding, keeping: keeping)
        self.counter = RedactionCounter(logger: logger)
    }

    /// What was taken out so far.
    public var report: RedactionReport { self.counter.current }

    /// The event without its secrets; `nil` when it has none.
    public func redact(_ event: borrowing StandardEvent) -> StandardEvent? {
        var payload: JSONObject?
        if event.payload.kind == .object { payload = self.redact(event.payload.object, of: event.eventType) }
        let extra = event.details?.content.extra.flatMap { self.redact($0, of: event.eventType) }
        guard payload != nil || extra != nil else { return nil }
        var redacted = copy event
        if let payload { redacted.payload = .object(payload) }
        if let extra { redacted.change { $0.extra = extra } }
        return redacted
    }

    /// The object without its secrets; `nil` when it has none.
    private func redact(_ object: JSONObject, of type: EventType) -> JSONObject? {
        object.withUTF8 { bytes in
            guard JSONGlance.isSuspicious(bytes, keys: self.keys) else { return nil }
            return self.rewrite(bytes, of: type)
        }
    }

    /// The object without its secrets, after a glance that found it suspicious; `nil` when it has none after all.
    func rewrite(_ bytes: UnsafeRawBufferPointer, of type: EventType) -> JSONObject? {
        let redaction = JSONRedaction(bytes, keys: self.keys)
        guard !redaction.secrets.isEmpty else { return nil }
        var writer = JSONWriter(capacity: bytes.count + 64)
        redaction.write(to: &writer)
        self.counter.count(redaction.secrets.map { self.name($0.key) }, in: type.rawValue)
        return writer.withBytes { bytes in
            // Read anew, so that a symbol which was a URL is not kept beside the text.
            if let object = try? JSONObject(json: bytes) { return object }
            // Deeper than what is accepted from outside.
            return JSONObject(compact: bytes, names: JSONObject.Names(), depth: redaction.depth)
        }
    }

    private func name(_ key: Int?) -> String {
        key.map { self.keys.names[$0] } ?? "url"
    }

    /// A message meant for people or logs, without the secrets that it may quote: URLs with credentials, pairs such as
    /// `password=...` and `"apiKey": "..."`, `Bearer ...` and `Basic ...`.
    public func redact(text: String) -> String {
        let bytes = Array(text.utf8)
        let secrets = bytes.withUnsafeBytes { TextSecrets($0, keys: self.keys).ranges }
        guard !secrets.isEmpty else { return text }
        var output: [UInt8] = []
        var copied = 0
        for secret in secrets {
            output.append(contentsOf: bytes[copied..<secret.range.lowerBound])
            output.append(contentsOf: "[redacted]".utf8)
            copied = secret.range.upperBound
        }
        output.append(contentsOf: bytes[copied...])
        self.counter.count(secrets.map(\.name), in: "text")
        return String(decoding: output, as: UTF8.self)
    }
}

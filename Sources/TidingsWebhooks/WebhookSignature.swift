internal import Crypto
internal import Foundation
public import Tidings

/// The signature of Standard Webhooks (standardwebhooks.com), for senders and receivers.
///
/// A request carries `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`: one or more of
/// `v1,` and the base64 of the HMAC-SHA256 over `id.timestamp.body`, with spaces between them.
public enum WebhookSignature {
    public static let idHeader = "webhook-id"
    public static let timestampHeader = "webhook-timestamp"
    public static let signatureHeader = "webhook-signature"

    /// How far a request's time may lie from the receiver's, either way.
    public static let defaultTolerance = Duration.seconds(300)

    /// The value of `webhook-signature` for a body.
    ///
    /// - Parameter timestamp: seconds since 1970.
    public static func sign(id: String, timestamp: Int64, body: some Sequence<UInt8>, secret: WebhookSecret) -> String {
        "v1," + Data(Self.code(id: id, timestamp: "\(timestamp)", body: Data(body), secret)).base64EncodedString()
    }

    /// Judges a request as its receiver: whether it was signed with one of the secrets, not long ago.
    ///
    /// Takes the body as it came, byte for byte. Who must not act twice also remembers the ids of the last `tolerance`:
    /// a sender that got no answer sends the same id again.
    ///
    /// - Parameters:
    ///   - id: the value of `webhook-id`; likewise `timestamp` and `signature`. `nil` for a header that is missing.
    ///   - secrets: several while one is being replaced by another.
    public static func verify(
        id: String?, timestamp: String?, signature: String?, body: some Sequence<UInt8>, secrets: [WebhookSecret],
        now: Timestamp = .now(), tolerance: Duration = WebhookSignature.defaultTolerance
    ) throws(WebhookSignatureError) {
        guard let id, !id.isEmpty else { throw WebhookSignatureError(.missingHeader, Self.idHeader) }
        guard let timestamp else { throw WebhookSignatureError(.missingHeader, Self.timestampHeader) }
        guard let signature else { throw WebhookSignatureError(.missingHeader, Self.signatureHeader) }
        guard let seconds = Int64(timestamp), let sent = Timestamp(seconds: seconds), "\(seconds)" == timestamp else {
            throw WebhookSignatureError(.invalidTimestamp, "\(Self.timestampHeader) is no number of seconds")
        }
        let age = now.duration(since: sent)
        if age > tolerance { throw WebhookSignatureError(.tooOld, "sent \(age.components.seconds) s ago") }
        if age < .zero - tolerance {
            throw WebhookSignatureError(.tooNew, "sent \(-age.components.seconds) s in the future")
        }
        let candidates = signature.split(separator: " ").compactMap { part -> Data? in
            guard part.hasPrefix("v1,") else { return nil }
            return Data(base64Encoded: String(part.dropFirst("v1,".count)))
        }
        let body = Data(body)
        for secret in secrets {
            let code = Self.code(id: id, timestamp: timestamp, body: body, secret)
            // Compared in constant time: the comparison of message authentication codes with bytes is.
            if candidates.contains(where: { code == $0 }) { return }
        }
        throw WebhookSignatureError(.mismatch, "no signature in \(Self.signatureHeader) fits")
    }

    private static func code(
        id: String, timestamp: String, body: Data, _ secret: WebhookSecret
    ) -> HMAC<SHA256>.MAC {
        var code = HMAC<SHA256>(key: secret.key)
        code.update(data: Data("\(id).\(timestamp).".utf8))
        code.update(data: body)
        return code.finalize()
    }
}

/// Why a receiver should not believe a request.
public struct WebhookSignatureError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// One of the three headers is not there.
        public static let missingHeader = Code(rawValue: "missing_header")
        public static let invalidTimestamp = Code(rawValue: "invalid_timestamp")
        public static let tooOld = Code(rawValue: "too_old")
        public static let tooNew = Code(rawValue: "too_new")
        /// Signed with another secret, or changed on its way.
        public static let mismatch = Code(rawValue: "mismatch")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(self.code.rawValue): \(self.message)" }
}

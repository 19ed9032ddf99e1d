internal import Crypto
internal import Foundation

/// The key that a sender and a receiver of webhooks share.
///
/// Never shows its bytes: not in `description`, not in a dump.
public struct WebhookSecret: Sendable {
    let key: SymmetricKey

    /// A secret as it is written in a file or a setting: `whsec_` and base64, as Standard Webhooks has it, or any other
    /// text, whose UTF-8 bytes are the key as they are. White space around it is passed over.
    ///
    /// Receivers that use a Standard Webhooks library want the first form: those libraries take every secret for base64.
    public init(_ text: String) throws(WebhookConfigurationError) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw WebhookConfigurationError("secret", "must not be empty") }
        guard text.hasPrefix("whsec_") else {
            self.key = SymmetricKey(data: Data(text.utf8))
            return
        }
        guard let bytes = Data(base64Encoded: String(text.dropFirst("whsec_".count))), !bytes.isEmpty else {
            throw WebhookConfigurationError("secret", "must be base64 after 'whsec_'")
        }
        self.key = SymmetricKey(data: bytes)
    }
}

extension WebhookSecret: Equatable, CustomStringConvertible, CustomReflectable {
    public var description: String { "[redacted]" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

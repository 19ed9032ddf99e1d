#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An address of http or https; https://www.rfc-editor.org/rfc/rfc3986
struct PageAddress: Sendable, Hashable {
    /// Longer ones are refused.
    static let maximumLength = 16_384

    let url: URL
    /// In lower case.
    let host: String
    let isSecure: Bool
    let port: Int
    /// Never empty.
    let path: String

    /// - Parameter base: what a relative address starts from.
    init(_ text: String, relativeTo base: PageAddress? = nil) throws(PageError) {
        let plain = String(text.trimmed().unicodeScalars.filter { $0 != "\n" && $0 != "\r" && $0 != "\t" })
        guard plain.utf8.count <= Self.maximumLength else {
            throw PageError(.address, "an address of more than \(Self.maximumLength) bytes")
        }
        let shown = Self.shown(plain)
        guard let url = URL(string: plain, relativeTo: base?.url)?.absoluteURL else {
            throw PageError(.address, "\"\(shown)\" is no address")
        }
        let scheme = url.scheme?.lowercased() ?? ""
        guard scheme == "http" || scheme == "https" else {
            throw PageError(
                .address,
                scheme.isEmpty
                    ? "\"\(shown)\" is relative, and there is no page it could start from"
                    : "\"\(shown)\": http and https can be loaded, not \(scheme)")
        }
        guard let host = url.host(percentEncoded: false)?.lowercased(), !host.isEmpty else {
            throw PageError(.address, "\"\(shown)\" has no host")
        }
        guard url.user() == nil, url.password() == nil else {
            throw PageError(.address, "an address with a name and a password in it is not loaded; host \(host)")
        }
        self.host = host
        self.isSecure = scheme == "https"
        self.port = url.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65_535).contains(self.port) else { throw PageError(.address, "\"\(shown)\": no such port") }
        let path = url.path(percentEncoded: true)
        self.path = path.isEmpty ? "/" : path
        self.url = url
    }

    /// Without what a password could be in.
    private static func shown(_ text: String) -> String {
        guard let at = text.firstIndex(of: "@"), let slashes = text.firstRange(of: "//") else { return text }
        return slashes.upperBound <= at ? text[..<slashes.upperBound] + "..." + text[at...] : text
    }

    /// Without the fragment.
    var text: String {
        let whole = self.url.absoluteString
        return whole.firstIndex(of: "#").map { String(whole[..<$0]) } ?? whole
    }

    var hasFragment: Bool { self.url.absoluteString.contains("#") }

    var origin: String { "\(self.isSecure ? "https" : "http")://\(self.url.host() ?? self.host):\(self.port)" }

    /// The same without query and fragment, and with another query.
    func withQuery(_ query: String) throws(PageError) -> PageAddress {
        let whole = self.text
        let start = whole.firstIndex(of: "?").map { String(whole[..<$0]) } ?? whole
        return try PageAddress(start + "?" + query)
    }
}

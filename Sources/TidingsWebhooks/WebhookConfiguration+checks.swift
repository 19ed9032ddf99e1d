internal import NIOHTTP1

extension WebhookConfiguration {
    /// Set by the webhook.
    private static let reservedHeaders = [
        WebhookSignature.idHeader, WebhookSignature.timestampHeader, WebhookSignature.signatureHeader, "content-type",
        "content-length", "transfer-encoding", "connection", "host",
    ]

    /// Throws where a webhook could not be made of it.
    public func validate() throws(WebhookConfigurationError) {
        _ = try self.checked()
    }

    /// Where to post to, and with which headers.
    func checked() throws(WebhookConfigurationError) -> (endpoint: WebhookEndpoint, headers: HTTPHeaders) {
        let endpoint = try WebhookEndpoint(self.url)
        let headers = try self.headers(endpoint)
        guard self.timeout > .zero, self.timeout <= .seconds(3600) else {
            throw WebhookConfigurationError("timeout", "must be more than 0 and at most 1h")
        }
        if case .perSymbol(let count) = self.concurrency, !(1...1000).contains(count) {
            throw WebhookConfigurationError("concurrency", "must be 1...1000, was \(count)")
        }
        return (endpoint, headers)
    }

    private func headers(_ endpoint: WebhookEndpoint) throws(WebhookConfigurationError) -> HTTPHeaders {
        var headers = HTTPHeaders([("content-type", "application/json"), ("user-agent", "tidings")])
        if let authorization = endpoint.authorization { headers.add(name: "authorization", value: authorization) }
        for header in self.headers {
            let field = "headers.\(header.name)"
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(\.isHeaderNameByte) else {
                throw WebhookConfigurationError(field, "is no name of a header")
            }
            guard header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw WebhookConfigurationError(field, "must not hold line breaks or other control characters")
            }
            let name = header.name.lowercased()
            guard !Self.reservedHeaders.contains(name) else {
                throw WebhookConfigurationError(field, "is set by the webhook itself")
            }
            if name == "authorization", endpoint.authorization != nil {
                throw WebhookConfigurationError(field, "the URL has credentials already")
            }
            if name == "user-agent" { headers.remove(name: name) }
            headers.add(name: header.name, value: header.value)
        }
        return headers
    }
}

extension UInt8 {
    /// Whether the byte may stand in the name of a header: a `tchar` of RFC 9110.
    fileprivate var isHeaderNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}

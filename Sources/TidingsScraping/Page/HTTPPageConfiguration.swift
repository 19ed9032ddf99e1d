/// How plain HTTP pages are loaded.
public struct HTTPPageConfiguration: Sendable {
    /// From the beginning of a navigation to the last byte of its page, redirects included.
    public var timeout: Duration = .seconds(30)
    /// For a connection.
    public var connectTimeout: Duration = .seconds(10)
    /// Redirects followed for one navigation.
    public var maximumRedirects = 10
    /// Bytes of a body, after decompression; more end the navigation.
    public var maximumBody = 16 << 20
    /// Whether loopback and private networks may be asked. It is the address at the other end of each connection that
    /// counts, whatever name led there.
    public var allowsPrivateAddresses = false
    public var userAgent = "tidings"
    /// Sent with every request, such as `Accept-Language`.
    public var headers: [(name: String, value: String)] = []
    /// What reading a page may cost.
    public var html = HTMLLimits()

    public init() {}
}

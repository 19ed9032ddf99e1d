/// One tab: what a workflow's actions work on, whether it is plain HTTP or a browser.
///
/// Its functions are for one task at a time; a second call waits for the first.
public protocol Page: Sendable {
    /// Loads an address; a relative one from the page at hand.
    @discardableResult
    func navigate(to address: String) async throws(PageError) -> PageVisit

    /// How the page at hand was reached; nil before the first.
    var visit: PageVisit? { get async }

    /// The page at hand as it is now.
    func document() async throws(PageError) -> HTMLDocument

    /// Follows a link or presses a button: the first of what the selector finds.
    /// - Returns: the new page's visit, or nil where no page was loaded.
    @discardableResult
    func click(_ selector: PageSelector) async throws(PageError) -> PageVisit?

    /// Writes a value into the first field that the selector finds, in place of what is there. The value appears in no log
    /// and no error.
    func fill(_ selector: PageSelector, with value: String) async throws(PageError)

    /// Submits the form that the first of what the selector finds is, or is in.
    @discardableResult
    func submit(_ selector: PageSelector) async throws(PageError) -> PageVisit

    /// Ends what the page holds. What is asked of it afterwards fails with ``PageError/Code/closed``.
    func close() async
}

/// How a page was reached.
public struct PageVisit: Sendable, Hashable {
    /// Where it came from in the end, without a fragment.
    public var address: String
    /// Where redirects led through, in order; without ``address``.
    public var redirects: [String]
    public var status: Int
    /// The value of `Content-Type`.
    public var contentType: String?
    /// The headers of the last answer, names in lower case, without `Set-Cookie`; several of a name are joined by commas.
    public var headers: [String: String]
    /// The value of `Retry-After`, as it was sent.
    public var retryAfter: String?
    /// Of the body, after decompression.
    public var bytes: Int
    /// From the first request to the end of the last body.
    public var duration: Duration
}

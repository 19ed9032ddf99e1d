internal import NIOHTTP1
internal import Tidings

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A page over plain HTTP: no scripts run. Links are followed, forms filled in and sent, cookies kept, and every redirect
/// and every cookie on the way counts, as a login needs it.
///
/// Made by ``HTTPPages/open()``.
public actor HTTPPage: Page {
    private let pages: HTTPPages
    private var jar = CookieJar()
    private var loaded: Loaded?
    private var edits: [HTMLElement: HTMLEdit] = [:]
    private var isClosed = false

    private struct Loaded {
        var address: PageAddress
        var visit: PageVisit
        var body: [UInt8]
        /// Made when it is first asked for.
        var document: HTMLDocument?
    }

    /// What one navigation sends first.
    private struct Request {
        var method = HTTPMethod.GET
        var address: PageAddress
        var body: [UInt8]?
        var contentType: String?
    }

    init(_ pages: HTTPPages) {
        self.pages = pages
    }

    public var visit: PageVisit? { self.loaded?.visit }

    /// The bytes of the page at hand, as they came but for compression: for answers that are no HTML.
    public func body() throws(PageError) -> [UInt8] { try self.current().body }

    /// The names of the cookies that the next request to the page's own address would carry. Values stay inside.
    public var cookieNames: [String] {
        guard let address = self.loaded?.address else { return [] }
        return self.jar.cookies.filter { $0.matches(address) }.map(\.name)
    }

    public func close() {
        self.isClosed = true
        self.loaded = nil
        self.edits = [:]
        self.jar = CookieJar()
    }

    // MARK: Loading

    @discardableResult
    public func navigate(to address: String) async throws(PageError) -> PageVisit {
        try await self.load(Request(address: PageAddress(address, relativeTo: self.loaded?.address)), from: nil)
    }

    private func load(_ first: Request, from referrer: PageAddress?) async throws(PageError) -> PageVisit {
        guard !self.isClosed else { throw PageError(.closed, "the page is closed") }
        let configuration = self.pages.configuration
        let start = ContinuousClock.now
        var (request, redirects) = (first, [String]())
        while true {
            let left = configuration.timeout - (ContinuousClock.now - start)
            guard left > .zero else { throw PageError(.timeout, "\(request.address.origin): no whole answer in time") }
            let headers = self.headers(
                for: request, from: referrer, isElsewhere: request.address.origin != first.address.origin)
            let answer = try await self.pages.send(
                request.method, request.address, headers, body: request.body, within: left)
            self.jar.store(answer.headers["set-cookie"], from: request.address, now: Self.now)
            guard let next = try Self.redirect(answer, of: request) else {
                guard !self.isClosed else { throw PageError(.closed, "the page is closed") }
                return self.keep(answer, request.address, redirects, ContinuousClock.now - start)
            }
            redirects.append(request.address.text)
            guard redirects.count <= configuration.maximumRedirects else {
                throw PageError(
                    .tooManyRedirects,
                    "more than \(configuration.maximumRedirects) redirects, the last one to \(next.address.origin)\(next.address.path)"
                )
            }
            request = next
        }
    }

    private func keep(
        _ answer: HTTPPages.Answer, _ address: PageAddress, _ redirects: [String], _ duration: Duration
    ) -> PageVisit {
        let visit = PageVisit(
            address: address.text, redirects: redirects, status: answer.status,
            contentType: answer.headers.first(name: "content-type"), headers: Self.shown(answer.headers),
            retryAfter: answer.headers.first(name: "retry-after"),
            bytes: answer.body.count, duration: duration)
        self.loaded = Loaded(address: address, visit: visit, body: answer.body)
        self.edits = [:]
        return visit
    }

    /// A session's cookies are nobody else's business.
    private static func shown(_ headers: HTTPHeaders) -> [String: String] {
        var shown: [String: String] = [:]
        for (name, value) in headers where name.lowercased() != "set-cookie" {
            shown[name.lowercased(), default: ""] += shown[name.lowercased()] == nil ? value : ", " + value
        }
        return shown
    }

    private func headers(for request: Request, from referrer: PageAddress?, isElsewhere: Bool) -> HTTPHeaders {
        var headers = HTTPHeaders()
        headers.add(name: "User-Agent", value: self.pages.configuration.userAgent)
        headers.add(name: "Accept", value: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
        let secret: Set<String> = ["authorization", "cookie", "proxy-authorization"]
        for (name, value) in self.pages.configuration.headers where !isElsewhere || !secret.contains(name.lowercased())
        {
            headers.replaceOrAdd(name: name, value: value)
        }
        if let cookies = self.jar.header(for: request.address, now: Self.now) {
            headers.add(name: "Cookie", value: cookies)
        }
        // strict-origin-when-cross-origin; https://www.w3.org/TR/referrer-policy/
        if let referrer, !referrer.isSecure || request.address.isSecure {
            let isSame = referrer.origin == request.address.origin
            headers.add(name: "Referer", value: isSame ? referrer.text : referrer.origin + "/")
        }
        if let contentType = request.contentType { headers.replaceOrAdd(name: "Content-Type", value: contentType) }
        return headers
    }

    /// https://www.rfc-editor.org/rfc/rfc9110#section-15.4; POST becomes GET as browsers have it.
    private static func redirect(_ answer: HTTPPages.Answer, of request: Request) throws(PageError) -> Request? {
        guard [301, 302, 303, 307, 308].contains(answer.status), let location = answer.headers.first(name: "location")
        else { return nil }
        var next = request
        next.address = try PageAddress(location, relativeTo: request.address)
        if answer.status < 307 {
            (next.method, next.body, next.contentType) = (.GET, nil, nil)
        }
        return next
    }

    private static var now: Double { Double(time(nil)) }

    // MARK: Reading

    private func current() throws(PageError) -> Loaded {
        guard !self.isClosed else { throw PageError(.closed, "the page is closed") }
        guard let loaded = self.loaded else { throw PageError(.noPage, "no page has been loaded yet") }
        return loaded
    }

    public func document() throws(PageError) -> HTMLDocument {
        let loaded = try self.current()
        if let document = loaded.document { return document }
        let type = loaded.visit.contentType.map { $0.prefix { $0 != ";" } }.map { String($0).trimmed().lowercased() }
        if let type,
            !["text/html", "application/xhtml+xml", "text/plain", "", "application/xml", "text/xml"].contains(type)
        {
            throw PageError(.content, "\(loaded.visit.address) is \(type) and no HTML")
        }
        do throws(HTMLError) {
            let document = try HTMLDocument(
                bytes: loaded.body, contentType: loaded.visit.contentType, limits: self.pages.configuration.html)
            self.loaded?.document = document
            return document
        } catch {
            throw PageError(.content, "\(loaded.visit.address): \(error.message)")
        }
    }

    /// The first element that a selector finds.
    private func element(_ selector: PageSelector) throws(PageError) -> HTMLElement {
        let document = try self.document()
        let found = try Self.selecting { () throws(SelectorError) in try document.first(selector) }
        guard let found else { throw PageError(.notFound, "nothing on the page matches \(selector)") }
        return found
    }

    private static func selecting<Result>(
        _ body: () throws(SelectorError) -> Result
    ) throws(PageError) -> Result {
        do throws(SelectorError) { return try body() } catch { throw PageError(.selector, error.description) }
    }

    /// What relative addresses on the page start from.
    private func base(_ document: HTMLDocument) throws(PageError) -> PageAddress {
        let address = try self.current().address
        guard let base = document.elements.first(where: { $0.name == "base" && $0.attribute("href") != nil }),
            let href = base.attribute("href")
        else { return address }
        // A base that is none is ignored, as the standard has it.
        return (try? PageAddress(href, relativeTo: address)) ?? address
    }

    // MARK: Doing

    @discardableResult
    public func click(_ selector: PageSelector) async throws(PageError) -> PageVisit? {
        var element = try self.element(selector)
        while !Self.isClickable(element) {
            guard let parent = element.parent else {
                throw PageError(
                    .notPossible, "\(selector) is neither link nor button; what scripts do needs a browser page")
            }
            element = parent
        }
        if element.attribute("disabled") != nil { throw PageError(.notPossible, "\(selector) is disabled") }
        switch element.name {
        case "a", "area": return try await self.follow(element)
        case "label":
            try self.tick(try self.labelled(element, selector), selector)
            return nil
        default: break
        }
        switch element.name == "button"
            ? element.attribute("type")?.lowercased() ?? "submit" : HTMLForm.type(of: element)
        {
        case "checkbox", "radio":
            try self.tick(element, selector)
            return nil
        case "reset":
            let form = try Self.selecting { () throws(SelectorError) in try HTMLForm.of(element) }
            for edited in Array(self.edits.keys) {
                let owner = try Self.selecting { () throws(SelectorError) in try HTMLForm.of(edited) }
                if owner == form { self.edits[edited] = nil }
            }
            return nil
        case "button":
            throw PageError(.notPossible, "\(selector) does nothing without scripts; that needs a browser page")
        default: return try await self.send(formOf: element, pressing: element, selector)
        }
    }

    private static func isClickable(_ element: HTMLElement) -> Bool {
        switch element.name {
        case "a", "area": element.attribute("href") != nil
        case "button", "label": true
        case "input": ["submit", "image", "button", "reset", "checkbox", "radio"].contains(HTMLForm.type(of: element))
        default: false
        }
    }

    private func follow(_ link: HTMLElement) async throws(PageError) -> PageVisit? {
        let href = (link.attribute("href") ?? "").trimmed()
        guard !href.hasPrefix("#") else { return nil }
        let from = try self.current().address
        let target = try PageAddress(href, relativeTo: self.base(link.document))
        guard !target.hasFragment || target.text != from.text else { return nil }
        return try await self.load(Request(address: target), from: from)
    }

    private func labelled(_ label: HTMLElement, _ selector: PageSelector) throws(PageError) -> HTMLElement {
        let field: HTMLElement?
        if let id = label.attribute("for") {
            field = label.document.elements.first { $0.attribute("id") == id }
        } else {
            field = try Self.selecting { () throws(SelectorError) in
                try label.first(PageSelector("input, select, textarea"))
            }
        }
        guard let field else { throw PageError(.notPossible, "\(selector) is a label without a field") }
        return field
    }

    private func tick(_ field: HTMLElement, _ selector: PageSelector) throws(PageError) {
        switch field.name == "input" ? HTMLForm.type(of: field) : "" {
        case "checkbox":
            let isTicked =
                switch self.edits[field] {
                case .ticked(let isTicked): isTicked
                default: field.attribute("checked") != nil
                }
            self.edits[field] = .ticked(!isTicked)
        case "radio":
            let form = try Self.selecting { () throws(SelectorError) in try HTMLForm.of(field) }
            for other in field.document.elements
            where other.name == "input" && HTMLForm.type(of: other) == "radio"
                && other.attribute("name") == field.attribute("name")
            {
                let owner = try Self.selecting { () throws(SelectorError) in try HTMLForm.of(other) }
                if owner == form { self.edits[other] = .ticked(other == field) }
            }
        default: break
        }
    }

    public func fill(_ selector: PageSelector, with value: String) throws(PageError) {
        let field = try self.element(selector)
        let type = field.name == "input" ? HTMLForm.type(of: field) : field.name
        switch type {
        case "checkbox", "radio", "submit", "image", "button", "reset", "file":
            throw PageError(.notPossible, "\(selector) is no field to write into, it is \(field.name) of type \(type)")
        case "select":
            let options = try Self.selecting { () throws(SelectorError) in try field.select(PageSelector("option")) }
            guard options.contains(where: { HTMLForm.value(of: $0) == value || $0.text == value }) else {
                throw PageError(.notPossible, "\(selector) has no such option among its \(options.count)")
            }
        case "textarea": break
        default:
            guard field.name == "input" else {
                throw PageError(.notPossible, "\(selector) is no field to write into, it is \(field.name)")
            }
        }
        self.edits[field] = .text(value)
    }

    @discardableResult
    public func submit(_ selector: PageSelector) async throws(PageError) -> PageVisit {
        let element = try self.element(selector)
        return try await self.send(formOf: element, pressing: nil, selector)
    }

    /// https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#form-submission-algorithm
    private func send(
        formOf element: HTMLElement, pressing submitter: HTMLElement?, _ selector: PageSelector
    ) async throws(PageError) -> PageVisit {
        guard let form = try Self.selecting({ () throws(SelectorError) in try HTMLForm.of(element) }) else {
            throw PageError(.notPossible, "\(selector) is in no form")
        }
        let edits = self.edits
        let entries = try Self.selecting { () throws(SelectorError) in
            try HTMLForm(form: form, edits: edits).entries(pressing: submitter)
        }
        func setting(_ name: String) -> String? { submitter?.attribute("form" + name) ?? form.attribute(name) }
        let from = try self.current().address
        let action = (setting("action") ?? "").trimmed()
        let target = try action.isEmpty ? from : PageAddress(action, relativeTo: self.base(form.document))
        var request = Request(address: target)
        if setting("method")?.lowercased() == "post" {
            request.method = .POST
            if setting("enctype")?.lowercased() == "multipart/form-data" {
                let boundary = "tidings-" + String(UInt64.random(in: .min ... .max), radix: 36)
                request.body = Array(HTMLForm.multipart(entries, boundary: boundary).utf8)
                request.contentType = "multipart/form-data; boundary=\(boundary)"
            } else {
                request.body = Array(HTMLForm.encoded(entries).utf8)
                request.contentType = "application/x-www-form-urlencoded"
            }
        } else {
            request.address = try target.withQuery(HTMLForm.encoded(entries))
        }
        return try await self.load(request, from: from)
    }
}

import Testing

@testable import TidingsScraping

@Suite struct BlockDetectorTests {
    private static let filler = "<p>" + String(repeating: "words ", count: 500)

    private static func examine(
        _ body: String, status: Int = 200, headers: [String: String] = [:], expected: [String] = []
    ) throws -> BlockReport {
        let visit = PageVisit(
            address: "http://x.example/", redirects: [], status: status, contentType: "text/html", headers: headers,
            retryAfter: nil, bytes: body.utf8.count, duration: .zero)
        return try BlockDetector().examine(
            HTMLDocument(text: body), visit: visit, expected: expected.map { try PageSelector($0) })
    }

    @Test func `every selector of the table can be read`() throws {
        for marker in BlockMarker.all {
            if case .element(let text) = marker.place { _ = try PageSelector(text) }
        }
    }

    @Test(arguments: [
        ("<title>Just a moment...</title><script>window._cf_chl_opt={}</script>", 403, "turnstile"),
        ("<div id=challenge-stage></div>", 200, "turnstile"), ("<div id=px-captcha></div>", 403, "perimeterx"),
        (
            "<script>var dd={'rt':'c'}</script><script src=https://ct.captcha-delivery.com/c.js></script>", 403,
            "datadome"
        ),
        ("<iframe src=/_Incapsula_Resource?x=1></iframe>", 200, "imperva"),
        ("Access Denied Reference #18.2d351ab8 https://errors.edgesuite.net/18.2d", 403, "akamai"),
        ("<form action=/errors/validateCaptcha><input id=captchacharacters></form>", 200, "amazon"),
        ("<div class=g-recaptcha data-sitekey=6Lxxx></div>", 429, "recaptcha"),
        ("<div class=h-captcha></div>", 403, "hcaptcha"), ("<div class=cf-turnstile></div>", 503, "turnstile"),
    ])
    func `a vendor's page is blocked`(body: String, status: Int, vendor: String) throws {
        let report = try Self.examine(body + Self.filler, status: status)
        #expect(report.isBlocked, "\(report)")
        #expect(report.vendor?.rawValue == vendor)
        #expect(!report.evidence.isEmpty)
    }

    @Test(arguments: [
        "<form><input type=password><div class=g-recaptcha data-sitekey=6Lxxx></div></form>",
        "<div class=grecaptcha-badge></div><script src=https://www.google.com/recaptcha/api.js?render=6L></script>",
        "<script src=https://js.hcaptcha.com/1/api.js></script>",
        "<script src=/cdn-cgi/challenge-platform/h/b/x.js></script>",
        "<script>window._pxAppId='PX1'</script>", "<p>nothing at all",
    ])
    func `a vendor on a page that works blocks nothing`(body: String) throws {
        let headers = ["cf-ray": "1", "x-datadome": "1", "server": "cloudflare"]
        #expect(try !Self.examine(body + Self.filler, headers: headers).isBlocked)
    }

    @Test func `a captcha is reported whether it blocks or not`() throws {
        let form = try Self.examine("<div class=h-captcha></div>" + Self.filler)
        #expect(form.hasCaptcha && form.vendor == .hcaptcha && !form.isBlocked)
        let missing = try Self.examine("<div class=h-captcha></div>" + Self.filler, expected: [".price", ".none"])
        #expect(missing.hasCaptcha && missing.isBlocked)
        #expect(try !Self.examine("<b class=price>1</b>" + Self.filler).hasCaptcha)
    }

    @Test func `a header, a status or a missing element alone is no block`() throws {
        #expect(try Self.examine(Self.filler, headers: ["cf-mitigated": "challenge"]).isBlocked)
        #expect(try !Self.examine(Self.filler, headers: ["cf-ray": "1"]).isBlocked)
        #expect(try !Self.examine(Self.filler, status: 403).isBlocked)
        #expect(try !Self.examine(Self.filler, status: 404, expected: [".price"]).isBlocked)
        #expect(try Self.examine("<p>x", status: 403, expected: [".price"]).isBlocked)
        #expect(try Self.examine("<p>x", status: 200).evidence.isEmpty)
    }
}

/// One sign of a vendor.
struct BlockMarker: Sendable {
    enum Strength: Double, Sendable {
        /// The vendor looks on: its script, its header.
        case presence = 0.1
        /// A captcha is on the page, which may be one of a form on a page that works.
        case captcha = 0.5
        /// The page is the vendor's.
        case challenge = 0.6
    }

    enum Place: Sendable {
        /// A CSS selector.
        case element(String)
        /// In the page's markup, in this case.
        case markup(String)
        /// In the title, in either case.
        case title(String)
        /// In the value of a header, in lower case; any value where empty.
        case header(String, String)
    }

    let vendor: BlockVendor
    let strength: Strength
    let place: Place

    private init(_ vendor: BlockVendor, _ strength: Strength, _ place: Place) {
        (self.vendor, self.strength, self.place) = (vendor, strength, place)
    }

    var name: String {
        switch self.place {
        case .element(let selector): selector
        case .markup(let text): text
        case .title(let text): "title:\(text)"
        case .header(let name, _): "header:\(name)"
        }
    }

    static let all: [BlockMarker] = [
        BlockMarker(.recaptcha, .captcha, .element(".g-recaptcha:not(.grecaptcha-badge)")),
        BlockMarker(.recaptcha, .captcha, .element("[data-sitekey^='6L']")),
        BlockMarker(.recaptcha, .captcha, .element("iframe[src*='recaptcha']")),
        BlockMarker(.recaptcha, .presence, .element("script[src*='google.com/recaptcha/']")),
        BlockMarker(.recaptcha, .presence, .element("script[src*='recaptcha.net/']")),
        BlockMarker(.recaptcha, .presence, .element(".grecaptcha-badge")),
        BlockMarker(.hcaptcha, .captcha, .element("[class*='h-captcha']")),
        BlockMarker(.hcaptcha, .captcha, .element("[data-hcaptcha-response]")),
        BlockMarker(.hcaptcha, .captcha, .element("iframe[src*='newassets.hcaptcha.com']")),
        BlockMarker(.hcaptcha, .presence, .element("script[src*='hcaptcha.com/1/api.js']")),
        BlockMarker(.turnstile, .captcha, .element("[class*='cf-turnstile']")),
        BlockMarker(.turnstile, .captcha, .element("[id^='cf-chl-widget']")),
        BlockMarker(.turnstile, .captcha, .element("iframe[src*='challenges.cloudflare.com']")),
        BlockMarker(.turnstile, .challenge, .element("#challenge-running, #challenge-stage")),
        BlockMarker(.turnstile, .challenge, .markup("_cf_chl_opt")),
        BlockMarker(.turnstile, .challenge, .title("just a moment")),
        BlockMarker(.turnstile, .challenge, .header("cf-mitigated", "challenge")),
        BlockMarker(.turnstile, .presence, .markup("/cdn-cgi/challenge-platform/")),
        BlockMarker(.turnstile, .presence, .header("cf-ray", "")),
        BlockMarker(
            .datadome, .challenge, .element("iframe[src*='captcha-delivery.com'], script[src*='captcha-delivery.com']")),
        BlockMarker(.datadome, .challenge, .markup("var dd={'rt'")),
        BlockMarker(.datadome, .presence, .header("x-datadome", "")),
        BlockMarker(.datadome, .presence, .header("x-dd-b", "")),
        BlockMarker(.datadome, .presence, .header("server", "datadome")),
        BlockMarker(.perimeterx, .challenge, .element("#px-captcha")),
        BlockMarker(.perimeterx, .challenge, .markup("_pxCaptcha")),
        BlockMarker(.perimeterx, .presence, .markup("window._pxAppId")),
        BlockMarker(.imperva, .challenge, .element("iframe[src*='_Incapsula_Resource']")),
        BlockMarker(.imperva, .challenge, .markup("Incapsula incident ID")),
        BlockMarker(.akamai, .challenge, .markup("errors.edgesuite.net")),
        BlockMarker(.akamai, .challenge, .markup("Reference #18.")),
        BlockMarker(.akamai, .presence, .header("server", "akamaighost")),
        BlockMarker(.amazon, .challenge, .element("form[action*='validateCaptcha']")),
        BlockMarker(.amazon, .challenge, .element("#captchacharacters")),
    ]
}

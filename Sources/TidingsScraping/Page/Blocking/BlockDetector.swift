/// Judges whether a page is the one asked for or one that keeps robots out, by weighing what is on it.
///
/// | found | weight |
/// |---|---|
/// | a page of a vendor's own (`_cf_chl_opt`, `#px-captcha`, "Just a moment") | 0.6 |
/// | a captcha (`.g-recaptcha`, `.h-captcha`, `.cf-turnstile`), which a form on a good page may have too | 0.5 |
/// | status 403, 429 or 503 | 0.3 |
/// | what was expected is missing | 0.2 |
/// | a script or header of a vendor | 0.1 |
/// | less than 2 kB of markup | 0.1 |
///
/// Each line counts once, and of the three kinds of vendors' markers only the strongest. At 0.6 a page is blocked.
public struct BlockDetector: Sendable {
    private static let fewBytes = 2_000

    private let elements: [(marker: BlockMarker, selector: PageSelector)]
    private let others: [BlockMarker]

    public init() {
        var elements: [(BlockMarker, PageSelector)] = []
        var others: [BlockMarker] = []
        for marker in BlockMarker.all {
            // Those of the table can all be read; a test sees to it.
            if case .element(let text) = marker.place, let selector = try? PageSelector(text) {
                elements.append((marker, selector))
            } else {
                others.append(marker)
            }
        }
        (self.elements, self.others) = (elements, others)
    }

    /// - Parameters:
    ///   - document: what came.
    ///   - visit: how.
    ///   - expected: what a good page has at least one of; nothing where nobody knows.
    /// - Throws: ``SelectorError`` where searching the page takes too much work.
    public func examine(
        _ document: HTMLDocument, visit: PageVisit, expected: [PageSelector] = []
    ) throws(SelectorError) -> BlockReport {
        var found: [BlockMarker] = []
        for (marker, selector) in self.elements where try document.first(selector) != nil { found.append(marker) }
        let markup = Array(document.html.utf8)
        let title = document.title?.lowercased() ?? ""
        for marker in self.others where Self.matches(marker, markup, title, visit.headers) { found.append(marker) }

        var report = BlockReport(score: 0, vendor: nil, hasCaptcha: false, evidence: [])
        if [403, 429, 503].contains(visit.status) {
            report.score += 0.3
            report.evidence.append("status:\(visit.status)")
        }
        var strongest = 0.0
        for strength in [BlockMarker.Strength.challenge, .captcha, .presence] {
            let markers = found.filter { $0.strength == strength }
            guard let first = markers.first else { continue }
            report.vendor = report.vendor ?? first.vendor
            report.evidence += markers.map { "\($0.vendor.rawValue):\($0.name)" }
            if strength == .captcha { report.hasCaptcha = true }
            // A captcha's own script beside it says no more.
            strongest = max(strongest, strength.rawValue)
        }
        report.score += strongest
        // Amazon's and PerimeterX's own pages are captchas themselves.
        if found.contains(where: { $0.strength == .challenge && [.amazon, .perimeterx, .datadome].contains($0.vendor) })
        {
            report.hasCaptcha = true
        }
        if !expected.isEmpty {
            var isThere = false
            for selector in expected where !isThere { isThere = try document.first(selector) != nil }
            if !isThere {
                report.score += 0.2
                report.evidence.append("expected:missing")
            }
        }
        if visit.bytes < Self.fewBytes, !report.evidence.isEmpty {
            report.score += 0.1
            report.evidence.append("bytes:\(visit.bytes)")
        }
        return report
    }

    private static func matches(
        _ marker: BlockMarker, _ markup: [UInt8], _ title: String, _ headers: [String: String]
    ) -> Bool {
        switch marker.place {
        case .element: false
        case .markup(let text): ByteSearch.contains(markup, Array(text.utf8))
        case .title(let text): ByteSearch.contains(Array(title.utf8), Array(text.utf8))
        case .header(let name, let value):
            headers[name].map { value.isEmpty || $0.lowercased().contains(value) } ?? false
        }
    }
}

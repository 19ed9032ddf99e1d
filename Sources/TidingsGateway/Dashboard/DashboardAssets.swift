import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// The dashboard's files, which are part of the program.
enum DashboardAssets {
    struct Asset: Sendable {
        let body: ByteBuffer
        let contentType: String
        let entityTag: String

        init(_ bytes: [UInt8], _ contentType: String) {
            self.body = ByteBuffer(bytes: bytes)
            self.contentType = contentType
            var hash = StableHash()
            bytes.withUnsafeBytes { hash.combine($0) }
            let digest = hash.finish()
            self.entityTag = "\"\(String(digest.high, radix: 16))\(String(digest.low, radix: 16))\""
        }
    }

    private static let script = "text/javascript; charset=utf-8"

    /// By file name; `index.html` is also what `/` answers.
    static let all: [String: Asset] = {
        var assets: [String: Asset] = [
            "index.html": Asset(PackageResources.index_html, "text/html; charset=utf-8"),
            "style.css": Asset(PackageResources.style_css, "text/css; charset=utf-8"),
            "icon.svg": Asset(PackageResources.icon_svg, "image/svg+xml"),
            "app.js": Asset(PackageResources.app_js, Self.script),
            "book.js": Asset(PackageResources.book_js, Self.script),
            "candles.js": Asset(PackageResources.candles_js, Self.script),
            "chart.js": Asset(PackageResources.chart_js, Self.script),
            "connectors.js": Asset(PackageResources.connectors_js, Self.script),
            "decimal.js": Asset(PackageResources.decimal_js, Self.script),
            "details.js": Asset(PackageResources.details_js, Self.script),
            "dom.js": Asset(PackageResources.dom_js, Self.script),
            "event.js": Asset(PackageResources.event_js, Self.script),
            "events.js": Asset(PackageResources.events_js, Self.script),
            "filter.js": Asset(PackageResources.filter_js, Self.script),
            "format.js": Asset(PackageResources.format_js, Self.script),
            "health.js": Asset(PackageResources.health_js, Self.script),
            "json.js": Asset(PackageResources.json_js, Self.script),
            "letters.js": Asset(PackageResources.letters_js, Self.script),
            "markets.js": Asset(PackageResources.markets_js, Self.script),
            "notices.js": Asset(PackageResources.notices_js, Self.script),
            "paint.js": Asset(PackageResources.paint_js, Self.script),
            "pretty.js": Asset(PackageResources.pretty_js, Self.script),
            "prices.js": Asset(PackageResources.prices_js, Self.script),
            "rates.js": Asset(PackageResources.rates_js, Self.script),
            "ring.js": Asset(PackageResources.ring_js, Self.script),
            "router.js": Asset(PackageResources.router_js, Self.script),
            "server.js": Asset(PackageResources.server_js, Self.script),
            "session.js": Asset(PackageResources.session_js, Self.script),
            "socket.js": Asset(PackageResources.socket_js, Self.script),
            "summary.js": Asset(PackageResources.summary_js, Self.script),
            "table.js": Asset(PackageResources.table_js, Self.script),
            "trace.js": Asset(PackageResources.trace_js, Self.script),
            "traffic.js": Asset(PackageResources.traffic_js, Self.script),
        ]
        // Without it the page says so, and everything but the charts works.
        let charts = PackageResources.lightweight_charts_js
        if !charts.isEmpty { assets["lightweight-charts.js"] = Asset(charts, Self.script) }
        return assets
    }()

    static var routes: [HTTPRoute] {
        let pages = self.all.sorted { $0.key < $1.key }.map { name, asset in
            HTTPRoute("/\(name)", [.get: .page { self.answer($0, asset) }])
        }
        guard let index = self.all["index.html"] else { return pages }
        return [HTTPRoute("/", [.get: .page { self.answer($0, index) }])] + pages
    }

    private static func answer(_ call: HTTPCall, _ asset: Asset) -> Response {
        var headers = self.securityHeaders
        headers[.eTag] = asset.entityTag
        headers[.cacheControl] = "no-cache"
        let known = (call.request.headers[.ifNoneMatch] ?? "").split(separator: ",").map { tag in
            let tag = tag.filter { $0 != " " }
            return tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag
        }
        if known.contains(asset.entityTag) || known == ["*"] {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = asset.contentType
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: asset.body))
    }

    /// Nothing but our own files runs in the page, and nobody frames it.
    private static let securityHeaders: HTTPFields = {
        var headers: HTTPFields = [
            .contentSecurityPolicy:
                "default-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
                + "frame-ancestors 'none'; form-action 'none'"
        ]
        for (name, value) in [
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
            ("X-Frame-Options", "DENY"),
        ] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return headers
    }()
}

/// What is embedded only if `make` has fetched it (`scripts/fetch-charts.sh`): a file that lies beside the others when the
/// program is built becomes a member of `PackageResources`, which then is what the name means; else it is this one.
private protocol FetchedResources {
    static var lightweight_charts_js: [UInt8] { get }
}

extension FetchedResources {
    static var lightweight_charts_js: [UInt8] { [] }
}

extension PackageResources: FetchedResources {}

import Foundation
import NIOHTTP1
import Testing
import TidingsScraping

@Suite(.timeLimit(.minutes(1)))
struct HTTPPageTests {
    private static func with(
        _ answer: @escaping @Sendable (PageServer.Request) -> PageServer.Reply,
        _ body: (HTTPPage, PageServer) async throws -> Void
    ) async throws {
        try await Self.with(changing: { _ in }, answer, body)
    }

    private static func with(
        changing change: (inout HTTPPageConfiguration) -> Void,
        _ answer: @escaping @Sendable (PageServer.Request) -> PageServer.Reply,
        _ body: (HTTPPage, PageServer) async throws -> Void
    ) async throws {
        var configuration = HTTPPageConfiguration()
        configuration.allowsPrivateAddresses = true
        change(&configuration)
        try await PageServer.with(answer) { server in
            let pages = HTTPPages(configuration)
            do {
                try await body(pages.open(), server)
            } catch {
                try? await pages.shutdown()
                throw error
            }
            try await pages.shutdown()
        }
    }

    private static func code(_ body: () async throws -> Void) async -> PageError.Code? {
        do { try await body() } catch { return (error as? PageError)?.code }
        return nil
    }

    // MARK: Loading

    @Test func `a page is loaded with how it was reached`() async throws {
        try await Self.with(changing: { $0.headers = [("Accept-Language", "en")] }) { _ in
            .html("<title>Hello</title><base href='/sub/'><a href=x>go</a>", [("Retry-After", "3")])
        } _: { page, server in
            #expect(await page.visit == nil)
            let visit = try await page.navigate(to: server.url + "/a?b=c d#e")
            #expect(visit.address == server.url + "/a?b=c%20d")
            #expect(visit.status == 200 && visit.redirects.isEmpty && visit.bytes == 55 && visit.retryAfter == "3")
            #expect(try await page.document().title == "Hello")
            try await page.click(PageSelector("a"))
            #expect(server.requests.map(\.path) == ["/a", "/sub/x"])
            #expect(server.requests[0].headers["user-agent"] == ["tidings"])
            #expect(server.requests[0].headers["accept-language"] == ["en"])
            #expect(server.requests[0].headers["referer"].isEmpty)
            #expect(server.requests[1].headers["referer"] == [server.url + "/a?b=c%20d"])
        }
    }

    @Test func `an error's page is a page too`() async throws {
        try await Self.with { _ in
            .init(status: 404, body: Array("<h1>gone".utf8))
        } _: { page, server in
            let visit = try await page.navigate(to: server.url)
            #expect(visit.status == 404)
            #expect(try await page.document().first(PageSelector("h1"))?.text == "gone")
        }
    }

    @Test func `the charset of the answer is heeded`() async throws {
        try await Self.with { _ in
            .init(headers: [("Content-Type", "text/html; charset=windows-1251")], body: [0xCF, 0xF0, 0xE8])
        } _: { page, server in
            try await page.navigate(to: server.url)
            #expect(try await page.document().root?.text == "При")
            #expect(try await page.body() == [0xCF, 0xF0, 0xE8])
        }
    }

    @Test func `what is no HTML has bytes and no tree`() async throws {
        try await Self.with { _ in
            .init(headers: [("Content-Type", "application/json")], body: Array("{}".utf8))
        } _: { page, server in
            try await page.navigate(to: server.url)
            #expect(try await page.body() == Array("{}".utf8))
            #expect(await Self.code { _ = try await page.document() } == .content)
        }
    }

    // MARK: Redirects

    @Test func `redirects are followed, their cookies kept, and POST becomes GET where browsers make it so`()
        async throws
    {
        try await Self.with { request in
            switch request.path {
            case "/login" where request.method == "POST":
                .redirect(302, "/step", [("Set-Cookie", "session=s1; Path=/; HttpOnly")])
            case "/step": .redirect(303, "home", [("Set-Cookie", "seen=1")])
            case "/keep": .redirect(307, "/end")
            case "/home", "/end": .html("<p>\(request.method) \(request.headers["cookie"].joined()) \(request.body)")
            default:
                .html(
                    "<form method=post action=/login><input name=u value=me></form><form method=post action=/keep id=k><input name=a value=1></form>"
                )
            }
        } _: { page, server in
            try await page.navigate(to: server.url)
            let visit = try await page.submit(PageSelector("input[name=u]"))
            #expect(visit.address == server.url + "/home")
            #expect(visit.redirects == [server.url + "/login", server.url + "/step"])
            #expect(try await page.document().first(PageSelector("p"))?.text == "GET session=s1; seen=1")
            #expect(await page.cookieNames == ["session", "seen"])
            try await page.navigate(to: "/")
            try await page.submit(PageSelector("#k"))
            #expect(try await page.document().first(PageSelector("p"))?.text == "POST session=s1; seen=1 a=1")
        }
    }

    @Test func `redirects without end are given up`() async throws {
        try await Self.with(changing: { $0.maximumRedirects = 5 }) { _ in
            .redirect(302, "/again")
        } _: { page, server in
            #expect(await Self.code { try await page.navigate(to: server.url) } == .tooManyRedirects)
            #expect(server.requests.count == 6)
            #expect(await page.visit == nil)
        }
    }

    @Test func `a redirect to something else than a web page is refused`() async throws {
        try await Self.with { _ in
            .redirect(302, "file:///etc/passwd")
        } _: { page, server in
            #expect(await Self.code { try await page.navigate(to: server.url) } == .address)
        }
    }

    @Test func `secrets of the configuration do not follow a redirect elsewhere`() async throws {
        try await PageServer.with { _ in
            .html("<p>other")
        } _: { other in
            let target = other.url + "/x"
            try await Self.with(changing: { $0.headers = [("Authorization", "Basic abc"), ("X-A", "1")] }) { _ in
                .redirect(302, target)
            } _: { page, server in
                try await page.navigate(to: server.url)
                #expect(server.requests[0].headers["authorization"] == ["Basic abc"])
                #expect(other.requests[0].headers["authorization"].isEmpty)
                #expect(other.requests[0].headers["x-a"] == ["1"])
            }
        }
    }

    // MARK: Limits

    @Test func `a body without end is left at the limit`() async throws {
        try await Self.with(changing: { $0.maximumBody = 1 << 20 }) { _ in
            .init(endless: true)
        } _: { page, server in
            #expect(await Self.code { try await page.navigate(to: server.url) } == .bodyTooLarge)
        }
    }

    @Test func `a small body that unpacks to a huge one is left at the limit`() async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "head -c 200000000 /dev/zero | gzip -1"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let packed = Array(pipe.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        #expect(packed.count > 100_000 && packed.count < 5_000_000)
        try await Self.with(changing: { $0.maximumBody = 8 << 20 }) { _ in
            .init(headers: [("Content-Type", "text/html"), ("Content-Encoding", "gzip")], body: packed)
        } _: { page, server in
            #expect(await Self.code { try await page.navigate(to: server.url) } == .bodyTooLarge)
        }
    }

    @Test func `a server that says nothing runs into the time limit`() async throws {
        try await Self.with(changing: { $0.timeout = .milliseconds(200) }) { _ in
            .init(isSilent: true)
        } _: { page, server in
            let start = ContinuousClock.now
            #expect(await Self.code { try await page.navigate(to: server.url) } == .timeout)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test func `a body that never ends though slowly runs into the time limit as well`() async throws {
        try await Self.with(changing: {
            $0.timeout = .milliseconds(300)
            $0.maximumBody = .max / 2
        }) { _ in
            .init(endless: true)
        } _: { page, server in
            #expect(await Self.code { try await page.navigate(to: server.url) } == .timeout)
        }
    }

    @Test func `a connection that breaks or is refused is an error and leaves the page as it was`() async throws {
        try await Self.with { request in
            request.path == "/" ? .html("<p>first") : .init(body: Array("<p>half".utf8), breaks: true)
        } _: { page, server in
            try await page.navigate(to: server.url)
            #expect(await Self.code { try await page.navigate(to: "/broken") } == .connection)
            #expect(await Self.code { try await page.navigate(to: "http://127.0.0.1:1/") } == .connection)
            #expect(try await page.document().first(PageSelector("p"))?.text == "first")
        }
    }

    // MARK: Addresses

    @Test(arguments: [
        "http://127.0.0.1:PORT/", "http://localhost:PORT/", "http://[::1]:PORT/", "http://0.0.0.0:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/",
    ])
    func `private addresses are refused by whatever name`(address: String) async throws {
        try await Self.with(changing: { $0.allowsPrivateAddresses = false }) { _ in
            .html("secret")
        } _: { page, server in
            let code = await Self.code {
                try await page.navigate(to: address.replacing("PORT", with: "\(server.port)"))
            }
            // Nobody listens on ::1, which a name may try first.
            #expect(code == .privateAddress || address.contains("localhost") && code == .connection)
            #expect(server.requests.isEmpty)
        }
    }

    @Test(arguments: [
        "", "nonsense", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "http://",
        "http://user:pw@127.0.0.1/",
    ])
    func `an address that cannot be loaded is refused before anything is sent`(address: String) async throws {
        try await Self.with { _ in
            .html("")
        } _: { page, _ in
            let error = await #expect(throws: PageError.self) { try await page.navigate(to: address) }
            #expect(error?.code == .address)
            #expect(error?.message.contains("pw") == false)
        }
    }

    // MARK: Doing

    private static let form = """
        <form action=/search><input name=q value="a b"><input name=empty><input type=hidden name=h value="é&=">
        <input type=checkbox name=c1 checked><input type=checkbox name=c2 value=two id=c2><label for=c2><b>Two</b></label>
        <input type=radio name=r value=1 checked><input type=radio name=r value=2 id=r2><select name=s><option>x<option value=Y>why</select>
        <select name=m multiple><option selected>1<option selected>2<option>3</select><textarea name=t>
        line one
        two</textarea><input name=off disabled><input type=file name=f><button name=b value=go>Go <i>now</i></button>
        <button name=p value=post formmethod=post formaction=/posted id=post>Post</button><button type=button id=idle>Idle</button>
        <button id=mp formmethod=post formenctype=multipart/form-data formaction=/multi>M</button><input type=submit disabled id=dis></form>
        <a id=top href="#top"><span>Top</span></a><a id=js href="javascript:x()">J</a><p>text</p>
        """

    @Test func `a form sends what a browser would send`() async throws {
        try await Self.with { _ in
            .html(Self.form)
        } _: { page, server in
            try await page.navigate(to: server.url)
            try await page.click(PageSelector("text=now"))
            #expect(server.requests[1].path == "/search")
            #expect(
                server.requests[1].query
                    == "q=a+b&empty=&h=%C3%A9%26%3D&c1=on&r=1&s=x&m=1&m=2&t=line+one%0D%0Atwo&f=&b=go")
        }
    }

    @Test func `what is filled in and ticked is sent`() async throws {
        try await Self.with { _ in
            .html(Self.form)
        } _: { page, server in
            try await page.navigate(to: server.url)
            try await page.fill(PageSelector("[name=q]"), with: "new & old")
            try await page.fill(PageSelector("textarea"), with: "T")
            try await page.fill(PageSelector("[name=s]"), with: "why")
            try await page.click(PageSelector("[name=c1]"))
            try await page.click(PageSelector("label >> text=Two"))
            try await page.click(PageSelector("#r2"))
            try await page.click(PageSelector("#post"))
            let request = server.requests[1]
            #expect(request.method == "POST" && request.path == "/posted" && request.query.isEmpty)
            #expect(request.headers["content-type"] == ["application/x-www-form-urlencoded"])
            #expect(request.body == "q=new+%26+old&empty=&h=%C3%A9%26%3D&c2=two&r=2&s=Y&m=1&m=2&t=T&f=&p=post")
            // A new page knows nothing of it.
            try await page.submit(PageSelector("form"))
            #expect(server.requests[2].query.hasPrefix("q=a+b&"))
            try await page.click(PageSelector("#mp"))
            #expect(server.requests[3].body.contains("Content-Disposition: form-data; name=\"q\"\r\n\r\na b\r\n"))
            #expect(
                server.requests[3].headers["content-type"].first?.hasPrefix("multipart/form-data; boundary=") == true)
        }
    }

    @Test func `what plain HTTP cannot do is said`() async throws {
        try await Self.with { _ in
            .html(Self.form)
        } _: { page, server in
            #expect(await Self.code { _ = try await page.document() } == .noPage)
            try await page.navigate(to: server.url)
            #expect(try await page.click(PageSelector("text=Top")) == nil)
            #expect(await Self.code { try await page.click(PageSelector("#js")) } == .address)
            #expect(await Self.code { try await page.click(PageSelector("#idle")) } == .notPossible)
            #expect(await Self.code { try await page.click(PageSelector("#dis")) } == .notPossible)
            #expect(await Self.code { try await page.click(PageSelector("p")) } == .notPossible)
            #expect(await Self.code { try await page.click(PageSelector(".nowhere")) } == .notFound)
            #expect(await Self.code { try await page.fill(PageSelector("p"), with: "x") } == .notPossible)
            #expect(await Self.code { try await page.fill(PageSelector("[name=s]"), with: "no such") } == .notPossible)
            #expect(await Self.code { try await page.submit(PageSelector("p")) } == .notPossible)
            #expect(server.requests.count == 1)
            await page.close()
            #expect(await Self.code { try await page.navigate(to: server.url) } == .closed)
        }
    }

    // MARK: The guide

    /// The example of `docs/scraping.md`, as it stands there but for the address.
    @Test func `the guide's example logs in and finds its items`() async throws {
        try await Self.with { request in
            switch (request.path, request.headers["cookie"].first) {
            case ("/login", _) where request.method == "POST":
                request.body == "user=me&pass=s%2Bt"
                    ? .redirect(302, "/", [("Set-Cookie", "session=x; Path=/")]) : .html("<p>wrong")
            case ("/login", _):
                .html("<form method=post><input id=user name=user><input id=password name=pass type=password></form>")
            case ("/catalogue", "session=x"): .html(SamplePages.catalogue)
            default: .html("<p>who?")
            }
        } _: { page, server in
            let (name, password) = ("me", "s+t")
            try await page.navigate(to: server.url + "/login")
            try await page.fill(PageSelector("#user"), with: name)
            try await page.fill(PageSelector("#password"), with: password)
            try await page.submit(PageSelector("#password"))

            try await page.navigate(to: "/catalogue")
            var found: [String] = []
            for item in try await page.document().select(PageSelector("article.item:has(.price)")) {
                let title = try item.first(PageSelector("h2 a"))?.text
                let price = try item.first(PageSelector(".price.new, .price:not(.old)"))?.text
                found.append("\(title ?? "?") \(price ?? "?")")
            }
            #expect(found == ["First Book £ 10.00", "Second book £ 9.50"])
        }
    }
}

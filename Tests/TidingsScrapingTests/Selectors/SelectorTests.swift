import Testing
import TidingsScraping

@Suite struct SelectorTests {
    private static func texts(_ selector: String, _ page: String = SamplePages.catalogue) throws -> [String] {
        try HTMLDocument(text: page).select(PageSelector(selector)).map(\.text)
    }

    private static func ids(_ selector: String) throws -> [String?] {
        try HTMLDocument(text: SamplePages.catalogue).select(PageSelector(selector)).map { $0.attribute("id") }
    }

    // MARK: Text

    @Test func `has-text looks anywhere inside and in either case`() throws {
        #expect(try Self.ids("article:has-text('SECOND  BOOK')") == ["i2"])
        #expect(try Self.ids("article:has-text(book)") == ["i1", "i2"])
        #expect(try Self.ids("article:not(:has-text(\"book\"))") == ["i3"])
        #expect(try Self.ids("article:contains('Book')") == ["i1"])
        #expect(try Self.ids("article:has(h2:has-text('third'))") == ["i3"])
    }

    @Test func `text= finds the smallest elements`() throws {
        let page =
            "<div>Sign <b>in</b> now</div><p>sign in</p><p>Sign in</p><input type=submit value='Sign in'><script>'Sign in'</script>"
        func names(_ selector: String) throws -> [String] {
            try HTMLDocument(text: page).select(PageSelector(selector)).map(\.name)
        }
        #expect(try names("text=sign IN") == ["div", "p", "p", "input"])
        #expect(try names("text=\"Sign in\"") == ["p", "input"])
        #expect(try names("'Sign in'") == ["p", "input"])
        #expect(try names(":text('in')") == ["b", "p", "p", "input"])
        #expect(try names("p:text-is('sign in')") == ["p"])
        #expect(try names("text=nothing").isEmpty)
    }

    // MARK: Chains

    @Test func `each part of a chain searches inside what the one before found`() throws {
        #expect(try Self.texts(".item >> h2 >> text=book") == ["First Book", "Second book"])
        #expect(try Self.ids("text=Second book >> xpath=ancestor::article") == ["i2"])
        #expect(try Self.texts("main >> css=.price >> nth=-1") == ["£ 9.50"])
        #expect(try Self.texts("nav >> //a >> nth=1") == ["Books"])
        #expect(try Self.texts("nav >> //a >> nth=3").isEmpty)
        #expect(try Self.ids("article >> ..>> article >> nth=0") == ["i1"])
        #expect(try Self.ids("id=i2") == ["i2"])
        // Found twice, given once.
        #expect(try Self.texts("div >> .deep >> span") == ["x", "y"])
    }

    @Test func `a chain is cut only outside quotes and brackets`() throws {
        let page = "<p title='a >> b'>It's a >> b</p><p>Don't</p>"
        #expect(try Self.texts("[title='a >> b']", page) == ["It's a >> b"])
        #expect(try Self.texts("p:has-text('a >> b')", page) == ["It's a >> b"])
        #expect(try Self.texts("text=Don't >> nth=0", page) == ["Don't"])
    }

    // MARK: Inside an element

    @Test func `an element is searched as querySelectorAll searches it`() throws {
        let page = try HTMLDocument(text: SamplePages.catalogue)
        let item = try #require(try page.first(PageSelector("#i2")))
        #expect(try item.select(PageSelector("main .price")).map(\.text) == ["£ 12.00", "£ 9.50"])
        #expect(try item.select(PageSelector(":scope > .price")).count == 2)
        #expect(try item.select(PageSelector("> .price")).count == 2)
        #expect(try item.select(PageSelector("> a")).isEmpty)
        #expect(try item.select(PageSelector("+ article")).map { $0.attribute("id") } == ["i3"])
        #expect(try item.select(PageSelector("~ article, > h2")).map(\.name) == ["h2", "article"])
        #expect(try item.select(PageSelector("//a")).map(\.text) == ["Second book"])
        #expect(try item.select(PageSelector("..")).map { $0.attribute("class") } == ["items"])
        #expect(try item.first(PageSelector("#i1")) == nil)
    }

    @Test func `classes and ids of a page without a doctype match in either case`() throws {
        #expect(try Self.texts(".A#I", "<p class=a id=i>x") == ["x"])
        #expect(try Self.texts(".A#I", "<!doctype html><p class=a id=i>x").isEmpty)
    }

    // MARK: XPath

    @Test func `an XPath sees the same tree`() throws {
        #expect(try Self.texts("//article[h2/a]/h2") == ["First Book", "Second book"])
        #expect(try Self.texts("(//li)[last()]") == ["5"])
        #expect(try Self.texts("xpath=//p[@class='price new']") == ["£ 9.50"])
        #expect(try Self.texts("//table/tbody/tr/td", "<table><tr><td>1") == ["1"])
        #expect(try Self.texts("//svg//p", SamplePages.tables) == ["in svg"])
        #expect(try Self.texts("//template//p").isEmpty)
    }

    @Test func `an XPath may give attributes, texts and values`() throws {
        let page = try HTMLDocument(text: "<!--c--><a href=/x>one <b>two</b></a>")
        #expect(try page.evaluate(XPath("//a/@href")) == .nodes([.attribute(name: "href", value: "/x")]))
        #expect(try page.evaluate(XPath("//a/text()")) == .nodes([.text("one ")]))
        #expect(try page.evaluate(XPath("string(//a)")) == .string("one two"))
        #expect(try page.evaluate(XPath("count(//*)")) == .number(5))
        #expect(try page.evaluate(XPath("boolean(//i)")) == .boolean(false))
        #expect(try page.evaluate(XPath("//comment()")) == .nodes([.comment("c")]))
        #expect(try page.evaluate(XPath("/")) == .nodes([.document]))
        let error = #expect(throws: SelectorError.self) { try page.select(PageSelector("//a/@href")) }
        #expect(error?.code == .evaluation)
        #expect(throws: SelectorError.self) { try page.select(PageSelector("xpath=count(//a)")) }
        #expect(throws: SelectorError.self) { try page.evaluate(XPath("no-such-function(1)")) }
    }

    @Test func `an XPath that would never end is given up`() throws {
        let page = try HTMLDocument(text: String(repeating: "<p>x</p>", count: 3000))
        let error = #expect(throws: SelectorError.self) {
            try page.evaluate(XPath("count(//p[count(//p[count(//p) > 1]) > 1])"))
        }
        #expect(error?.code == .tooMuchWork, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test func `CSS that would never end is given up`() throws {
        let page = try HTMLDocument(text: String(repeating: "<div>", count: 12_000))
        let error = #expect(throws: SelectorError.self) { try page.select(PageSelector("div:has(div:has-text('x'))")) }
        #expect(error?.code == .tooMuchWork)
        // And this would be, were every way up tried.
        let deep = try HTMLDocument(text: String(repeating: "<div>", count: 2_000))
        #expect(try deep.select(PageSelector("p div div div div div div div div")).isEmpty)
    }

    // MARK: Errors

    @Test(arguments: [
        ("", 1), (" ", 2), ("a,", 3), ("a >", 4), ("a > > b", 5), (".", 2), (".1", 2), ("#", 2), ("#1", 2), ("a..b", 3),
        ("[", 2), ("[a", 1),
        ("[a=", 4), ("[a=]", 4), ("[a=b", 1), ("[a!=b]", 3), ("[a~b]", 3), ("[a=b c]", 6), ("[=a]", 2), ("a[b='c", 5),
        (":", 2), (":nope", 1),
        ("p:nope(1)", 2), (":not", 1), (":not(", 6), (":not()", 6), (":not(a", 5), ("a:not(b", 6), (":not(a,)", 8),
        (":first-child(1)", 1),
        (":nth-child()", 12), (":nth-child(x)", 12), (":nth-child(2n+)", 15), (":nth-child(n of)", 16),
        (":nth-child(2x)", 13), ("p::before", 2), ("p:after", 2),
        (":has()", 6), (":has(:has(a))", 11), (":has(>)", 7), ("a/*", 2), ("ns|a", 1), ("a{", 2), ("é > é !", 7),
        (":lang()", 7), (":has-text()", 11),
        ("a >> b >> ", 11), ("a >> .", 7), ("text=", 6), ("text=/a/i", 6), ("nth=x", 5), ("p >> nth=", 10), ("a)", 2),
        (":is(a]", 6),
    ])
    func `an error says where it is`(selector: String, column: Int) {
        let error = #expect(throws: SelectorError.self) { try PageSelector(selector) }
        #expect(error?.column == column, "\(selector): \(error.map(String.init(describing:)) ?? "none")")
        #expect(error?.selector == selector)
    }

    @Test func `an error says what is wrong`() {
        func message(_ selector: String) -> String? {
            (#expect(throws: SelectorError.self) { try PageSelector(selector) })?.description
        }
        #expect(message("div > .1st") == "selector div > .1st, column 8: a class after '.' is expected, not '1'")
        #expect(
            message("a:frist-child") == "selector a:frist-child, column 2: there is no pseudo-class :frist-child here")
        #expect(
            message("p >> [a=")
                == "selector p >> [a=, column 9: a value; one that is no plain word stands in quotes is expected, the selector ends"
        )
    }

    @Test(arguments: ["//a[", "//", "xpath=", "xpath=//a[1", "/html/body/*[@x='", "p >> //a[@]"])
    func `an XPath that is none is refused`(selector: String) {
        let error = #expect(throws: SelectorError.self) { try PageSelector(selector) }
        #expect(error?.code == .syntax && error?.column != nil && error?.selector == selector)
    }

    @Test func `more nesting than anybody writes is refused and not followed`() {
        let deep = String(repeating: ":not(", count: 100_000)
        #expect(throws: SelectorError.self) { try PageSelector(deep) }
        let less = String(repeating: ":not(", count: 3_000)
        #expect(throws: SelectorError.self) { try PageSelector(less) }
    }
}

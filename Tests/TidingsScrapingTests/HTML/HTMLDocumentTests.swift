import Testing
import TidingsScraping

@Suite struct HTMLDocumentTests {
    @Test func `missing tags are implied as a browser implies them`() throws {
        let page = try HTMLDocument(text: "<title>T</title><table><tr><td>1<td>2</table>")
        #expect(
            page.html
                == "<html><head><title>T</title></head><body><table><tbody><tr><td>1</td><td>2</td></tr></tbody></table></body></html>"
        )
        #expect(page.isQuirky)
        #expect(page.title == "T")
    }

    @Test func `elements know their neighbours`() throws {
        let page = try HTMLDocument(text: "<!doctype html><ul>a<li id=x>1<!-- c --><li id=y class=''>2</ul>")
        let list = try #require(page.elements.first { $0.name == "ul" })
        #expect(list.children.map { $0.attribute("id") } == ["x", "y"])
        #expect(list.children[0].nextSibling == list.children[1])
        #expect(list.children[1].previousSibling == list.children[0])
        #expect(list.children[0].previousSibling == nil && list.children[1].nextSibling == nil)
        #expect(list.children[1].parent == list)
        #expect(page.root?.parent == nil && page.root?.name == "html")
        #expect(list.children[1].attribute("class") == "" && list.children[0].attribute("class") == nil)
        #expect(list.children[1].attributes.map(\.name) == ["id", "class"])
        #expect(list.children[1].description == #"<li id="y" class="">"#)
        #expect(!page.isQuirky)
    }

    @Test func `an element outlives the document it came from`() throws {
        var element: HTMLElement?
        do {
            let page = try HTMLDocument(text: "<p>still <b>here</b></p>")
            element = page.elements.first { $0.name == "p" }
        }
        #expect(element?.textContent == "still here")
    }

    @Test func `text is what a reader sees, textContent what the source has`() throws {
        let page = try HTMLDocument(
            text:
                "<div>\n  One<script>no()</script> <b>bo</b>ld&nbsp;<p>Two</p>Three<br>Four<template>x</template></div>"
        )
        let block = try #require(page.elements.first { $0.name == "div" })
        #expect(block.text == "One bold Two Three Four")
        #expect(block.textContent == "\n  Oneno() bold\u{A0}TwoThreeFour")
    }

    @Test func `markup is written as the standard writes it`() throws {
        let source =
            ##"<!DOCTYPE html><html><head><script>a < b && c</script></head><body><p title="&amp;&quot;<&nbsp;">&lt;&amp;"é</p><br><!--x--><svg viewBox="0 0 1 1"><foreignObject><p>x</p></foreignObject><a xlink:href="#b"></a></svg><my-tag></my-tag></body></html>"##
        #expect(try HTMLDocument(text: source).html == source)
        let page = try HTMLDocument(text: source)
        #expect(page.elements.first { $0.name == "p" }?.innerHTML == #"&lt;&amp;"é"#)
        #expect(page.elements.first { $0.name == "a" }?.attribute("xlink:href") == "#b")
    }

    @Test func `what is inside a template is no part of the page`() throws {
        let page = try HTMLDocument(text: "<template><p>a</template><p>b")
        #expect(page.elements.filter { $0.name == "p" }.map(\.text) == ["b"])
        #expect(page.html.contains("<template><p>a</p></template>"))
    }

    @Test(arguments: [
        "", " ", "<", "</", "<!", "<!--", "&", "<a", "<a b", "<a b=", "<a b='", "\u{0}", "<\u{0}>", "</p></br>",
    ])
    func `a page of next to nothing is a page`(source: String) throws {
        let page = try HTMLDocument(text: source)
        #expect(page.root?.children.map(\.name) == ["head", "body"])
    }

    @Test func `a page beyond a limit is refused and says which`() throws {
        var limits = HTMLLimits()
        limits.bytes = 10
        let large = #expect(throws: HTMLError.self) { try HTMLDocument(text: "<p>eleven chars", limits: limits) }
        #expect(large?.code == .tooLarge && large?.message == "the page has 15 bytes, at most 10 are read")

        limits = HTMLLimits()
        limits.memory = 1 << 20
        let hungry = #expect(throws: HTMLError.self) {
            try HTMLDocument(text: String(repeating: "<p>", count: 100_000), limits: limits)
        }
        #expect(hungry?.code == .memory)

        limits = HTMLLimits()
        limits.milliseconds = 50
        let slow = #expect(throws: HTMLError.self) {
            try HTMLDocument(text: String(repeating: "<div>", count: 500_000), limits: limits)
        }
        #expect(slow?.code == .time)
    }

    @Test func `twenty thousand levels are neither too deep to read nor to write nor to drop`() throws {
        let depth = 20_000
        let page = try HTMLDocument(text: String(repeating: "<span>", count: depth) + "x")
        #expect(page.elements.count == depth + 3)
        #expect(page.root?.text == "x")
        #expect(page.html.count == depth * 13 + "<html><head></head><body>x</body></html>".count)
    }
}

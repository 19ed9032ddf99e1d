/// Selectors to compare with others.
enum SampleSelectors {
    static let written: [String] = """
        *|html, body|div, li, LI, Li, html, body, head > *, body *, * *, * > *, * + *, * ~ *, p, p.price, .price, .price.old, .old.price
        .item, article.item, article.item.sale, #i1, #i1.item, #i1#i2, #I1, .ITEM, .A, .a, .B, #main, #Main, .Data.wide, table.Data
        .items > article, .items > article > h2 > a, .items a, .items h2 a, nav a, nav li a, nav > ul > li > a, ul li, ol li, ol ol li, ol > li > ol > li
        h1 + p, h1 ~ p, h1 + p + p, h1 + p ~ div, article + article, article ~ article, article + article + article, dt + dd, dd + dd, dt ~ dd, li + li a
        [href], a[href], a[href="/"], [href='/books'], [href^="/b"], [href$="2"], [href*="example"], [href^=""], [href*=""], [href$=""], [class~=""]
        [class~=item], [class~="item sale"], [class=item], [class="item sale"], [class^=item], [rel~=me], [rel~=nofollow], [hreflang|=en], [hreflang|=en-US]
        [data-sku^="A-" i], [data-sku^="a-"], [data-sku^="a-" i], [data-sku^="a-"i], [data-sku=B-3], [data-sku], [DATA-SKU], [data-count="3"]
        [lang], [lang|=en], [lang="en-gb"], [lang="EN-GB"], [type=password], [type="PASSWORD"], [type=checkbox], [method=post], [scope=row], [scope="row" s]
        [data-empty], [data-empty=""], [data-dash|=en], [data-dash|="en-US"], [data-dash|="en-US-x"], [data-space~=a], [data-space~=b], [data-space~=c]
        [data-quote='say "hi"'], [data-quote="say \\"hi\\""], [data-quote*='"'], .x\\.y, .a\\:b, .\\31 st, .\\000031st, .\\31st, .é, [class~="é"]
        [some-attr~=b], my-element, my-element[some-attr], svg, circle, g > circle, foreignObject, foreignobject, [viewBox], [viewbox], svg p, math mi, mi
        :root, html:root, :root > body, body:root, :empty, p:empty, img:empty, input:empty, :not(:empty), p:not(:empty)
        :first-child, :last-child, :only-child, li:first-child, li:last-child, a:only-child, p:first-child, :first-of-type, :last-of-type, :only-of-type
        p:first-of-type, p:last-of-type, p:only-of-type, dd:first-of-type, article p:last-of-type, b:only-child, tr td:only-child
        :nth-child(1), :nth-child(2), :nth-child(3), :nth-child(0), :nth-child(-1), :nth-child(n), :nth-child(-n), :nth-child(2n), :nth-child(2n+1)
        :nth-child(odd), :nth-child(even), :nth-child(ODD), li:nth-child(2n+1), li:nth-child(-n+2), li:nth-child(n+3), li:nth-child(3n-1), li:nth-child(3n - 1)
        li:nth-child( 2n + 1 ), li:nth-child(+2n+1), li:nth-child(-2n+5), li:nth-child(0n+2), li:nth-child(+3), li:nth-child(n+2):nth-child(-n+4)
        li:nth-last-child(1), li:nth-last-child(2), li:nth-last-child(odd), li:nth-last-child(-n+2), :nth-last-child(3), td:nth-child(2), tr > td:nth-child(2)
        p:nth-of-type(1), p:nth-of-type(2), p:nth-of-type(2n), span:nth-of-type(2), dd:nth-of-type(n+2), p:nth-last-of-type(1), p:nth-last-of-type(2), dd:nth-last-of-type(odd)
        :not(p), :not(.item), article:not(.sale), p:not(.price), a:not([href]), :not(p):not(div), li:not(:first-child), li:not(:first-child):not(:last-child)
        :not(p, div), :not(.item, .price), p:not(.old, .new), a:not([href^="/"], [name]), :not(*), :not(li a), a:not(li a), a:not(li > a), p:not(div p, main > p)
        :is(h1, h2), :is(h1, h2) a, :is(.item, .deep) > *, article:is(.sale), :is(ul, ol) > li, :is(#i1, #i3) p, li:is(:first-child, :last-child), :is(nav, footer) :is(a, p)
        :is(p), :is(div p), main :is(div > div) span, :where(h1, h2), :where(.item) h2, :is(:not(p)), :not(:is(p, a)), :not(:not(p)), :is(:is(p))
        :has(a), article:has(a), article:has(> h2), article:has(> a), article:has(h2 a), div:has(> article), li:has(li), li:has(> ol > li), :has(> img)
        article:has(+ article), article:has(~ article), article:has(+ .sale), h1:has(+ p), p:has(b), p:has(b, i), :has(.price.old), article:not(:has(a))
        article:not(:has(.price)), :has(:is(b, i)), div:has(span + span), div:has(> span:nth-child(2)), dt:has(+ dd + dd), ul:has(.last a[rel]), main:has(h1):has(ol)
        :has(:empty), article:has(p:empty), :not(:has(*)), li:not(:has(a)), body > :has(a), :is(article, div):has(> h2), form:has([required]), fieldset:has(> select)
        :checked, :disabled, :enabled, input:checked, option:checked, input:disabled, input:enabled, option:disabled, button:enabled, fieldset:disabled, :required, :optional
        input:required, select:required, :link, :any-link, a:link, area:link, a:not(:link), :hover, a:visited, :target, :focus, :active
        :lang(en), p:lang(fr), :lang(en-GB), :lang(de), i:lang(fr), main > p:lang(en)
        form input, form > fieldset > input, label[for] + input, [name=user], input[type=hidden], input:not([type]), legend input, legend ~ input, select > option, select option
        table tr, table > tr, table > tbody > tr, tbody.second td, table table td, th + td, tr.odd > *, caption ~ tbody, tfoot td, colgroup > col, tr:first-child td, tr:nth-child(2) td
        div div div, div > div > div, body div div span, main > div > div > .deep, .deep > span + span, .deep span ~ span, b i, i > b, p > b, body > b
        li.first.active, .menu .last, .menu > .last > a[title], a[title], a[title="Home page"], a[title~=page], a[title^=Home], .page.catalogue nav, body#top.page, html[lang] body[id] nav
        p , p  ,  a, p/* c */, p /* c */ b, p/**/.price, /* x */ h1, article>h2>a, h1+p, h1~p, article > .price ~ .price, .price:not(.old):nth-of-type(2)
        div.a, div.b, .a.b, .a > .b, .a .b, .a + .b, .a ~ .b, .c > *, section > div, section div, ul > ul, ul ul, div > span.a, #i, #j, #K, #k, .B, [title], [title=x], [title~=x]
        [title|=x], [title^=x], [title$=y], div:first-child, span:last-child, section:only-child, ul:nth-child(even), div:nth-of-type(2), :is(div, ul) > .a, div:has(.a), div:has(> .b), ul:not(:has(.c))
        section:has(+ div), :not(.a, .b, .c), div:not(:first-child, :last-child), :is(.a, .b):not(.a.b), em:empty, div div:not(section div), .a:nth-child(2n), .b:nth-last-child(-n+3)
        :nth-child(2 of .item), :nth-child(1 of p, a), :nth-last-child(1 of .price), li:nth-child(odd of :not(.first)), :nth-child(2 of .a), :nth-last-child(2n of .b)
        """.split(separator: "\n").flatMap { Self.split(String($0)) }.filter {
            !$0.contains("|html") && !$0.contains("|div")
        }

    /// At the commas outside parentheses, brackets and quotes.
    private static func split(_ line: String) -> [String] {
        var (parts, part, depth) = ([String](), "", 0)
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if "([".contains(character) {
                depth += 1
            } else if ")]".contains(character) {
                depth -= 1
            }
            if character == ",", depth == 0 {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        return (parts + [part]).map { $0.drop { $0 == " " } }.map(String.init).filter { !$0.isEmpty }
    }

    static func random(_ random: inout SeededGenerator, depth: Int = 0) -> String {
        func compound(_ random: inout SeededGenerator) -> String {
            var text = random.pick(["", "", "div", "span", "section", "ul", "*", "p", "a", "li"])
            for _ in 0..<random.below(3) {
                let simple = [
                    ".a", ".b", ".c", "#i", "[title]", "[class~=a]", "[title^=x]", ":first-child", ":last-child",
                    ":nth-child(\(random.pick(["odd", "2", "n+2", "-n+3", "3n"])))", ":nth-of-type(2)", ":only-child",
                    ":empty", ".item", ".price",
                ]
                let nests = depth < 2 && random.below(4) == 0
                if nests {
                    let inner = Self.random(&random, depth: depth + 1)
                    let also = random.below(2) == 0 ? "" : ", " + Self.random(&random, depth: depth + 1)
                    let isHas = depth == 0 && random.below(2) == 0
                    let function = isHas ? "has" : random.pick(["not", "is"])
                    text += ":\(function)(\(isHas ? random.pick(["", "> ", "+ ", "~ "]) : "")\(inner)\(also))"
                } else {
                    text += random.pick(simple)
                }
            }
            return text.isEmpty ? "*" : text
        }
        var text = compound(&random)
        for _ in 0..<random.below(depth == 0 ? 4 : 2) {
            text += random.pick([" ", " > ", " + ", " ~ ", ">", " "]) + compound(&random)
        }
        return text
    }
}

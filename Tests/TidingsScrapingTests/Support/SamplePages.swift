/// Pages to select from.
enum SamplePages {
    static let catalogue = """
        <!DOCTYPE html>
        <html lang="en-GB"><head><title>Books &amp; more</title><meta charset="utf-8"><link rel="stylesheet" href="/a.css">
        <script>var a = "<div class='item'>no</div>";</script><style>.x > a { color: red }</style></head>
        <body id="top" class="page catalogue">
        <nav><ul class="menu"><li class="first active"><a href="/" title="Home page">Home</a></li><li><a href="/books">Books</a></li>
        <li class="last"><a href="https://example.com/about" hreflang="en-US" rel="nofollow me">About</a></li></ul></nav>
        <main><h1>Books</h1><p class="intro lead">There are <b>two</b> kinds.</p><p lang="fr">Deux <i>sortes</i>.</p>
        <div class="items" data-count="3"><article class="item" id="i1" data-sku="A-1"><h2><a href="/b/1">First Book</a></h2>
        <p class="price">£ 10.00</p><img src="/i/1.jpg" alt=""></article><article class="item sale" id="i2" data-sku="A-2">
        <h2><a href="/b/2">Second book</a></h2><p class="price old">£ 12.00</p><p class="price new">£ 9.50</p></article>
        <article class="item" id="i3" data-sku="B-3"><h2>Third</h2><p></p><p> </p><p><!-- nothing --></p></article></div>
        <dl><dt>Pages<dd>120<dt>Weight<dd>1 kg<dd>2.2 lb</dl><div><div><div class="deep"><span>x</span><span>y</span></div></div></div>
        <ol><li>1<ol><li>1.1</li><li>1.2</li></ol></li><li>2</li><li>3</li><li>4</li><li>5</li></ol>
        <a class="next" href="?page=2">Next</a><a name="anchor">no link</a></main>
        <footer><p>© 2026 <a href="mailto:a@example.com">Mail</a></p><template><p class="price">hidden</p></template></footer>
        </body></html>
        """

    static let forms = """
        <!DOCTYPE html><body><form id=login action="/login" method=POST><fieldset><legend>Who</legend>
        <label for=u>Name</label><input id=u name=user required><input id=p type=PASSWORD name=pass><input type=hidden name=t value=1 required>
        </fieldset><fieldset disabled><legend><input name=in-legend></legend><legend><input name=second></legend><input name=off>
        <select name=s><option>a<option selected>b<option disabled>c<optgroup label=g disabled><option>d</optgroup></select>
        <textarea name=note></textarea></fieldset><input type=checkbox checked><input type=radio name=r checked><input type=radio name=r>
        <input type=text checked><button>Go</button><button disabled type=submit>Stop</button><input type=submit value="Sign in">
        <textarea required></textarea><select required><option>x</select></form><p contenteditable>e</p><a>none</a><area href=x></body>
        """

    static let tables = """
        <title>Tables</title><h1 class="A b">T</h1><table id=Main class="Data wide"><caption>c</caption><colgroup><col><col>
        <tr><th scope=ROW>a<td>1<td>2<tr class=odd><th>b<td colspan=2>3</tr><tbody class=second><tr><td>x<table><tr><td>inner</table>
        <tfoot><tr><td>f<td>g</table><p>after<table><p>foster</p><tr><td>z</table><svg viewBox="0 0 1 1"><g><circle r=1 /><foreignObject>
        <p class=in>in svg</p></foreignObject><a xlink:href="#x">s</a></g></svg><math><mi>x</mi></math><my-element some-attr="a b c">m</my-element>
        <p data-empty="" data-dash="en-US-x" data-space=" a  b " data-quote='say "hi"' class="x.y a:b 1st é">q</p><b><i>1</b>2</i>
        """

    static let all = [Self.catalogue, Self.forms, Self.tables]

    /// A page of nested elements with few names, classes and ids, so that selectors find much.
    static func random(_ random: inout SeededGenerator) -> String {
        var page = random.below(2) == 0 ? "<!DOCTYPE html><body>" : "<body>"
        var open: [String] = []
        for _ in 0..<(60 + random.below(120)) {
            switch random.below(5) {
            case 0 where !open.isEmpty: page += "</\(open.removeLast())>"
            case 1: page += random.pick(["x", " ", "text", "<!-- c -->"])
            default:
                // Without those that close one another, so that every parser makes the same tree of them.
                let name = random.pick(["div", "span", "section", "em", "ul"])
                page += "<" + name
                if random.below(2) == 0 { page += " class='\(random.pick(["a", "b", "c", "a b", "B c"]))'" }
                if random.below(6) == 0 { page += " id=\(random.pick(["i", "j", "K"]))" }
                if random.below(4) == 0 { page += " title='\(random.pick(["x", "x-y", "x y", ""]))'" }
                page += ">"
                if name == "em" || name == "span" { page += "</\(name)>" } else { open.append(name) }
            }
        }
        return page
    }
}

import Testing
import TidingsScraping

@Suite struct HTMLCharsetTests {
    private func page(_ head: String, _ bytes: [UInt8]) -> [UInt8] { Array(head.utf8) + bytes }

    @Test func `a byte order mark wins over everything`() {
        let bytes: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("<meta charset=koi8-r>é".utf8)
        #expect(HTMLCharset.detect(bytes, contentType: "text/html; charset=shift_jis") == .utf8)
        #expect(HTMLCharset.utf8.utf8(from: bytes).first == UInt8(ascii: "<"))
        #expect(HTMLCharset.detect([0xFF, 0xFE, 0x3C, 0]) == .utf16LittleEndian)
        #expect(HTMLCharset.detect([0xFE, 0xFF, 0, 0x3C]) == .utf16BigEndian)
    }

    @Test(arguments: [
        ("text/html; charset=iso-8859-2", "iso-8859-2"), ("text/html;charset=\"UTF-8\"", "utf-8"),
        ("text/html; Charset = 'Shift_JIS'; x=y", "shift_jis"), ("text/html; charset=latin1", "windows-1252"),
        ("text/html; charset=", "koi8-r"), ("text/html; charset=nonsense", "koi8-r"), ("text/html", "koi8-r"),
        ("charset charset=gb2312", "gbk"),
    ])
    func `the response's content type wins over the page's`(contentType: String, expected: String) {
        let bytes = Array("<meta charset=koi8-r>".utf8)
        #expect(HTMLCharset.detect(bytes, contentType: contentType).name == expected)
    }

    @Test(arguments: [
        ("<meta charset=koi8-r>", "koi8-r"), ("<META CHARSET = \"Windows-1251\" >", "windows-1251"),
        ("<meta http-equiv=Content-Type content='text/html; charset=euc-jp'>", "euc-jp"),
        ("<meta content='text/html; charset=euc-jp' http-equiv=content-type>", "euc-jp"),
        ("<meta content='text/html; charset=euc-jp'><meta charset=big5>", "big5"),
        ("<!-- <meta charset=koi8-r> --><meta charset=big5>", "big5"),
        ("<p title='<meta charset=koi8-r>'><meta charset=big5>", "big5"),
        ("<!--><meta charset=big5>", "big5"), ("<meta charset=utf-16>", "utf-8"),
        ("<meta charset=x-user-defined>", "windows-1252"), ("<metal charset=koi8-r><meta/charset=big5>", "big5"),
        ("<?x <meta charset=koi8-r?><meta charset=big5>", "big5"), ("<meta charset='koi8-r", "utf-8"),
        ("<meta charset=koi8-r", "koi8-r"),
    ])
    func `a meta is found as the standard finds it`(source: String, expected: String) {
        #expect(HTMLCharset.detect(Array(source.utf8)).name == expected)
    }

    @Test func `a meta beyond 1024 bytes comes too late`() {
        let filler = String(repeating: " ", count: 1020)
        #expect(HTMLCharset.detect(Array((filler + "<meta charset=koi8-r>").utf8)) == .utf8)
    }

    @Test func `a page that says nothing is UTF-8 where it can be and windows-1252 where not`() {
        #expect(HTMLCharset.detect(Array("<p>é".utf8)) == .utf8)
        #expect(HTMLCharset.detect([0x3C, 0x70, 0x3E, 0xE9, 0x80]) == .windows1252)
        #expect(HTMLCharset.detect([]) == .utf8)
    }

    @Test func `charsets become text`() throws {
        func text(_ charset: String, _ bytes: [UInt8]) throws -> String {
            String(decoding: try #require(HTMLCharset(label: charset)).utf8(from: bytes), as: UTF8.self)
        }
        #expect(try text("latin1", [0x41, 0xE9, 0x80, 0x81]) == "Aé€\u{81}")
        #expect(try text("windows-1251", [0xCF, 0xF0, 0xE8]) == "При")
        #expect(try text("koi8-r", [0xF0, 0xD2]) == "Пр")
        #expect(try text("shift_jis", [0x93, 0xFA, 0x96, 0x7B]) == "日本")
        #expect(try text("euc-jp", [0xC6, 0xFC, 0xCB, 0xDC]) == "日本")
        #expect(try text("gb2312", [0xD6, 0xD0, 0xCE, 0xC4]) == "中文")
        #expect(try text("big5", [0xA4, 0xA4, 0xA4, 0xE5]) == "中文")
        #expect(try text("euc-kr", [0xC7, 0xD1]) == "한")
        #expect(try text("utf-16", [0x3C, 0xD8, 0x0D, 0xDF, 0x41]) == "🌍\u{FFFD}")
        #expect(try text("utf-8", [0x61, 0xE2, 0x82, 0x62, 0xFF]) == "a\u{FFFD}b\u{FFFD}")
        #expect(try text("shift_jis", [0x61, 0xFF, 0x62, 0x93]) == "a\u{FFFD}b\u{FFFD}")
        #expect(try text("iso-2022-kr", [0x61]) == "\u{FFFD}")
        #expect(HTMLCharset(label: "klingon") == nil)
    }

    @Test func `every name of the standard can be read`() {
        let names = [
            "ibm866", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-8",
            "iso-8859-8-i", "iso-8859-10", "iso-8859-13", "iso-8859-14", "iso-8859-15", "iso-8859-16", "koi8-r",
            "koi8-u", "macintosh", "windows-874", "windows-1250", "windows-1251", "windows-1253", "windows-1254",
            "windows-1255", "windows-1256", "windows-1257", "windows-1258", "x-mac-cyrillic", "gbk", "gb18030", "big5",
            "euc-jp", "iso-2022-jp", "shift_jis", "euc-kr",
        ]
        // In windows-1252, where an unknown one would end up, this is "ð¤"; none of these agrees.
        for name in names {
            let text = HTMLCharset(label: name).map {
                String(decoding: $0.utf8(from: [0x41, 0xF0, 0xA4, 0x42]), as: UTF8.self)
            }
            #expect(text?.unicodeScalars.first == "A" && text != "Að¤B", "\(name): \(text ?? "unknown")")
        }
    }

    @Test func `a page is read in its charset`() throws {
        let bytes = Array("<meta charset=windows-1251><p>".utf8) + [0xCF, 0xF0, 0xE8]
        #expect(try HTMLDocument(bytes: bytes).elements.first { $0.name == "p" }?.text == "При")
        #expect(try HTMLDocument(bytes: Array("<p>é".utf8), contentType: "text/html; charset=utf-8").root?.text == "é")
    }
}

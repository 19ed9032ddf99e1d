import Testing

@testable import Tidings

@Suite struct URLRedactionTests {
    private let redaction = Redaction()

    private func redacted(_ text: String) throws -> String {
        let event = StandardEvent(eventType: .custom, source: "test", payload: ["v": .string(text)])
        return ((self.redaction.redact(event) ?? event).payload["v"]?.string) ?? "none"
    }

    @Test(arguments: [
        ("https://user:pass@host/path?q=1", "https://[redacted]@host/path?q=1"),
        (
            "see redis://:p%40ss@h:6379/0 and postgres://u:p@db",
            "see redis://[redacted]@h:6379/0 and postgres://[redacted]@db"
        ),
        ("https://token123@github.com/a", "https://[redacted]@github.com/a"),
        ("https://u:p@ss@host/", "https://[redacted]@host/"),
        ("HTTP://U:P@H", "HTTP://[redacted]@H"),
        ("a=https://u:p@h1,https://v:q@h2", "a=https://[redacted]@h1,https://[redacted]@h2"),
        ("postgres://u:p/s?s#s@host/db", "postgres://[redacted]@host/db"),
        ("https://[::1]:80/@x", "https://[::1]:80/@x"),
        ("https://host:8080/@user/b@c", "https://host:8080/@user/b@c"),
        ("https://medium.com/@user", "https://medium.com/@user"),
        ("https://host/?mail=a@b.c", "https://host/?mail=a@b.c"),
        ("mail a@b.c or c:d@e", "mail a@b.c or c:d@e"),
        ("https://@host", "https://@host"),
        ("https%3A%2F%2Fu%3Ap%40host%2Fx", "https%3A%2F%2F[redacted]%40host%2Fx"),
        ("/go?to=https%3A%2F%2Fu%3Ap%40host", "/go?to=https%3A%2F%2F[redacted]%40host"),
        ("https%253A%252F%252Fu:p@h", "https%253A%252F%252F[redacted]@h"),
        ("https://user%3Apass%40host/", "https://[redacted]%40host/"),
    ])
    func `user and password before a host go`(text: String, expected: String) throws {
        #expect(try self.redacted(text) == expected)
    }

    @Test(arguments: [
        ("https://h/?a=1&api_key=abc&b=2", "https://h/?a=1&api_key=[redacted]&b=2"),
        ("https://h/?API-Key=abc#frag", "https://h/?API-Key=[redacted]#frag"),
        ("https://h/?password=a%26b;c", "https://h/?password=[redacted]"),
        ("https://h/#access_token=abc&x=1", "https://h/#access_token=[redacted]&x=1"),
        ("/rel?secret=s and more", "/rel?secret=[redacted] and more"),
        ("https://h/?token=BTC&x=1", "https://h/?token=BTC&x=1"),
        ("https://h/?token=abcdefghijklmnopqrstuvwxyz", "https://h/?token=[redacted]"),
        (
            "https://h/?token=0xdAC17F958D2ee523a2206206994597C13D831ec7",
            "https://h/?token=0xdAC17F958D2ee523a2206206994597C13D831ec7"
        ),
        ("https://h/?api%5Fkey=abc", "https://h/?api%5Fkey=[redacted]"),
        ("https://h/?u=%2Fx%3Fapi_key%3Dabc%26y%3D1&z=2", "https://h/?u=%2Fx%3Fapi_key%3D[redacted]%26y%3D1&z=2"),
        ("https://h/?passwords=abc&key=d&=e&a==b", "https://h/?passwords=abc&key=d&=e&a==b"),
        ("https://h/?api_key=", "https://h/?api_key="),
        ("5% = 100%zz %", "5% = 100%zz %"),
    ])
    func `parameters of a sensitive name go`(text: String, expected: String) throws {
        #expect(try self.redacted(text) == expected)
    }

    @Test func `escapes in the JSON neither hide a URL nor change around it`() throws {
        let payload =
            #"{"v":["\u0041\n https:\/\/us\u0065r:p\u0040q\u0040host\/\u00e9 \"x\"","é\ud83d\ude00 \u003fapi_key\u003dabc\u0026\t"]}"#
        let expected =
            #"{"v":["\u0041\n https:\/\/[redacted]\u0040host\/\u00e9 \"x\"","é\ud83d\ude00 \u003fapi_key\u003d[redacted]\u0026\t"]}"#
        #expect(self.redaction.redact(try .foreign(payload))?.payload.description == expected)
    }

    @Test func `a URL in a name is redacted as well`() throws {
        let event = try StandardEvent.foreign(#"{"https://u:p@h":{"a":1}}"#)
        #expect(self.redaction.redact(event)?.payload.description == #"{"https://[redacted]@h":{"a":1}}"#)
    }

    @Test(.timeLimit(.minutes(1))) func `no text makes it slow`() throws {
        let pieces = [
            "://", "://a:b/", "%3A%2F%2F", "://%253A%252F%252F", "?token=", "%26token%3D0x", "?a", "%25", "://a:b", ":",
            "%25253A%25252F%25252F", "@", "&token=0xabc",
        ]
        for piece in pieces {
            let text = String(repeating: piece, count: (1 << 18) / piece.utf8.count)
            _ = try self.redacted(text)
            _ = try self.redacted("://" + text)
        }
    }
}

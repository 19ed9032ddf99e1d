import Testing

@testable import Tidings

@Suite struct RedactedTextTests {
    private let redaction = Redaction()

    @Test(arguments: [
        ("connect to postgres://u:p@db failed", "connect to postgres://[redacted]@db failed"),
        ("password=hunter2 rejected", "password=[redacted] rejected"),
        ("PASSWORD : hunter2, user: x", "PASSWORD : [redacted], user: x"),
        (#"{"apiKey":"a b\"c","n":1}"#, #"{"apiKey":"[redacted]","n":1}"#),
        (#"body was {\"api_key\":\"abc\",\"n\":1}"#, #"body was {\"api_key\":\"[redacted]\",\"n\":1}"#),
        ("['secret': 'x y', 'n': 1]", "['secret': '[redacted]', 'n': 1]"),
        (#"{"secret":{"a":["}"]},"n":1}"#, #"{"secret":[redacted],"n":1}"#),
        ("Authorization: Bearer abc.def\nHost: x", "Authorization: [redacted]\nHost: x"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [redacted]\nHost: x"),
        ("got Bearer xyz and basic dXNlcjpwYXNz", "got Bearer [redacted] and basic [redacted]"),
        ("the bearer token is missing", "the bearer token is missing"),
        ("api_key: Bearer abc", "api_key: [redacted]"),
        ("db.password=hunter2", "db.password=[redacted]"),
        ("payload.password: is missing", "payload.password: is missing"),
        ("--api-key=abc --verbose", "--api-key=[redacted] --verbose"),
        ("token=BTC", "token=BTC"),
        ("token=abcdefghijklmnopqrstuvwxyz!", "token=[redacted]"),
        ("GET https://h/?api_key=abc&x=1 401", "GET https://h/?api_key=[redacted]&x=1 401"),
        ("secret => [1, 2] rest", "secret => [redacted] rest"),
        ("nothing to see: here = there", "nothing to see: here = there"),
        ("password=", "password="), ("password", "password"), ("secret:", "secret:"), ("", ""),
        (#"secret=\"#, #"secret=[redacted]"#),
    ])
    func `what a message quotes is redacted`(text: String, expected: String) {
        #expect(self.redaction.redact(text: text) == expected)
        #expect(self.redaction.redact(text: expected) == expected)
    }

    @Test func `any text is survived, and redacting twice changes nothing more`() {
        var random = SeededGenerator(seed: 7)
        let pieces = [
            "password", "secret", "=", ":", " ", "\"", "'", "\\", "{", "}", "[", "]", "://", "@", "a", "é", "\n",
            "Bearer", "?",
            "&", "%3A", "%", "token", ",", "=>", "[redacted]",
        ]
        for _ in 0..<20_000 {
            let text = (0..<random.below(12)).map { _ in random.pick(pieces) }.joined()
            _ = self.redaction.redact(text: text)
        }
    }
}

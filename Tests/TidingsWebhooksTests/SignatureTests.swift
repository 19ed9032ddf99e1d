import Testing
import Tidings
import TidingsWebhooks

@Suite struct SignatureTests {
    /// Published with Standard Webhooks, in the tests of its reference libraries.
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private static let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    private static let body = Array(#"{"test": 2432232314}"#.utf8)
    private static let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    private static let then: Int64 = 1_614_265_330

    private static func verify(
        id: String? = Self.id, timestamp: String? = "1614265330", signature: String? = Self.signature,
        body: [UInt8] = Self.body, secrets: [String] = [Self.secret], seconds: Int64 = 0,
        tolerance: Duration = WebhookSignature.defaultTolerance
    ) throws -> WebhookSignatureError.Code? {
        let secrets = try secrets.map { try WebhookSecret($0) }
        let now = try #require(Timestamp(seconds: Self.then + seconds))
        do throws(WebhookSignatureError) {
            try WebhookSignature.verify(
                id: id, timestamp: timestamp, signature: signature, body: body, secrets: secrets, now: now,
                tolerance: tolerance)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `the published vector is signed and verified`() throws {
        let signature = WebhookSignature.sign(
            id: Self.id, timestamp: Self.then, body: Self.body, secret: try WebhookSecret(Self.secret))
        #expect(signature == Self.signature)
        #expect(try Self.verify() == nil)
    }

    /// Computed with Python's hmac.
    @Test func `a secret that is plain text is used byte for byte`() throws {
        let signature = WebhookSignature.sign(
            id: "0198c0de-0000-7000-8000-000000000001", timestamp: 1_700_000_000,
            body: Array(#"{"event_type":"price_alert"}"#.utf8), secret: try WebhookSecret("correct horse\n"))
        #expect(signature == "v1,3/DcxFAROWDuajEfU/iX6MYZbO8INqdN6ADYc56sWpE=")
    }

    @Test func `any of several signatures and any of several secrets will do`() throws {
        #expect(try Self.verify(signature: "v1,AAAA v1a,xyz v2,zzz \(Self.signature)") == nil)
        #expect(try Self.verify(secrets: ["another", Self.secret]) == nil)
    }

    @Test func `what was changed or signed otherwise is refused`() throws {
        #expect(try Self.verify(id: "msg_other") == .mismatch)
        #expect(try Self.verify(timestamp: "1614265331") == .mismatch)
        #expect(try Self.verify(body: Self.body + [0x20]) == .mismatch)
        #expect(try Self.verify(secrets: ["another"]) == .mismatch)
        #expect(try Self.verify(secrets: []) == .mismatch)
        for signature in ["", "v1,", "v1", "v1,g0hM9Ss", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,%%"] {
            #expect(try Self.verify(signature: signature) == .mismatch)
        }
    }

    @Test func `what is too old or too new or says no time is refused`() throws {
        #expect(try Self.verify(seconds: 300) == nil)
        #expect(try Self.verify(seconds: -300) == nil)
        #expect(try Self.verify(seconds: 301) == .tooOld)
        #expect(try Self.verify(seconds: -301) == .tooNew)
        #expect(try Self.verify(seconds: 20, tolerance: .seconds(10)) == .tooOld)
        for timestamp in ["", "now", "+1614265330", "01614265330", "1614265330.0", "9223372036854775807"] {
            #expect(try Self.verify(timestamp: timestamp) == .invalidTimestamp)
        }
    }

    @Test func `a missing header is named`() throws {
        #expect(try Self.verify(id: nil) == .missingHeader)
        #expect(try Self.verify(timestamp: nil) == .missingHeader)
        #expect(try Self.verify(signature: nil) == .missingHeader)
    }

    @Test func `a secret that cannot be is refused without being shown`() {
        for text in ["", "  \n", "whsec_", "whsec_not base64!"] {
            #expect(throws: WebhookConfigurationError.self) { try WebhookSecret(text) }
        }
        let error = #expect(throws: WebhookConfigurationError.self) { try WebhookSecret("whsec_topsecret!") }
        #expect(error.map { !"\($0)".contains("topsecret") } == true)
    }

    @Test func `a secret does not show itself`() throws {
        let secret = try WebhookSecret("correct horse")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("correct"))
    }
}

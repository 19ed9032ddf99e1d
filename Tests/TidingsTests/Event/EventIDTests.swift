import Testing

@testable import Tidings

@Suite struct EventIDTests {
    @Test func `a canonical UUID is held as two words and written as it was`() throws {
        let text = "018d0a5e-7c00-7fff-bfff-0123456789ab"
        let id = try #require(EventID(text))
        #expect(try #require(id.uuid) == (0x018D_0A5E_7C00_7FFF, 0xBFFF_0123_4567_89AB))
        #expect(id.description == text)
        #expect(id == EventID(high: 0x018D_0A5E_7C00_7FFF, low: 0xBFFF_0123_4567_89AB))
    }

    @Test(arguments: [
        "018D0A5E-7C00-7FFF-BFFF-0123456789AB", "018d0a5e-7c00-7fff-bfff-0123456789a",
        "018d0a5e_7c00-7fff-bfff-0123456789ab",
        "018d0a5e-7c00-7fff-bfff-0123456789ag", "018d0a5e-7c00-7fff-bfff-0123456789a/",
        "018d0a5e-7c00-7fff-bfff-0123456789a:",
        "018d0a5e7-c00-7fff-bfff-0123456789ab", "018d0a5e-7c00-7fff-bfff-0123456789a`",
        "018d0a5e-7c00-7fff-bfff-012345678éb",
    ])
    func `every other text is held as text`(text: String) throws {
        let id = try #require(EventID(text))
        #expect(id.uuid == nil)
        #expect(id.description == text)
    }

    @Test func `random UUIDs survive as text`() {
        var random = SeededGenerator(seed: 40)
        for _ in 0..<2000 {
            let id = EventID(high: random.next(), low: random.next())
            #expect(EventID(id.description) == id)
            #expect(EventID(id.description)?.fingerprint == id.fingerprint)
            #expect(id.description.utf8.count == 36)
        }
    }

    @Test func `lengths from 1 to 128 bytes are allowed`() {
        #expect(EventID("") == nil)
        #expect(EventID(String(repeating: "x", count: 128)) != nil)
        #expect(EventID(String(repeating: "x", count: 129)) == nil)
        #expect(EventID(String(repeating: "é", count: 65)) == nil)
    }

    @Test func `equal identifiers have equal hashes and fingerprints, others seldom`() throws {
        let texts = ["a", "b", "ab", "ba", "evt_1", "018d0a5e-7c00-7fff-bfff-0123456789ab", "caf\u{E9}", "cafe\u{301}"]
        let ids = try texts.map { try #require(EventID($0)) }
        #expect(Set(ids).count == texts.count)
        #expect(Set(ids.map(\.fingerprint)).count == texts.count)
        for (text, id) in zip(texts, ids) {
            let again = try #require(EventID(text))
            #expect(again == id && again.hashValue == id.hashValue && again.fingerprint == id.fingerprint)
        }
    }
}

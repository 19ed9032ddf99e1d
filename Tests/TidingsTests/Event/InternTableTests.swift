import Testing

@testable import Tidings

@Suite struct InternTableTests {
    func intern(_ text: String, in table: InternTable) -> UInt32? {
        text.withRawUTF8 { table.intern($0) }
    }

    @Test func `a text has one number for ever, from 0 up`() {
        let table = InternTable(capacity: 8, preloaded: ["trade", "ticker"])
        #expect(self.intern("trade", in: table) == 0)
        #expect(self.intern("ticker", in: table) == 1)
        #expect(self.intern("new", in: table) == 2)
        #expect(self.intern("new", in: table) == 2)
        #expect(table.string(0) == "trade")
        #expect(table.string(2) == "new")
        #expect(String(decoding: table.quoted(2), as: UTF8.self) == "\"new\"")
    }

    @Test func `a full table gives no number to a new text and still knows the old ones`() {
        let table = InternTable(capacity: 3)
        #expect(["a", "b", "c"].map { self.intern($0, in: table) } == [0, 1, 2])
        #expect(self.intern("d", in: table) == nil)
        #expect(self.intern("b", in: table) == 1)
        #expect(self.intern("d", in: table) == nil)
    }

    @Test func `the empty text, and texts of every length, are told apart`() {
        let table = InternTable(capacity: 256)
        for length in 0...128 {
            #expect(self.intern(String(repeating: "x", count: length), in: table) == UInt32(length))
        }
        #expect(self.intern(String(repeating: "x", count: 129), in: table) == nil)
        for length in 0...128 {
            #expect(self.intern(String(repeating: "x", count: length), in: table) == UInt32(length))
        }
    }

    @Test func `where case is folded, a text and its capitals come in together or not at all`() throws {
        let table = InternTable(capacity: 4, foldsCase: true)
        let abc = try #require(self.intern("abc", in: table))
        #expect(table.string(table.folded(abc)) == "ABC")
        #expect(self.intern("Abc", in: table).map { table.folded($0) } == table.folded(abc))
        // One place is left: capitals need only that one, small letters would need two.
        #expect(self.intern("xyz", in: table) == nil)
        #expect(self.intern("xyz", in: table) == nil)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [false, true])
    func `eight threads at once, beyond the cap, agree on every number`(foldsCase: Bool) {
        let capacity = 2000
        let table = InternTable(capacity: capacity, foldsCase: foldsCase)
        let found = Locked<[[UInt32?]]>([])
        EventIDGenerationTests.onThreads(8) { thread in
            var random = SeededGenerator(seed: UInt64(thread))
            var numbers = [UInt32?](repeating: nil, count: 3000)
            for index in (0..<3000).shuffled(using: &random) {
                let text = "name-\(index)"
                let number = text.withRawUTF8 { table.intern($0) }
                // Whoever gets a number sees the whole entry.
                if let number { assert(table.string(number) == text) }
                numbers[index] = number
            }
            let final = numbers
            found.withLock { $0.append(final) }
        }
        let columns = found.withLock { $0 }
        #expect(columns.count == 8)
        var used: Set<UInt32> = []
        for index in 0..<3000 {
            let number = self.intern("name-\(index)", in: table)
            // A text that ever got a number has that one; one that did not may never get any later.
            for column in columns { #expect(column[index] == number) }
            if let number {
                #expect(used.insert(number).inserted)
                #expect(table.string(number) == "name-\(index)")
                if foldsCase { #expect(table.string(table.folded(number)) == "NAME-\(index)") }
            }
        }
        #expect(used.count <= capacity && used.count >= capacity / 2 - 8)
    }
}

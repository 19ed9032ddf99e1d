import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct DeadLetterTests {
    private func letter(_ number: UInt64, event: StandardEvent? = nil, subscriber: String = "webhook") -> DeadLetter {
        let time = Timestamp(nanoseconds: 1_769_860_800_120_000_000, precision: .milliseconds)
        let made = StandardEvent(
            eventType: .custom, source: "test", payload: ["n": .number(ExactDecimal(Int(number)))], timestamp: time,
            eventID: EventID("event-\(number)"))
        return DeadLetter(
            id: EventID(high: 1, low: number), event: event ?? made, subscriber: subscriber, firstError: "first \"no\"",
            lastError: "last no", attempts: 3, firstFailedAt: time, lastFailedAt: time.advanced(by: .seconds(2)))
    }

    private func ids(_ answer: HTTPTestResponse) throws -> [String] {
        try answer.object["dead_letters"]?.array?.compactMap { $0.object?["id"]?.string } ?? []
    }

    @Test func `a dead letter is listed with every key of the contract`() async throws {
        try await GatewayHarness.run { gateway in
            let empty = try await gateway.request("GET", "/api/v1/dead-letters")
            #expect(empty.status == 200)
            #expect(empty.body == #"{"dead_letters":[]}"#)
            try await gateway.publishTrades(1...3)
            let logged = try #require(try await gateway.log.event(EventID("BTC-USD-trade-2") ?? EventID())).event()
            try await gateway.log.deadLetters.put(self.letter(1, event: logged))
            let list = try await gateway.request("GET", "/api/v1/dead-letters")
            #expect(list.headers.first(name: "content-type") == "application/json")
            let expected = """
                {"id":"00000000-0000-0001-0000-000000000001","event":\(logged.json),"offset":2,"subscriber":"webhook",\
                "first_error":"first \\"no\\"","last_error":"last no","attempts":3,\
                "first_failed_at":"2026-01-31T12:00:00.120Z","last_failed_at":"2026-01-31T12:00:02.120Z"}
                """
            #expect(list.body == "{\"dead_letters\":[\(expected)]}")
            let one = try await gateway.request("GET", "/api/v1/dead-letters/00000000-0000-0001-0000-000000000001")
            #expect(one.status == 200)
            #expect(one.body == expected)
        }
    }

    @Test func `a long list is read in pages, or whole`() async throws {
        try await GatewayHarness.run { gateway in
            let letters = (1...250).map { self.letter(UInt64($0)) }
            for letter in letters.shuffled() { try await gateway.log.deadLetters.put(letter) }
            let all = letters.map(\.id.description)
            let first = try await gateway.request("GET", "/api/v1/dead-letters")
            #expect(try self.ids(first) == Array(all[..<100]))
            let next = try #require(try first.object["next_after"]?.string)
            #expect(next == all[99])
            // The letter that a page ended with may be gone by then.
            try await gateway.log.deadLetters.remove(letters[99].id)
            let second = try await gateway.request("GET", "/api/v1/dead-letters?after=\(next)&limit=150")
            #expect(try self.ids(second) == Array(all[100...]))
            #expect(try second.object["next_after"] == nil)
            let whole = try await gateway.request("GET", "/api/v1/dead-letters?limit=10000")
            #expect(try self.ids(whole) == all.filter { $0 != all[99] })
        }
    }

    @Test func `retrying asks the bus and answers what became of it`() async throws {
        let asked = Locked<[EventID]>([])
        let outcome = Locked<EventBusError?>(nil)
        let sources = GatewaySources(retryDeadLetter: { id in
            asked.withLock { $0.append(id) }
            if let error = outcome.withLock({ $0 }) { throw error }
        })
        try await GatewayHarness.run(sources: sources) { gateway in
            let letter = self.letter(7)
            let path = "/api/v1/dead-letters/\(letter.id)/retry"
            let unknown = try await gateway.request("POST", path)
            #expect(unknown.status == 404)
            #expect(try unknown.object["code"]?.string == "not_found")
            #expect(asked.withLock { $0 }.isEmpty)

            try await gateway.log.deadLetters.put(letter)
            for body in [nil, "", "{}"] {
                let retried = try await gateway.request("POST", path, body: body)
                #expect(retried.status == 202)
                #expect(retried.body == "{\"id\":\"\(letter.id)\",\"status\":\"retried\"}")
            }
            #expect(asked.withLock { $0 } == [letter.id, letter.id, letter.id])

            outcome.withLock { $0 = EventBusError(.noSuchHandler, "there is no handler 'webhook'") }
            let orphan = try await gateway.request("POST", path)
            #expect(orphan.status == 409)
            #expect(orphan.headers.first(name: "content-type") == "application/problem+json")
            #expect(try orphan.object["code"]?.string == "no_such_handler")
            #expect(try orphan.object["detail"]?.string == "there is no handler 'webhook'")

            outcome.withLock { $0 = EventBusError(.stopped, "the bus is stopping") }
            let stopped = try await gateway.request("POST", path)
            #expect(stopped.status == 503)
            #expect(stopped.headers.contains(name: "retry-after"))
            #expect(try stopped.object["code"]?.string == "stopped")

            // Retried by somebody else meanwhile.
            outcome.withLock { $0 = EventBusError(.notFound, "gone") }
            #expect(try await gateway.request("POST", path).status == 404)
        }
    }

    @Test func `a server without handlers says so`() async throws {
        try await GatewayHarness.run { gateway in
            let letter = self.letter(1)
            try await gateway.log.deadLetters.put(letter)
            let answer = try await gateway.request("POST", "/api/v1/dead-letters/\(letter.id)/retry")
            #expect(answer.status == 409)
        }
    }

    @Test func `a letter is discarded, and all of them are`() async throws {
        try await GatewayHarness.run { gateway in
            let named = EventID("an id/with ü?") ?? EventID()
            for number: UInt64 in 1...3 { try await gateway.log.deadLetters.put(self.letter(number)) }
            let odd = self.letter(4)
            try await gateway.log.deadLetters.put(
                DeadLetter(
                    id: named, event: odd.event, subscriber: "a", firstError: "", lastError: "", attempts: 1,
                    firstFailedAt: .now(), lastFailedAt: .now()))
            let path = "/api/v1/dead-letters/an%20id%2Fwith%20%C3%BC%3F"
            #expect(try await gateway.request("GET", path).object["id"]?.string == named.description)
            let removed = try await gateway.request("DELETE", path)
            #expect(removed.status == 204)
            #expect(removed.body.isEmpty)
            #expect(try await gateway.request("DELETE", path).status == 404)
            #expect(try await gateway.request("GET", path).status == 404)
            let purged = try await gateway.request("DELETE", "/api/v1/dead-letters")
            #expect(purged.status == 200)
            #expect(purged.body == #"{"purged":3}"#)
            #expect(try await gateway.request("DELETE", "/api/v1/dead-letters").body == #"{"purged":0}"#)
        }
    }

    @Test(arguments: [
        ("GET", "/api/v1/dead-letters?limit=0", 400, "limit"),
        ("GET", "/api/v1/dead-letters?limit=10001", 400, "limit"),
        ("GET", "/api/v1/dead-letters?after=", 400, "after"),
        ("GET", "/api/v1/dead-letters?order=desc", 400, "order"),
        ("GET", "/api/v1/dead-letters/x?limit=1", 400, "limit"),
        ("POST", "/api/v1/dead-letters/x", 405, ""),
        ("GET", "/api/v1/dead-letters/x/retry", 405, ""),
        ("POST", "/api/v1/dead-letters/x/y", 404, ""),
        ("POST", "/api/v1/dead-letters/%FF/retry", 404, ""),
    ])
    func `wrong requests are told what is wrong`(
        method: String, path: String, status: Int, field: String
    ) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request(method, path)
            #expect(answer.status == status)
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
            #expect(try answer.object["field"]?.string ?? "" == field)
        }
    }

    @Test func `pages of other origins may not discard or retry`() async throws {
        try await GatewayHarness.run { gateway in
            let letter = self.letter(1)
            try await gateway.log.deadLetters.put(letter)
            for (method, path) in [("DELETE", ""), ("DELETE", "/\(letter.id)"), ("POST", "/\(letter.id)/retry")] {
                let answer = try await gateway.request(
                    method, "/api/v1/dead-letters\(path)", headers: [("Origin", "https://evil.example")])
                #expect(answer.status == 403)
            }
            #expect(try await gateway.log.deadLetters.count() == 1)
        }
    }
}

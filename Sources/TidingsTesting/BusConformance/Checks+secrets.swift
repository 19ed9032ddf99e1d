import Tidings

extension EventBusConformance {
    /// Guarantee 7: no secrets past ingress.
    static let secrets: [Check] = [
        Check(7, "no subscriber of any kind sees a secret") { run in
            let secret = "hunter2-hunter2-hunter2"
            let seen = Recorder<StandardEvent>()
            try run.bus.addTap(to: .type("conformance.secret"), name: "tap") { seen.add($0) }
            try run.bus.addHandler(to: .type("conformance.secret"), options: SubscriptionOptions(name: "handler")) {
                seen.add($0)
            }
            let batches = try run.bus.batches(
                matching: .type("conformance.secret"), options: SubscriptionOptions(name: "drawer"))
            let keys = ["password", "apiKey", "api-key", "API_KEY", "Set-Cookie", "client_secret", "Authorization"]
            let deep = JSONObject(keys.map { ($0, .string(secret)) })
            let payload: Payload = [
                "n": 0, "plain": "kept", "password": .string(secret),
                "deep": .array([.object(["deeper": .object(deep)])]),
                "url": .string("https://user:\(secret)@example.com/path"),
            ]
            try await run.bus.publish(
                StandardEvent(eventType: "conformance.secret", source: "conformance", payload: payload))
            try run.bus.tryPublish(
                StandardEvent(eventType: "conformance.secret", source: "conformance", payload: payload))
            try await run.stop()
            for await element in batches { for event in element.events { seen.add(event) } }
            try run.expect(seen.values.count >= 6, "only \(seen.values.count) of 6 deliveries came")
            for event in seen.values {
                let text = event.payload.object.description
                try run.expect(!text.contains(secret), "a secret came through: \(text)")
                try run.expectEqual(event.payload["plain"]?.string, "kept", "what is no secret")
                try run.expectEqual(event.payload["password"]?.string, "[redacted]", "what stands in a secret's place")
            }
        }
    ]
}

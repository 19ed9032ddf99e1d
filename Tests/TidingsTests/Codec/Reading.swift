import Tidings

/// How the tests of the contract read events.
enum Reading {
    static let defaults = EventDecodingDefaults(source: "test")

    static func event(_ json: String) throws(EventDecodingError) -> StandardEvent {
        try StandardEvent(json: json, defaults: Self.defaults)
    }

    static func event(bytes: [UInt8]) throws(EventDecodingError) -> StandardEvent {
        let outcome: Result<StandardEvent, EventDecodingError> = bytes.withUnsafeBytes { buffer in
            do throws(EventDecodingError) {
                return .success(try StandardEvent(json: buffer, defaults: Self.defaults))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    /// A minimal event with one more member.
    static func event(with member: String) throws(EventDecodingError) -> StandardEvent {
        try Self.event(#"{"event_type":"t","# + member + "}")
    }

    /// Why something is refused; `nil` when it is not.
    static func refusal(of json: String) -> EventDecodingError? {
        do throws(EventDecodingError) {
            _ = try Self.event(json)
            return nil
        } catch {
            return error
        }
    }

    static func refusal(with member: String) -> EventDecodingError? {
        Self.refusal(of: #"{"event_type":"t","# + member + "}")
    }

    static func refusal(ofBytes bytes: [UInt8]) -> EventDecodingError? {
        do throws(EventDecodingError) {
            _ = try Self.event(bytes: bytes)
            return nil
        } catch {
            return error
        }
    }
}

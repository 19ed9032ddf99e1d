internal import NIOConcurrencyHelpers
internal import NIOCore

/// The open connections of a listener, so that it can end them.
final class ListenerConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var webSockets: [ObjectIdentifier: WebSocketConnection] = [:]
        var isClosing = false
    }

    private let state = NIOLockedValueBox(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// - Returns: false if there is no room, or no listener any more.
    func add(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isAdded = self.state.withLockedValue { state in
            guard !state.isClosing, state.channels.count < self.capacity else { return false }
            state.channels[id] = channel
            return true
        }
        guard isAdded else { return false }
        channel.closeFuture.whenComplete { _ in
            self.state.withLockedValue { state in
                state.channels[id] = nil
                state.webSockets[id] = nil
            }
        }
        return true
    }

    func upgraded(_ channel: any Channel, _ connection: WebSocketConnection) {
        let isClosing = self.state.withLockedValue { state in
            if state.channels[ObjectIdentifier(channel)] != nil {
                state.webSockets[ObjectIdentifier(channel)] = connection
            }
            return state.isClosing
        }
        if isClosing { connection.close(.goingAway) }
    }

    var webSockets: [WebSocketConnection] { self.state.withLockedValue { Array($0.webSockets.values) } }

    /// No more are added from here on.
    func beginClosing() -> (plain: [any Channel], webSockets: [WebSocketConnection]) {
        self.state.withLockedValue { state in
            state.isClosing = true
            let plain = state.channels.filter { state.webSockets[$0.key] == nil }
            return (Array(plain.values), Array(state.webSockets.values))
        }
    }

    var channels: [any Channel] { self.state.withLockedValue { Array($0.channels.values) } }
}

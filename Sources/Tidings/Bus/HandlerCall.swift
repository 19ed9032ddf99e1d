/// The call of a handler that is under way, as whatever runs inside it sees it.
struct HandlerCall: Sendable {
    let name: String
    let subscriptionID: UInt64
    /// Where the call's deadline is watched.
    let slot: CallSlot
    let call: CallSlot.Call

    /// Runs `body`, which waits for others, without its time counting against the call's deadline.
    func waiting<Result>(_ body: () async -> Result) async -> Result {
        self.slot.pause(self.call)
        defer { self.slot.resume(self.call) }
        return await body()
    }
}

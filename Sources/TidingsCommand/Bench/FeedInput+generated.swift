extension FeedInput {
    init(generated count: Int, of name: String) throws {
        throw CommandError("feed \(name): frames are generated once the simulator has the venue; give a --recording")
    }
}

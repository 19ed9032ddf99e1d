extension Duration {
    /// Nanoseconds, none below zero and at most a century, so that any clock of ours can be moved by them.
    var boundedNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        guard seconds < 3_000_000_000 else { return 3_000_000_000_000_000_000 }
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}

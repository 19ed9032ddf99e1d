extension EventID {
    /// The order in which dead letters are told, and their tables sorted: texts by their bytes, then UUIDs by theirs,
    /// which for UUIDs of version 7 is the order of time.
    package static func isOrderedBefore(_ left: EventID, _ right: EventID) -> Bool {
        switch (left.storage, right.storage) {
        case (.uuid(let leftHigh, let leftLow), .uuid(let rightHigh, let rightLow)):
            (leftHigh, leftLow) < (rightHigh, rightLow)
        case (.text(let left), .text(let right)):
            left.value.utf8.lexicographicallyPrecedes(right.value.utf8)
        case (.text, .uuid): true
        case (.uuid, .text): false
        }
    }
}

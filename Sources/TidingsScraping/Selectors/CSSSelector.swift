/// A selector list with its words.
struct CSSSelector: Sendable, Hashable {
    var list: SelectorList
    /// Names of elements and attributes.
    var words: [String]
}

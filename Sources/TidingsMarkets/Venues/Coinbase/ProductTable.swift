import Tidings

/// Finds the products of a plan by the bytes of their names, without making a text of what the network sends.
struct ProductTable: Sendable {
    private var indices: [UInt64: [Int]] = [:]
    private var names: [[UInt8]] = []

    /// - Parameter names: those that the venue uses in its frames; one name may stand for several products.
    init(_ names: [String]) {
        for (index, name) in names.enumerated() {
            self.names.append(Array(name.utf8))
            self.indices[StableHash.hash(of: name), default: []].append(index)
        }
    }

    /// The first product of a name.
    func index(of name: UnsafeRawBufferPointer) -> Int? {
        self.all(name).first
    }

    /// Every product of a name.
    func all(_ name: UnsafeRawBufferPointer) -> [Int] {
        var hash = StableHash()
        hash.combine(name)
        guard let found = self.indices[hash.finish().high] else { return [] }
        // Two products of one hash have the same name, or one in 2^64 names is mistaken: so it is looked at.
        return found.allSatisfy { self.names[$0].elementsEqual(name) } ? found : []
    }
}

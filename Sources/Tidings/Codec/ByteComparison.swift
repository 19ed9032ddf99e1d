/// Whether two pieces of memory hold the same bytes.
@inline(__always)
package func areEqualBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    let count = left.count
    guard count == right.count else { return false }
    guard let left = left.baseAddress, let right = right.baseAddress else { return true }
    // Words from the front, and one that ends where the bytes end.
    if count >= 8 {
        var index = 0
        while index &+ 8 < count {
            if !areEqual(left + index, right + index, as: UInt64.self) { return false }
            index &+= 8
        }
        return areEqual(left + (count &- 8), right + (count &- 8), as: UInt64.self)
    }
    if count >= 4 {
        return areEqual(left, right, as: UInt32.self)
            && areEqual(left + (count &- 4), right + (count &- 4), as: UInt32.self)
    }
    if count >= 2 {
        return areEqual(left, right, as: UInt16.self)
            && areEqual(left + (count &- 2), right + (count &- 2), as: UInt16.self)
    }
    return count == 0 || areEqual(left, right, as: UInt8.self)
}

@inline(__always)
private func areEqual<Word: BitwiseCopyable & Equatable>(
    _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, as type: Word.Type
) -> Bool {
    left.loadUnaligned(as: type) == right.loadUnaligned(as: type)
}

extension String {
    /// The UTF-8 of the text; valid only inside `body`. What `withUTF8` is, with typed throws.
    @inline(__always)
    package func withRawUTF8<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var copy = self
        let outcome: Swift.Result<Result, Failure> = copy.withUTF8 { bytes in
            do throws(Failure) {
                return .success(try body(UnsafeRawBufferPointer(bytes)))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}

/// What reading one page may cost.
public struct HTMLLimits: Sendable, Hashable {
    /// The page's bytes, before and after its charset has been made UTF-8.
    public var bytes = 16 << 20
    /// What the parser may take from the system while it works, in bytes. An ordinary page takes about ten times its own
    /// size.
    public var memory = 256 << 20
    /// Processor time of the parser, in milliseconds. An ordinary page takes one for each 10 kB or so.
    public var milliseconds: UInt32 = 5_000

    public init() {}
}

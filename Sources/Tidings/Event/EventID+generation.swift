import Synchronization

extension EventID {
    /// A new UUIDv7 (RFC 9562, section 5.7) for this moment.
    ///
    /// 48 bits of milliseconds, 12 bits of the fraction of the millisecond (method 3 of section 6.2), 62 bits that no
    /// other call in this process returns and that are seeded at random per process. Thread-safe.
    public init() {
        self.init(at: Timestamp.now())
    }

    /// A new UUIDv7 for a given moment; as unique as ``init()``.
    @inline(__always)
    public init(at moment: Timestamp) {
        let (milliseconds, rest) = moment.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let fraction = (UInt64(bitPattern: rest) &* 4096) / 1_000_000
        let number = IDSource.next()
        self.init(
            high: UInt64(bitPattern: milliseconds) << 16 | 0x7000 | (fraction & 0xFFF),
            low: 0x8000_0000_0000_0000 | number
        )
    }

    /// An identifier that everybody who sees the same facts computes alike.
    ///
    /// 48 bits of event time in milliseconds; the rest is a hash. Restarts, two collectors of one feed and replays
    /// thereby all recognise the same event. The layout is that of a UUIDv7.
    package init(at moment: Timestamp, hash: StableHash) {
        let digest = hash.finish()
        let milliseconds = UInt64(bitPattern: moment.nanoseconds / 1_000_000)
        self.init(
            high: milliseconds << 16 | 0x7000 | (digest.high & 0xFFF),
            low: 0x8000_0000_0000_0000 | (digest.low >> 2)
        )
    }
}

/// Numbers of 62 bits that never repeat within a process: a counter, scrambled by a bijection from a random start.
enum IDSource {
    static let mask: UInt64 = (1 << 62) - 1
    static let seed = UInt64.random(in: .min ... .max)
    static let counter = Atomic<UInt64>(0)

    @inline(__always)
    static func next() -> UInt64 {
        // SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014), cut to 62 bits: odd
        // factors and shifts to the right are one to one there as well.
        let number = Self.counter.wrappingAdd(1, ordering: .relaxed).oldValue
        var mixed = (Self.seed &+ number &* 0x9E37_79B9_7F4A_7C15) & Self.mask
        mixed = ((mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9) & Self.mask
        mixed = ((mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB) & Self.mask
        return mixed ^ (mixed >> 31)
    }
}

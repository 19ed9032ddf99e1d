/// Which Tidings this is.
public enum TidingsVersion {
    /// As Semantic Versioning 2.0.0 has it.
    public static let current = "0.1.0"
}

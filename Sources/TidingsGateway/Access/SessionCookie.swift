/// The cookie of a browser's session (RFC 6265 section 4.1): out of reach of scripts, and sent with no request that
/// another site made.
enum SessionCookie {
    static func setting(_ id: String, maxAge: Duration, isSecure: Bool) -> String {
        "\(ShownCredential.cookieName)=\(id); Max-Age=\(max(0, maxAge.components.seconds)); "
            + Self.attributes(isSecure)
    }

    static func clearing(isSecure: Bool) -> String {
        "\(ShownCredential.cookieName)=; Max-Age=0; " + Self.attributes(isSecure)
    }

    private static func attributes(_ isSecure: Bool) -> String {
        "Path=/; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    }
}

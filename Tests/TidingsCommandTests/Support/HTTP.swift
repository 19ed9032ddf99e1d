import Foundation
import FoundationNetworking
import Tidings

/// A request as any program would make it; returns status and body.
func request(
    _ url: String, method: String = "GET", contentType: String? = nil, body: Data? = nil
) async throws -> (status: Int, body: String) {
    guard let address = URL(string: url) else { throw ProgramError(description: "no address: \(url)") }
    var request = URLRequest(url: address)
    request.httpMethod = method
    request.httpBody = body
    if let contentType { request.setValue(contentType, forHTTPHeaderField: "content-type") }
    let (data, response) = try await URLSession.shared.data(for: request)
    return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
}

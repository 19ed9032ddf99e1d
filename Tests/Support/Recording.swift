package import Foundation

/// A recorded session of `../shared/recordings`, which is not part of the project: tests that need one are skipped where
/// it is absent.
package struct Recording {
    package static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "shared/recordings")

    package static func isThere(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: Self.folder.appending(path: name).path)
    }

    /// The frames that the venue sent, in order.
    package let received: [String]

    package init(_ name: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        self.received = try text.split(separator: "\n").compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard object?["kind"] as? String == "received" else { return nil }
            return object?["text"] as? String
        }
    }
}

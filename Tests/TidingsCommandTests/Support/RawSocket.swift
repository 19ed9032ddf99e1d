import Foundation
import Tidings

/// A bare TCP connection to loopback, read without blocking a thread for long.
final class RawSocket {
    private let descriptor: Int32
    private(set) var received: [UInt8] = []
    /// Whether the other side has ended the connection, one way or another.
    private(set) var hasEnded = false

    init(_ address: String) throws {
        guard let port = UInt16(address.split(separator: ":").last ?? "") else {
            throw ProgramError(description: "no port in \(address)")
        }
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let reason = String(cString: strerror(errno))
            close(self.descriptor)
            throw ProgramError(description: "no connection to \(address): \(reason)")
        }
    }

    deinit { close(self.descriptor) }

    var text: String { String(decoding: self.received, as: UTF8.self) }

    func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ProgramError(description: "cannot send: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads until a condition holds or the connection ends; an error when neither happens.
    func read(_ limit: Duration = .seconds(20), until found: (String) -> Bool) async throws {
        try await self.read(limit, untilBytes: { found(String(decoding: $0, as: UTF8.self)) })
    }

    private func read(_ limit: Duration, untilBytes found: ([UInt8]) -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while !found(self.received) && !self.hasEnded {
            guard ContinuousClock.now < deadline else {
                throw ProgramError(description: "timed out after reading: \(self.text.suffix(300))")
            }
            var polled = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&polled, 1, 5) > 0 else {
                await Task.yield()
                continue
            }
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = recv(self.descriptor, &piece, piece.count, 0)
            if count > 0 { self.received += piece[..<count] } else { self.hasEnded = true }
        }
    }

    func readToEnd(_ limit: Duration = .seconds(20)) async throws -> String {
        try await self.read(limit, untilBytes: { _ in false })
        return self.text
    }
}

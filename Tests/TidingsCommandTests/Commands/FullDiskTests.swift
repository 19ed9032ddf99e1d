import Foundation
import Testing
import Tidings

/// A store whose file may not grow: told by name, and well again by itself.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct FullDiskTests {
    private func readiness(_ address: String) async throws -> (status: Int, checks: JSONObject) {
        let (status, body) = try await request("http://\(address)/readyz")
        return (status, try JSONObject(json: body)["checks"]?.object ?? JSONObject([]))
    }

    private func publish(_ address: String, bytes: Int) async throws -> (status: Int, body: String) {
        let text = String(repeating: "x", count: bytes)
        return try await request(
            "http://\(address)/api/v1/events", method: "POST", contentType: "application/json",
            body: Data(#"{"event_type":"custom","payload":{"text":"\#(text)"}}"#.utf8))
    }

    private func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw ProgramError(description: "timed out: \(what)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func status(_ checks: JSONObject, _ name: String) -> String? {
        checks[name]?.object?["status"]?.string
    }

    @Test func `a file that may not grow fails the readiness by name, and everything goes on when it may again`()
        async throws
    {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let server = try Program([
                "run", "--store", store, "--listen", "127.0.0.1:0", "--quiet",
            ])
            let address = try await server.address()
            #expect(try await self.publish(address, bytes: 100).status == 202)
            #expect(try await self.readiness(address).status == 200)

            let process = "\(server.processID)"
            #expect(try await Self.command("/usr/bin/prlimit", "--pid", process, "--fsize=3145728:") == 0)
            var accepted = 1
            try await self.eventually("the store takes no more") {
                let (status, body) = try await self.publish(address, bytes: 500_000)
                if status == 202 { accepted += 1 }
                if status == 503 { #expect(body.contains("\"store\""), "\(body)") }
                return status == 503
            }
            let (status, checks) = try await self.readiness(address)
            #expect(status == 503)
            #expect(self.status(checks, "store") == "fail")
            #expect(checks["store"]?.object?["reason"]?.string?.isEmpty == false)
            #expect(try await request("http://\(address)/livez").status == 200)

            #expect(try await Self.command("/usr/bin/prlimit", "--pid", process, "--fsize=unlimited:") == 0)
            try await self.eventually("it is well again") {
                if try await self.publish(address, bytes: 100).status == 202 { accepted += 1 }
                return try await self.readiness(address).status == 200
            }
            server.terminate()
            #expect(await server.waitUntilEnded() == 0, "\(server.error)")
            let (_, output, _) = try await Program.run("query", "--store", store, "--type", "custom", "--json")
            #expect(output.split(separator: "\n").count == accepted)
        }
    }

    @Test func `a disk that is full fails the readiness as disk and store, and everything goes on with room`()
        async throws
    {
        try await withFolder { folder in
            let mounted = try await Self.command("/bin/mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder.path)
            guard mounted == 0 else {
                print("skipped: no file system of our own to fill can be mounted here (that takes root)")
                return
            }
            let server = try Program([
                "run", "--store", folder.appending(path: "s.db").path, "--listen", "127.0.0.1:0", "--quiet",
            ])
            var isUp = true
            do {
                let address = try await server.address()
                let (status, checks) = try await self.readiness(address)
                #expect(status == 200)
                #expect(self.status(checks, "disk") == "pass")

                try Self.fill(folder.appending(path: "filler"))
                let full = try await self.readiness(address)
                #expect(full.status == 503)
                #expect(self.status(full.checks, "disk") == "fail")
                #expect(full.checks["disk"]?.object?["reason"]?.string?.contains("MiB are free") == true)
                try await self.eventually("the store takes no more") {
                    try await self.publish(address, bytes: 200_000).status == 503
                }
                let failed = try await self.readiness(address)
                #expect(self.status(failed.checks, "store") == "fail")

                try FileManager.default.removeItem(at: folder.appending(path: "filler"))
                try await self.eventually("it is well again") {
                    _ = try await self.publish(address, bytes: 100)
                    return try await self.readiness(address).status == 200
                }
                server.terminate()
                #expect(await server.waitUntilEnded() == 0, "\(server.error)")
                isUp = false
            } catch {
                Issue.record(error)
            }
            if isUp {
                server.kill9()
                await server.waitUntilEnded()
            }
            #expect(try await Self.command("/bin/umount", folder.path) == 0)
        }
    }

    /// Writes until there is no room.
    private static func fill(_ file: URL) throws {
        let descriptor = open(file.path, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 1, count: 64 << 10)
        var size = block.count
        while size > 0 {
            if write(descriptor, block, size) <= 0 { size /= 2 }
        }
    }

    private static func command(_ path: String, _ arguments: String...) async throws -> Int32 {
        let program = try Program(arguments, executable: URL(filePath: path))
        return await program.waitUntilEnded()
    }
}

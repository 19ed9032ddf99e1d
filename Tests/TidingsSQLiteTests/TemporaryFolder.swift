#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A folder that is there while `body` runs.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/tidings-sqlite-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FolderError(code: errno) }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { removeFolder(path) }
    return try await body(path)
}

struct FolderError: Error {
    var code: Int32
}

func filesIn(_ folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

private func removeFolder(_ path: String) {
    for name in filesIn(path) { unlink("\(path)/\(name)") }
    rmdir(path)
}

func readFile(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
}

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    guard let file = fopen(path, "w") else { throw FolderError(code: errno) }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw FolderError(code: errno) }
}

/// The files of a log as a crash would leave them, copied while the log is open.
func copyLog(_ file: String, to target: String) throws {
    for suffix in ["", "-wal"] { try writeFile(target + suffix, readFile(file + suffix)) }
}

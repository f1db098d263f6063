import CryptoKit
import Foundation

/// The golden rows of the model. An app without a self-test does not link this library.
public enum Golden {
    /// The folder that `selfTest(golden:)` takes.
    public static var folder: URL {
        (Bundle.module.resourceURL ?? Bundle.module.bundleURL)
            .appendingPathComponent("Golden", isDirectory: true)
    }

    private static let description = "kspec-bundle.json"
    /// The SHA-256 of the description, as `sha256sum` writes it.
    private static let seal = "kspec-bundle.json.sha256"
    /// The start of an ignored name that may occur in any folder; other names are paths.
    private static let everywhere = "**/"

    /// A sentence for each file of the Swift package in a folder that is changed, missing or added,
    /// except files that SwiftPM and Xcode create. Only the Mac that builds them has the sources.
    public static func alteredFiles(package: URL) -> [String] {
        do {
            let content = try Data(contentsOf: package.appendingPathComponent(description))
            let about = try JSONSerialization.jsonObject(with: content) as? [String: Any] ?? [:]
            let listed = about["files"] as? [String: String] ?? [:]
            let ignored = Set(about["ignored"] as? [String] ?? [])
            let sealed = try Data(contentsOf: package.appendingPathComponent(seal))
            var problems: [String] = []
            if String(decoding: sealed, as: UTF8.self) != "\(sha256(content))  \(description)\n" {
                problems.append("\(description) is not the file that was built")
            }
            for (path, hash) in listed.sorted(by: { $0.key < $1.key }) {
                let file = try? Data(contentsOf: package.appendingPathComponent(path))
                if file.map(sha256) != hash {
                    let what = file == nil ? "missing" : "not the file that was built"
                    problems.append("\(path) is \(what)")
                }
            }
            let known = Set(listed.keys).union([description, seal])
            let added = try paths(package, ignored).filter { !known.contains($0) }
            return problems + added.map { "\($0) does not belong to the bundle" }
        } catch {
            return ["\(description) or \(seal) cannot be read: \(error)"]
        }
    }

    /// The paths of all files below a folder, except ignored files.
    private static func paths(_ package: URL, _ ignored: Set<String>) throws -> [String] {
        let manager = FileManager.default
        return try manager.subpathsOfDirectory(atPath: package.path).sorted().filter { path in
            let parts = path.split(separator: "/").map(String.init)
            let skipped = ignored.contains(parts[0])
                || parts.contains { ignored.contains(everywhere + $0) }
            var isFolder: ObjCBool = false
            let file = package.appendingPathComponent(path).path
            return !skipped && manager.fileExists(atPath: file, isDirectory: &isFolder)
                && !isFolder.boolValue
        }
    }

    private static func sha256(_ data: Data) -> String {
        SHA256.hash(data: data)
            .map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
            .joined()
    }
}

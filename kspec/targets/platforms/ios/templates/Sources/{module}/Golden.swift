import CryptoKit
import Foundation

/// The reference of a self-test: the tensors of `golden.safetensors`, and `kspec-bundle.json`.
struct GoldenRows {
    private let tensors: [String: Tensor]
    private let bundle: [String: Any]

    init(safetensors: Data, bundle: Data) throws {
        tensors = try readSafetensors(safetensors)
        self.bundle = try JSONSerialization.jsonObject(with: bundle) as? [String: Any] ?? [:]
    }

    func inputs(_ signature: Signature) throws -> [Tensor] {
        try signature.inputs.map { try tensor("input/\($0.name)") }
    }

    func tensor(_ name: String) throws -> Tensor {
        guard let found = tensors[name] else { throw EngineError("no golden rows of \(name)") }
        return found
    }

    /// The expected label of each row; empty for an output without labels.
    func decisions(_ output: Output) -> [String] {
        guard let texts = tensors["decision/\(output.name)"],
            case .integers(let numbers) = texts.values
        else { return [] }
        return (0..<texts.rows).map { row in
            let bytes = numbers[row * texts.width..<(row + 1) * texts.width].map { UInt8($0) }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The columns of an input in the bundle's description, not in the client's code.
    func columns(_ input: Input) -> [String] {
        let signature = bundle["signature"] as? [String: Any]
        let inputs = signature?["inputs"] as? [[String: Any]] ?? []
        let found = inputs.first { $0["name"] as? String == input.name }
        return found?["columns"] as? [String] ?? []
    }
}

/// The tensors of a safetensors file; bytes become integers. Throws `EngineError` for another file.
func readSafetensors(_ file: Data) throws -> [String: Tensor] {
    struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype
            case shape
            case offsets = "data_offsets"
        }
    }
    let bytes = [UInt8](file)
    guard bytes.count > 8 else { throw EngineError("no safetensors file") }
    let length = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length >= 0, length <= bytes.count - 8 else { throw EngineError("no safetensors file") }
    let header = Data(bytes[8..<8 + length])
    return try JSONDecoder().decode([String: Entry].self, from: header).mapValues { entry in
        let data = bytes[(8 + length + entry.offsets[0])..<(8 + length + entry.offsets[1])]
        switch entry.dtype {
        case "F32":
            let numbers = words(data).map { Float(bitPattern: $0) }
            return Tensor(shape: entry.shape, values: .floats(numbers))
        case "I32":
            let numbers = words(data).map { Int32(bitPattern: $0) }
            return Tensor(shape: entry.shape, values: .integers(numbers))
        case "U8": return Tensor(shape: entry.shape, values: .integers(data.map { Int32($0) }))
        default: throw EngineError("tensors of the type \(entry.dtype)")
        }
    }
}

/// Little-endian words of four bytes each.
private func words(_ data: ArraySlice<UInt8>) -> [UInt32] {
    stride(from: data.startIndex, to: data.endIndex, by: 4).map { start in
        data[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}

func sha256(_ data: Data) -> String {
    SHA256.hash(data: data)
        .map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        .joined()
}

/// The hash of a folder: over a line for each of its files, in the order of their paths.
func sha256(folder: URL) throws -> String {
    let manager = FileManager.default
    let paths = try manager.subpathsOfDirectory(atPath: folder.path)
        .map { $0.split(separator: "/").map(String.init) }
        .sorted { $0.lexicographicallyPrecedes($1) }
    var lines = ""
    for path in paths.map({ $0.joined(separator: "/") }) {
        let file = folder.appendingPathComponent(path)
        var isFolder: ObjCBool = false
        if manager.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue {
            let content = try Data(contentsOf: file)
            lines += "\(sha256(content))  \(path)\n"
        }
    }
    return sha256(Data(lines.utf8))
}

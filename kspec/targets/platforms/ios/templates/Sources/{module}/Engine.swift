import CoreML
import Foundation

/// A model that Core ML cannot run as its bundle describes.
public struct EngineError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Runs exactly as many rows as the artifact's batch.
protocol Engine {
    /// The outputs, in order.
    func run(_ inputs: [Tensor]) throws -> [Tensor]
}

/// The compiled model. Names in a package are identifiers; its metadata contains the public names.
struct CoreMLEngine: Engine {
    private let model: CoreML.MLModel
    private let inputs: [String]
    private let outputs: [String]

    init(package: URL, seal: String, signature: Signature, units: MLComputeUnits) async throws {
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units
        model = try await Self.open(CompiledModels(package: package, seal: seal), configuration)
        let names = try Self.names(of: model)
        inputs = try signature.inputs.map { try Self.known($0.name, names) }
        outputs = try signature.outputs.map { try Self.known($0.name, names) }
    }

    func run(_ tensors: [Tensor]) throws -> [Tensor] {
        var features: [String: MLFeatureValue] = [:]
        for (name, tensor) in zip(inputs, tensors) {
            switch tensor.values {
            case .floats(let values):
                let array = MLShapedArray(scalars: values, shape: tensor.shape)
                features[name] = MLFeatureValue(shapedArray: array)
            case .integers(let values):
                let array = MLShapedArray(scalars: values, shape: tensor.shape)
                features[name] = MLFeatureValue(shapedArray: array)
            }
        }
        let found = try model.prediction(from: MLDictionaryFeatureProvider(dictionary: features))
        return try outputs.map { name in
            guard let array = found.featureValue(for: name)?.shapedArrayValue(of: Float.self) else {
                throw EngineError("the model gives no \(name)")
            }
            return Tensor(shape: array.shape, values: .floats(array.scalars))
        }
    }

    /// Opens the compiled model of an earlier start, or compiles it again if that fails.
    private static func open(
        _ cache: CompiledModels, _ configuration: MLModelConfiguration
    ) async throws -> CoreML.MLModel {
        let place = try await cache.find()
        if let model = try? CoreML.MLModel(contentsOf: place, configuration: configuration) {
            return model
        }
        try cache.discard()
        return try CoreML.MLModel(contentsOf: try await cache.find(), configuration: configuration)
    }

    private static func names(of model: CoreML.MLModel) throws -> [String: String] {
        struct Entry: Decodable {
            let name: String
        }
        let metadata = model.modelDescription.metadata[.creatorDefinedKey] as? [String: String]
        guard let text = metadata?["kspec.signature"] else {
            throw EngineError("a model without its signature")
        }
        let entries = try JSONDecoder().decode([String: Entry].self, from: Data(text.utf8))
        return Dictionary(uniqueKeysWithValues: entries.map { ($1.name, $0) })
    }

    private static func known(_ name: String, _ names: [String: String]) throws -> String {
        guard let found = names[name] else { throw EngineError("the model has no \(name)") }
        return found
    }
}

/// The models that this device compiled, kept in Application Support by the hash of their package.
struct CompiledModels {
    let package: URL
    let seal: String

    func find() async throws -> URL {
        let place = try location()
        if FileManager.default.fileExists(atPath: place.path) { return place }
        let fresh = try await CoreML.MLModel.compileModel(at: package)
        do {
            try FileManager.default.moveItem(at: fresh, to: place)
        } catch where FileManager.default.fileExists(atPath: place.path) {
            // Another process compiled the model first.
        }
        return place
    }

    func discard() throws {
        let place = try location()
        if FileManager.default.fileExists(atPath: place.path) {
            try FileManager.default.removeItem(at: place)
        }
    }

    /// A compiled model is valid for one system version, which is part of its name.
    private func location() throws -> URL {
        let support = try FileManager.default.url(
            for: .applicationSupportDirectory,
            in: .userDomainMask,
            appropriateFor: nil,
            create: true
        )
        var folder = support.appendingPathComponent("kspec", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        let system = ProcessInfo.processInfo.operatingSystemVersion
        let version = "\(system.majorVersion).\(system.minorVersion).\(system.patchVersion)"
        return folder.appendingPathComponent("\(seal)-\(version).mlmodelc", isDirectory: true)
    }
}

/// Runs any number of rows in batches of the artifact's size, one call after the other.
actor Predictor {
    private let signature: Signature
    private let engine: any Engine

    init(signature: Signature, engine: any Engine) {
        self.signature = signature
        self.engine = engine
    }

    /// The outputs of each row, in order.
    func run(_ inputs: [Tensor]) throws -> [[[Float]]] {
        let rows = inputs[0].rows
        guard inputs.allSatisfy({ $0.rows == rows }) else {
            throw InputError("as many rows of every input")
        }
        var answers: [[[Float]]] = []
        while answers.count < rows {
            let left = Array(answers.count..<rows)
            let (chunk, indices) = next(left)
            let found = try engine.run(inputs.map { $0.take(indices) })
            answers += chunk.indices.map { row in found.map { $0.row(row) } }
        }
        return answers
    }

    /// The rows of one call, and the rows of its batch: a fixed batch is padded with its last row.
    private func next(_ left: [Int]) -> (chunk: [Int], indices: [Int]) {
        switch signature.batch {
        case .upTo(let limit):
            let chunk = Array(left.prefix(limit))
            return (chunk, chunk)
        case .fixed(let count):
            let chunk = Array(left.prefix(count))
            let last = chunk[chunk.count - 1]
            return (chunk, chunk + Array(repeating: last, count: count - chunk.count))
        }
    }
}

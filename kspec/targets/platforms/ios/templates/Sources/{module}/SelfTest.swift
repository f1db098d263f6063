import CoreML
import Foundation

/// The tested model, with the files of golden pictures by input and the tolerances by output.
struct Subject: Sendable {
    let name: String
    let version: String
    let artifact: String
    let signature: Signature
    let seals: Seals
    let pictures: [String: String]
    let tolerances: [String: Tolerance]
}

/// The expected files: the SHA-256 of the model's package, and of each file in the folder of golden
/// rows. Code is not listed: an app contains it compiled.
struct Seals: Sendable {
    let artifact: String
    let golden: [String: String]

    /// A sentence for each file that is changed, missing or added.
    func altered(package: URL, golden folder: URL) throws -> [String] {
        var problems: [String] = []
        if try sha256(folder: package) != artifact {
            problems.append("\(package.lastPathComponent) is not the package that was built")
        }
        let present = Set(try FileManager.default.subpathsOfDirectory(atPath: folder.path))
        for (name, hash) in golden.sorted(by: { $0.key < $1.key }) {
            if !present.contains(name) {
                problems.append("\(name) is missing")
            } else if try sha256(Data(contentsOf: folder.appendingPathComponent(name))) != hash {
                problems.append("\(name) is not the file that was built")
            }
        }
        let added = present.subtracting(golden.keys).sorted()
        return problems + added.map { "\($0) does not belong to the model" }
    }
}

/// The result of a self-test.
public struct Report: Sendable {
    public let passed: Bool
    /// `KSPEC-SELFTEST` and the facts as JSON.
    public let line: String

    init(_ facts: [String: Any], problems: [String]) {
        let all = facts.merging(["pass": problems.isEmpty, "problems": problems]) { $1 }
        let json = try? JSONSerialization.data(
            withJSONObject: all, options: [.sortedKeys, .withoutEscapingSlashes]
        )
        passed = problems.isEmpty && json != nil
        let text = json.map { String(decoding: $0, as: UTF8.self) } ?? "{\"pass\":false}"
        line = "KSPEC-SELFTEST " + text
    }
}

/// Runs the golden rows through the code that an app calls, and compares the answers.
struct SelfTest {
    let subject: Subject
    let package: URL
    let golden: URL
    let units: MLComputeUnits
    private var problems: [String] = []
    private var facts: [String: Any] = [:]

    init(subject: Subject, package: URL, golden: URL, units: MLComputeUnits) {
        self.subject = subject
        self.package = package
        self.golden = golden
        self.units = units
    }

    /// The CPU computes in the package's precision, and is compared within that tolerance.
    private func tolerance(of output: Output) throws -> Tolerance {
        guard units == .cpuOnly else { return .half }
        guard let found = subject.tolerances[output.name] else {
            throw EngineError("no tolerance of \(output.name)")
        }
        return found
    }

    mutating func run(_ alterations: [String]) async -> Report {
        problems = alterations
        facts = [
            "platform": "ios", "name": subject.name, "version": subject.version,
            "engine": "Core ML of \(ProcessInfo.processInfo.operatingSystemVersionString)",
            "device": "\(units.label), \(machine())", "artifact": subject.artifact,
            "rows": 0, "worst_error_ratio": NSNull(), "flips": NSNull(), "picture_error": NSNull(),
            "latency_ms": NSNull(),
        ]
        do {
            try await prove()
        } catch {
            // An error that stops the test is its result.
            problems.append("\(error)")
        }
        return Report(facts, problems: problems)
    }

    private mutating func prove() async throws {
        let altered = try subject.seals.altered(package: package, golden: golden)
        problems += altered
        // The files must be the built files, or the numbers below mean nothing.
        guard altered.isEmpty else { throw EngineError("not the files that were built") }
        let rows = try Data(contentsOf: golden.appendingPathComponent("golden.safetensors"))
        let bundle = try Data(contentsOf: golden.appendingPathComponent("kspec-bundle.json"))
        let known = try GoldenRows(safetensors: rows, bundle: bundle)
        let engine = try await CoreMLEngine(
            package: package,
            seal: subject.seals.artifact,
            signature: subject.signature,
            units: units
        )
        try await judge(known, Predictor(signature: subject.signature, engine: engine))
        try comparePictures(known)
    }

    private mutating func judge(_ known: GoldenRows, _ predictor: Predictor) async throws {
        let signature = subject.signature
        let inputs = try known.inputs(signature)
        let count = inputs[0].rows
        var found: [[[Float]]] = []
        for row in 0..<count { found += try await predictor.run(asGiven(inputs, row, known)) }
        let single = try verdict(found, known)
        facts["rows"] = count
        facts["latency_ms"] = try await latency(predictor, asGiven(inputs, 0, known))
        guard case .upTo = signature.batch else { return report(single) }
        let together = try verdict(try await predictor.run(inputs), known)
        report((max(single.ratio, together.ratio), max(single.flips, together.flips)))
    }

    private func verdict(
        _ found: [[[Float]]], _ known: GoldenRows
    ) throws -> (ratio: Double, flips: Int) {
        var (ratio, flips) = (0.0, 0)
        for (place, output) in subject.signature.outputs.enumerated() {
            let reference = try known.tensor("output/\(output.name)")
            let verdict = Verdict(
                output: output,
                reference: reference,
                decisions: known.decisions(output),
                tolerance: try tolerance(of: output)
            )
            ratio = max(ratio, verdict.errorRatio(found.map { $0[place] }))
            flips += verdict.flips(found.map { $0[place] })
        }
        return (ratio, flips)
    }

    private mutating func report(_ found: (ratio: Double, flips: Int)) {
        facts["worst_error_ratio"] = found.ratio.isFinite ? found.ratio as Any : NSNull()
        facts["flips"] = found.flips
        if !(found.ratio <= 1) {
            problems.append("outputs differ by \(found.ratio) times the tolerance")
        }
        if found.flips > 0 { problems.append("\(found.flips) rows have another label") }
    }

    /// A row as an app passes it: by column if the input has columns.
    private func asGiven(_ inputs: [Tensor], _ row: Int, _ known: GoldenRows) throws -> [Tensor] {
        try zip(subject.signature.inputs, inputs).map { input, tensor in
            let one = tensor.take([row])
            guard !input.columns.isEmpty else { return one }
            let named = Dictionary(uniqueKeysWithValues: zip(known.columns(input), one.row(0)))
            return try input.tensor(named)
        }
    }

    /// The largest |Δ| of the golden pictures, relative to the largest value.
    private mutating func comparePictures(_ known: GoldenRows) throws {
        for input in subject.signature.inputs {
            guard let file = subject.pictures[input.name] else { continue }
            let pixels = try Pixels(file: try Data(contentsOf: golden.appendingPathComponent(file)))
            let values = try input.tensor(pixels).row(0)
            let exact = try known.tensor("picture/\(input.name)").row(0)
            let differences = zip(values, exact).map { abs(Double($0) - Double($1)) }
            let largest = exact.map { abs(Double($0)) }.max() ?? 0
            let error = (differences.max() ?? 0) / (largest > 0 ? largest : 1)
            facts["picture_error"] = max(error, facts["picture_error"] as? Double ?? 0)
            if !(error <= 1e-6) { problems.append("the golden picture becomes another tensor") }
        }
    }

    /// The median milliseconds of 30 calls with one row, after 5 calls to warm up.
    private func latency(_ predictor: Predictor, _ row: [Tensor]) async throws -> Double {
        var times: [Double] = []
        for _ in 0..<35 {
            let start = DispatchTime.now().uptimeNanoseconds
            _ = try await predictor.run(row)
            times.append(Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6)
        }
        return times.dropFirst(5).sorted()[15]
    }

    private func machine() -> String {
        var size = 0
        sysctlbyname("hw.machine", nil, &size, nil, 0)
        var name = [UInt8](repeating: 0, count: size)
        sysctlbyname("hw.machine", &name, &size, nil, 0)
        return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension MLComputeUnits {
    fileprivate var label: String {
        switch self {
        case .cpuOnly: "CPU"
        case .cpuAndGPU: "CPU and GPU"
        case .cpuAndNeuralEngine: "CPU and Neural Engine"
        case .all: "all units"
        @unknown default: "unknown units"
        }
    }
}

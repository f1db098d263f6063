/// The tolerance of an output: |Δ| ≤ atol · s + rtol · |reference|.
struct Tolerance: Sendable {
    let atol: Double
    let rtol: Double

    /// For units that may compute in half precision, such as the Neural Engine: 11 bits, of which
    /// a few are lost.
    static let half = Tolerance(atol: 1e-2, rtol: 1e-2)
}

/// The difference between the rows of one output and the reference.
struct Verdict {
    private let output: Output
    private let reference: [[Float]]
    private let decisions: [String]
    private let tolerance: Tolerance
    /// s: the largest finite |reference|, at most 1.
    private let scale: Double

    init(output: Output, reference: Tensor, decisions: [String], tolerance: Tolerance) {
        self.output = output
        self.reference = (0..<reference.rows).map(reference.row)
        self.decisions = decisions
        self.tolerance = tolerance
        let largest = self.reference.joined().filter(\.isFinite).map { abs(Double($0)) }.max() ?? 0
        scale = largest > 0 ? min(1, largest) : 1
    }

    /// The largest |Δ| / (atol · s + rtol · |reference|); infinite if a value is not a number.
    func errorRatio(_ found: [[Float]]) -> Double {
        guard found.map(\.count) == reference.map(\.count) else { return .infinity }
        let pairs = zip(found.joined(), reference.joined())
        return pairs.map { ratio(Double($0), Double($1)) }.max() ?? 0
    }

    /// The rows whose label differs although the reference's margin exceeds the tolerance.
    func flips(_ found: [[Float]]) -> Int {
        decisions.indices.filter { row in
            guard found.indices.contains(row), !found[row].contains(where: \.isNaN) else {
                return true
            }
            return output.decide(found[row]) != decisions[row] && isDecided(reference[row])
        }.count
    }

    private func ratio(_ value: Double, _ exact: Double) -> Double {
        if value == exact { return 0 }
        let ratio = abs(value - exact) / (tolerance.atol * scale + tolerance.rtol * abs(exact))
        return ratio.isNaN || !exact.isFinite ? .infinity : ratio
    }

    private func isDecided(_ exact: [Float]) -> Bool {
        let atol = tolerance.atol * scale
        if let threshold = output.threshold {
            return abs(Double(exact[0]) - Double(threshold)) > atol
        }
        let ordered = exact.sorted()
        return Double(ordered[ordered.count - 1] - ordered[ordered.count - 2]) > 2 * atol
    }
}

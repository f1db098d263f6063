import Foundation

/// Inputs and outputs of the model.
public struct Signature: Sendable {
    public let inputs: [Input]
    public let outputs: [Output]
    let batch: Batch
}

/// The number of rows that the artifact takes at once.
enum Batch: Sendable {
    case fixed(Int)
    case upTo(Int)
}

/// A mistake in a value that an app passes.
public struct InputError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// An input. Values are raw, as in the training data: rescaling and normalisation are in the model.
public struct Input: Sendable {
    public let name: String
    /// Sizes of one row; nil is one that varies.
    public let shape: [Int?]
    /// The names of the numbers of a row, in order; empty for numbers without names.
    public let columns: [String]
    /// The steps from a picture to the values, in order; empty for inputs of numbers.
    let steps: [any Step]

    init(name: String, shape: [Int?], columns: [String] = [], steps: [any Step] = []) {
        self.name = name
        self.shape = shape
        self.columns = columns
        self.steps = steps
    }

    /// One row. Throws `InputError` for too few or too many numbers.
    func tensor(_ values: [Float]) throws -> Tensor {
        Tensor(shape: try sizes(of: values.count), values: .floats(values))
    }

    func tensor(_ values: [Int32]) throws -> Tensor {
        Tensor(shape: try sizes(of: values.count), values: .integers(values))
    }

    /// One row by column. Throws `InputError` for columns that are missing or unknown.
    func tensor(_ row: [String: Float]) throws -> Tensor {
        guard row.count == columns.count else {
            throw InputError("\(name): \(row.count) values, a row has \(columns.count)")
        }
        var values: [Float] = []
        for column in columns {
            guard let value = row[column] else {
                throw InputError("\(name): no value for \(column)")
            }
            values.append(value)
        }
        return try tensor(values)
    }

    /// One row of a picture. Throws `InputError` for a picture that a step refuses.
    func tensor(_ pixels: Pixels) throws -> Tensor {
        var grid: any Grid = pixels
        for step in steps { grid = try step.apply(grid) }
        return try tensor(grid.values())
    }

    /// The shape of a row. At most one size may vary; the count of numbers determines it.
    private func sizes(of count: Int) throws -> [Int] {
        let known = shape.reduce(1) { $0 * ($1 ?? 1) }
        guard count > 0, count % known == 0, count == known || shape.contains(nil) else {
            throw InputError("\(name): \(count) numbers, a row has \(known)")
        }
        return [1] + shape.map { $0 ?? count / known }
    }
}

/// An output.
public struct Output: Sendable {
    enum Meaning: Sendable {
        case category
        case binary
        case number
    }

    public let name: String
    let meaning: Meaning
    /// The labels in the order of the probabilities; a binary output's negative label is first.
    public let labels: [String]
    /// The value above which a binary output decides for its positive label; nil for other outputs.
    let threshold: Float?
    /// Whether the values are the logits of probabilities.
    let logits: Bool

    init(
        name: String,
        meaning: Meaning,
        labels: [String] = [],
        threshold: Float? = nil,
        logits: Bool = false
    ) {
        self.name = name
        self.meaning = meaning
        self.labels = labels
        self.threshold = threshold
        self.logits = logits
    }

    /// The label for the values of one row; nil for an output without labels.
    func decide(_ values: [Float]) -> String? {
        switch meaning {
        case .category: Classification(self, values: values).label
        case .binary: BinaryClassification(self, value: values[0]).label
        case .number: nil
        }
    }
}

/// The decision for one of several labels, with the probability of each label.
public struct Classification: Sendable {
    public let labels: [String]
    public let probabilities: [Float]
    public let index: Int

    init(_ output: Output, values: [Float]) {
        let index = values.indices.dropFirst().reduce(0) { best, each in
            values[each] > values[best] ? each : best
        }
        let powers = values.map { exp($0 - values[index]) }
        let sum = powers.reduce(0) { $0 + $1 }
        labels = output.labels
        probabilities = output.logits ? powers.map { $0 / sum } : values
        self.index = index
    }

    public var label: String { labels[index] }
    public var confidence: Float { probabilities[index] }
}

/// A yes or no decision, with the probability of the positive label.
public struct BinaryClassification: Sendable {
    let labels: [String]
    public let probability: Float
    public let isPositive: Bool

    init(_ output: Output, value: Float) {
        labels = output.labels
        probability = output.logits ? 1 / (1 + exp(-value)) : value
        isPositive = value > (output.threshold ?? 0.5)
    }

    public var label: String { labels[isPositive ? 1 : 0] }
}

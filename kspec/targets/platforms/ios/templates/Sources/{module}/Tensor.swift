/// Numbers in row-major order; the first size of the shape counts the rows.
public struct Tensor: Sendable, Equatable {
    public enum Values: Sendable, Equatable {
        case floats([Float])
        case integers([Int32])
    }

    public let shape: [Int]
    public let values: Values

    /// Traps if there are too few or too many numbers.
    public init(shape: [Int], values: Values) {
        let count =
            switch values {
            case .floats(let found): found.count
            case .integers(let found): found.count
            }
        precondition(count == shape.reduce(1, *), "other numbers than the shape has")
        self.shape = shape
        self.values = values
    }

    public var rows: Int { shape[0] }

    /// The numbers of one row; empty for a tensor of integers.
    public func row(_ index: Int) -> [Float] {
        guard case .floats(let found) = values else { return [] }
        return Array(found[index * width..<(index + 1) * width])
    }

    var width: Int { shape.dropFirst().reduce(1, *) }

    /// The rows with these indices, in order.
    func take(_ indices: [Int]) -> Tensor {
        let sizes = [indices.count] + shape.dropFirst()
        switch values {
        case .floats(let found):
            return Tensor(shape: sizes, values: .floats(pick(found, indices)))
        case .integers(let found):
            return Tensor(shape: sizes, values: .integers(pick(found, indices)))
        }
    }

    private func pick<Number>(_ numbers: [Number], _ indices: [Int]) -> [Number] {
        indices.flatMap { numbers[$0 * width..<($0 + 1) * width] }
    }
}

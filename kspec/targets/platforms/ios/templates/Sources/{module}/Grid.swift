/// Values of a picture in double precision, each computed when it is read.
protocol Grid {
    var height: Int { get }
    var width: Int { get }
    var channels: Int { get }

    func value(x: Int, y: Int, channel: Int) -> Double
}

extension Grid {
    /// All values, in the order height, width, channels, rounded to single precision.
    func values() -> [Float] {
        var found: [Float] = []
        found.reserveCapacity(height * width * channels)
        for y in 0..<height {
            for x in 0..<width {
                for index in 0..<channels { found.append(Float(value(x: x, y: y, channel: index))) }
            }
        }
        return found
    }
}

/// An operation on the values of a picture, as in training.
protocol Step: Sendable {
    /// Throws `InputError` for a picture that cannot be used.
    func apply(_ given: any Grid) throws -> any Grid
}

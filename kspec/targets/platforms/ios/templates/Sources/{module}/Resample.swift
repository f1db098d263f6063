/// Stretches a picture to a height and a width, by the method `nearest` or `bilinear`.
struct Resample: Step {
    let height: Int
    let width: Int
    let method: String

    func apply(_ given: any Grid) throws -> any Grid {
        Stretched(
            given: given,
            rows: try Places(size: given.height, count: height, method: method),
            columns: try Places(size: given.width, count: width, method: method)
        )
    }

    /// Mixes rows first, then columns.
    private struct Stretched: Grid {
        let given: any Grid
        let rows: Places
        let columns: Places

        var height: Int { rows.count }
        var width: Int { columns.count }
        var channels: Int { given.channels }

        func value(x: Int, y: Int, channel: Int) -> Double {
            let (left, right) = (columns.before[x], columns.after[x])
            let first = rows.blend(y) { given.value(x: left, y: $0, channel: channel) }
            let second = rows.blend(y) { given.value(x: right, y: $0, channel: channel) }
            return first + (second - first) * columns.share[x]
        }
    }
}

/// The positions of samples along an axis. The centre of pixel i is at i + ½, so sample i reads from
/// (i + ½) · size / count − ½.
private struct Places {
    let count: Int
    private(set) var before: [Int] = []
    private(set) var after: [Int] = []
    private(set) var share: [Double] = []

    init(size: Int, count: Int, method: String) throws {
        self.count = count
        let step = Double(size) / Double(count)
        for index in 0..<count {
            let centre = (Double(index) + 0.5) * step
            switch method {
            case "bilinear":
                let place = min(max(centre - 0.5, 0), Double(size - 1))
                let low = Int(place.rounded(.down))
                before.append(low)
                after.append(min(low + 1, size - 1))
                share.append(place - Double(low))
            case "nearest":
                let nearest = min(Int(centre.rounded(.down)), size - 1)
                before.append(nearest)
                after.append(nearest)
                share.append(0)
            default: throw InputError("unknown method \(method)")
            }
        }
    }

    func blend(_ index: Int, _ value: (Int) -> Double) -> Double {
        let low = value(before[index])
        return low + (value(after[index]) - low) * share[index]
    }
}

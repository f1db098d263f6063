/// Multiplies by maximum / 255, which is computed first.
struct ScalePixels: Step {
    let maximum: Double

    func apply(_ given: any Grid) -> any Grid { Scaled(given: given, factor: maximum / 255) }

    private struct Scaled: Grid {
        let given: any Grid
        let factor: Double

        var height: Int { given.height }
        var width: Int { given.width }
        var channels: Int { given.channels }

        func value(x: Int, y: Int, channel: Int) -> Double {
            given.value(x: x, y: y, channel: channel) * factor
        }
    }
}

/// The channels of a decoded picture: 1 is grey, 2 grey and alpha, 3 colour, 4 colour and alpha. The
/// picture must have the height and width unless they are nil, and at most `maxPixels`.
struct DecodeImage: Step {
    let channels: Int
    let height: Int?
    let width: Int?
    let maxPixels: Int

    /// `given` has the channels red, green, blue and alpha.
    func apply(_ given: any Grid) throws -> any Grid {
        let size = "\(given.width) × \(given.height) pixels"
        guard given.width * given.height <= maxPixels else {
            throw InputError("\(size), more than \(maxPixels)")
        }
        if let height, let width, given.height != height || given.width != width {
            throw InputError("\(size), the model takes \(width) × \(height)")
        }
        return Channels(colors: given, channels: channels)
    }

    private struct Channels: Grid {
        let colors: any Grid
        let channels: Int

        var height: Int { colors.height }
        var width: Int { colors.width }

        func value(x: Int, y: Int, channel: Int) -> Double {
            if channels.isMultiple(of: 2), channel == channels - 1 {
                return colors.value(x: x, y: y, channel: 3)
            }
            guard channels < 3 else { return colors.value(x: x, y: y, channel: channel) }
            let red = Int(colors.value(x: x, y: y, channel: 0))
            let green = Int(colors.value(x: x, y: y, channel: 1))
            let blue = Int(colors.value(x: x, y: y, channel: 2))
            return Double((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16)
        }
    }
}

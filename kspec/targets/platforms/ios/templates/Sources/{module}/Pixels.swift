/// A picture: rows of red, green, blue and alpha, a byte each, alpha not multiplied in.
public struct Pixels: Sendable, Equatable {
    public let width: Int
    public let height: Int
    let bytes: [UInt8]

    /// Throws `InputError` where there are too few or too many bytes.
    public init(width: Int, height: Int, bytes: [UInt8]) throws {
        guard width > 0, height > 0, bytes.count == 4 * width * height else {
            throw InputError("\(bytes.count) bytes are no \(width) × \(height) pixels")
        }
        self.width = width
        self.height = height
        self.bytes = bytes
    }

    /// The picture as it is meant to be seen, by the orientation of its EXIF, 1 to 8.
    func upright(_ orientation: Int) throws -> Pixels {
        let isTurned = (5...8).contains(orientation)
        let (wide, high) = isTurned ? (height, width) : (width, height)
        let (right, bottom) = (width - 1, height - 1)
        var turned: [UInt8] = []
        turned.reserveCapacity(bytes.count)
        for y in 0..<high {
            for x in 0..<wide {
                let from: (x: Int, y: Int) =
                    switch orientation {
                    case 2: (right - x, y)
                    case 3: (right - x, bottom - y)
                    case 4: (x, bottom - y)
                    case 5: (y, x)
                    case 6: (y, bottom - x)
                    case 7: (right - y, bottom - x)
                    case 8: (right - y, x)
                    default: (x, y)
                    }
                let start = 4 * (from.y * width + from.x)
                turned += bytes[start..<start + 4]
            }
        }
        return try Pixels(width: wide, height: high, bytes: turned)
    }

    /// Rows of height × width × channels: 1 is grey, 2 grey and alpha, 3 colour, 4 colour and alpha.
    /// Computed in double precision, rows first, then columns: the numbers of the training, exactly.
    func sample(
        height high: Int, width wide: Int, channels: Int, as picture: Picture
    ) throws -> [Float] {
        guard picture.resize != nil || (width == wide && height == high) else {
            throw InputError("\(width) × \(height) pixels, the model takes \(wide) × \(high)")
        }
        let rows = Places(size: height, wanted: high, resize: picture.resize)
        let columns = Places(size: width, wanted: wide, resize: picture.resize)
        let factor = picture.maximum / 255
        var values: [Float] = []
        values.reserveCapacity(high * wide * channels)
        for y in 0..<high {
            for x in 0..<wide {
                let (left, right) = (columns.before[x], columns.after[x])
                for index in 0..<channels {
                    let first = rows.blend(y) { channel(index, of: channels, x: left, y: $0) }
                    let second = rows.blend(y) { channel(index, of: channels, x: right, y: $0) }
                    values.append(Float((first + (second - first) * columns.share[x]) * factor))
                }
            }
        }
        return values
    }

    private func channel(_ channel: Int, of channels: Int, x: Int, y: Int) -> Double {
        let start = 4 * (y * width + x)
        if channels.isMultiple(of: 2), channel == channels - 1 { return Double(bytes[start + 3]) }
        guard channels < 3 else { return Double(bytes[start + channel]) }
        let (red, green, blue) = (Int(bytes[start]), Int(bytes[start + 1]), Int(bytes[start + 2]))
        return Double((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16)
    }
}

/// Where along an axis the samples lie. The centre of pixel i is at i + ½, so sample i reads from
/// (i + ½) · size / wanted − ½.
private struct Places {
    private(set) var before: [Int] = []
    private(set) var after: [Int] = []
    private(set) var share: [Double] = []

    init(size: Int, wanted: Int, resize: Picture.Resize?) {
        let step = Double(size) / Double(wanted)
        for index in 0..<wanted {
            let centre = (Double(index) + 0.5) * step
            if resize == .bilinear {
                let place = min(max(centre - 0.5, 0), Double(size - 1))
                let low = Int(place.rounded(.down))
                before.append(low)
                after.append(min(low + 1, size - 1))
                share.append(place - Double(low))
            } else {
                let nearest = min(Int(centre.rounded(.down)), size - 1)
                before.append(nearest)
                after.append(nearest)
                share.append(0)
            }
        }
    }

    func blend(_ index: Int, _ value: (Int) -> Double) -> Double {
        let low = value(before[index])
        return low + (value(after[index]) - low) * share[index]
    }
}

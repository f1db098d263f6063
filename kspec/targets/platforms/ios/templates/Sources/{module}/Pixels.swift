/// A picture: rows of red, green, blue and alpha, one byte each, with straight alpha.
public struct Pixels: Sendable, Equatable {
    public let width: Int
    public let height: Int
    let bytes: [UInt8]

    /// Throws `InputError` for too few or too many bytes.
    public init(width: Int, height: Int, bytes: [UInt8]) throws {
        guard width > 0, height > 0, bytes.count == 4 * width * height else {
            throw InputError("\(bytes.count) bytes are not \(width) × \(height) pixels")
        }
        self.width = width
        self.height = height
        self.bytes = bytes
    }

    /// The picture turned upright, by its EXIF orientation, 1 to 8.
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
}

/// Red, green, blue and alpha.
extension Pixels: Grid {
    var channels: Int { 4 }

    func value(x: Int, y: Int, channel: Int) -> Double {
        Double(bytes[4 * (y * width + x) + channel])
    }
}

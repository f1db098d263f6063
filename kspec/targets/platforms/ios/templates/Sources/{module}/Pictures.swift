import Accelerate
import CoreGraphics
import CoreVideo
import Foundation
import ImageIO

#if canImport(UIKit)
import UIKit
#endif

// Core ML can take images itself, but resamples and converts them by other rules; here they become
// the same numbers as in training.

extension Pixels {
    /// A PNG, JPEG, HEIC or other file, turned upright by its EXIF. Throws `InputError` if it cannot
    /// be decoded, has more than eight bits a channel or more than `maximumPixels`.
    public init(file: Data) throws {
        guard let source = CGImageSourceCreateWithData(file as CFData, nil),
            let image = CGImageSourceCreateImageAtIndex(source, 0, nil)
        else { throw InputError("the picture cannot be decoded") }
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any]
        let orientation = properties?[kCGImagePropertyOrientation] as? Int ?? 1
        self = try Pixels(image).upright(orientation)
    }

    /// The pixels as they are stored, in the image's own colour space. Throws `InputError` for more
    /// than eight bits a channel, and for colours other than grey and RGB.
    public init(_ image: CGImage) throws {
        guard image.width * image.height <= maximumPixels else {
            throw InputError("\(image.width) × \(image.height) pixels, more than \(maximumPixels)")
        }
        guard image.bitsPerComponent <= 8, let stored = image.colorSpace else {
            throw InputError("more than eight bits a channel, or no colour space")
        }
        let space = stored.baseColorSpace ?? stored
        switch space.model {
        case .rgb: try self.init(image, in: space, channels: 4, alpha: .last)
        case .monochrome where image.alphaInfo == .none:
            try self.init(image, in: space, channels: 1, alpha: .none)
        default: throw InputError("colours that are neither grey without transparency nor RGB")
        }
    }

    /// The pixels of a buffer of the kind `kCVPixelFormatType_32BGRA`, which cameras can deliver.
    /// Throws `InputError` for another kind.
    public init(_ buffer: CVPixelBuffer) throws {
        guard CVPixelBufferGetPixelFormatType(buffer) == kCVPixelFormatType_32BGRA else {
            throw InputError("a pixel buffer that is not 32BGRA")
        }
        CVPixelBufferLockBaseAddress(buffer, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        guard let base = CVPixelBufferGetBaseAddress(buffer) else { throw InputError("no memory") }
        let (width, height) = (CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer))
        let stride = CVPixelBufferGetBytesPerRow(buffer)
        let rows = UnsafeRawBufferPointer(start: base, count: stride * height)
        try self.init(width: width, height: height, rows: rows, stride: stride, order: [2, 1, 0, 3])
    }

    #if canImport(UIKit)
    /// The pixels of the bitmap behind an image, turned upright. Throws `InputError` for an image
    /// without one.
    public init(_ image: UIImage) throws {
        guard let bitmap = image.cgImage else { throw InputError("an image without a bitmap") }
        self = try Pixels(bitmap).upright(image.imageOrientation.exif)
    }
    #endif

    private init(
        _ image: CGImage, in space: CGColorSpace, channels: Int, alpha: CGImageAlphaInfo
    ) throws {
        guard
            let format = vImage_CGImageFormat(
                bitsPerComponent: 8,
                bitsPerPixel: 8 * channels,
                colorSpace: space,
                bitmapInfo: CGBitmapInfo(rawValue: alpha.rawValue)
            )
        else { throw InputError("a picture of an unknown format") }
        let buffer = try vImage_Buffer(cgImage: image, format: format)
        defer { buffer.free() }
        let rows = UnsafeRawBufferPointer(start: buffer.data, count: buffer.rowBytes * image.height)
        let order = channels == 1 ? [0, 0, 0] : [0, 1, 2, 3]
        try self.init(
            width: image.width,
            height: image.height,
            rows: rows,
            stride: buffer.rowBytes,
            order: order
        )
    }

    /// Without a fourth channel, all pixels are opaque.
    private init(
        width: Int, height: Int, rows: UnsafeRawBufferPointer, stride: Int, order: [Int]
    ) throws {
        let step = (order.max() ?? 0) + 1
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * width * height)
        for y in 0..<height {
            for x in 0..<width {
                for channel in order { bytes.append(rows[y * stride + x * step + channel]) }
                if order.count == 3 { bytes.append(255) }
            }
        }
        try self.init(width: width, height: height, bytes: bytes)
    }
}

#if canImport(UIKit)
extension UIImage.Orientation {
    fileprivate var exif: Int {
        switch self {
        case .up: 1
        case .upMirrored: 2
        case .down: 3
        case .downMirrored: 4
        case .leftMirrored: 5
        case .right: 6
        case .rightMirrored: 7
        case .left: 8
        @unknown default: 1
        }
    }
}
#endif

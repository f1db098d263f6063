// What the package uses of Apple's frameworks and of Swift's own library, with the labels that their
// documentation gives. Bodies are left out. `swift build` on a Mac is the judge.

// Core ML
enum MLComputeUnits { case cpuOnly, cpuAndGPU, cpuAndNeuralEngine, all }
class MLModelConfiguration { init() {}; var computeUnits: MLComputeUnits }
class MLModel {
    init(contentsOf url: URL, configuration: MLModelConfiguration) throws {}
    static func compileModel(at url: URL) async throws -> URL {}
    func prediction(from input: MLFeatureProvider) throws -> MLFeatureProvider {}
    var modelDescription: MLModelDescription
}
class MLModelDescription { var metadata: [MLModelMetadataKey: Any] }
enum MLModelMetadataKey { case creatorDefinedKey }
protocol MLFeatureProvider { func featureValue(for name: String) -> MLFeatureValue? }
class MLDictionaryFeatureProvider { init(dictionary: [String: Any]) throws {} }
class MLFeatureValue {
    init<Scalar>(shapedArray: MLShapedArray<Scalar>) {}
    func shapedArrayValue<Scalar>(of: Scalar.Type) -> MLShapedArray<Scalar>? {}
}
struct MLShapedArray<Scalar> {
    init(scalars: [Scalar], shape: [Int]) {}
    var shape: [Int]
    var scalars: [Scalar]
}

// Core Graphics, Image I/O, Core Video, Accelerate, UIKit
class CGImage {
    var width: Int
    var height: Int
    var bitsPerComponent: Int
    var colorSpace: CGColorSpace?
    var alphaInfo: CGImageAlphaInfo
}
enum CGImageAlphaInfo { case none, last; var rawValue: UInt32 }
struct CGBitmapInfo { init(rawValue: UInt32) {} }
class CGColorSpace { var model: CGColorSpaceModel; var baseColorSpace: CGColorSpace? }
enum CGColorSpaceModel { case rgb, monochrome }
func CGImageSourceCreateWithData(_ data: CFData, _ options: CFDictionary?) -> CGImageSource? {}
func CGImageSourceCreateImageAtIndex(_ source: CGImageSource, _ index: Int, _ options: CFDictionary?) -> CGImage? {}
func CGImageSourceCopyPropertiesAtIndex(_ source: CGImageSource, _ index: Int, _ options: CFDictionary?) -> CFDictionary? {}
class CVPixelBuffer {}
enum CVPixelBufferLockFlags { case readOnly }
func CVPixelBufferGetPixelFormatType(_ buffer: CVPixelBuffer) -> OSType {}
func CVPixelBufferLockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {}
func CVPixelBufferUnlockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {}
func CVPixelBufferGetBaseAddress(_ buffer: CVPixelBuffer) -> UnsafeMutableRawPointer? {}
func CVPixelBufferGetWidth(_ buffer: CVPixelBuffer) -> Int {}
func CVPixelBufferGetHeight(_ buffer: CVPixelBuffer) -> Int {}
func CVPixelBufferGetBytesPerRow(_ buffer: CVPixelBuffer) -> Int {}
struct vImage_CGImageFormat {
    init?(bitsPerComponent: Int, bitsPerPixel: Int, colorSpace: CGColorSpace, bitmapInfo: CGBitmapInfo, renderingIntent: CGColorRenderingIntent = .defaultIntent) {}
}
struct vImage_Buffer {
    init(cgImage: CGImage, format: vImage_CGImageFormat, flags: vImage.Options = .noFlags) throws {}
    var data: UnsafeMutableRawPointer
    var rowBytes: Int
    func free() {}
}
class UIImage { var cgImage: CGImage?; var imageOrientation: UIImage.Orientation }
enum Orientation { case up, upMirrored, down, downMirrored, leftMirrored, right, rightMirrored, left }

// Foundation, CryptoKit, Dispatch, Darwin
struct URL {
    init(fileURLWithPath path: String) {}
    func deletingLastPathComponent() -> URL {}
    var lastPathComponent: String
    func appendingPathComponent(_ path: String) -> URL {}
    func appendingPathComponent(_ path: String, isDirectory: Bool) -> URL {}
    func setResourceValues(_ values: URLResourceValues) throws {}
    var path: String
}
struct URLResourceValues { init() {}; var isExcludedFromBackup: Bool? }
struct Data { init(contentsOf url: URL) throws {}; init(_ bytes: [UInt8]) {} }
class Bundle { static var module: Bundle; var resourceURL: URL?; var bundleURL: URL }
class FileManager {
    static var `default`: FileManager
    func url(for directory: SearchPathDirectory, in domain: SearchPathDomainMask, appropriateFor url: URL?, create: Bool) throws -> URL {}
    func createDirectory(at url: URL, withIntermediateDirectories: Bool) throws {}
    func fileExists(atPath path: String) -> Bool {}
    func fileExists(atPath path: String, isDirectory: UnsafeMutablePointer<ObjCBool>) -> Bool {}
    func moveItem(at url: URL, to other: URL) throws {}
    func removeItem(at url: URL) throws {}
    func subpathsOfDirectory(atPath path: String) throws -> [String] {}
}
enum SearchPathDirectory { case applicationSupportDirectory }
enum SearchPathDomainMask { case userDomainMask }
struct ObjCBool { var boolValue: Bool }
class ProcessInfo {
    static var processInfo: ProcessInfo
    var operatingSystemVersion: OperatingSystemVersion
    var operatingSystemVersionString: String
}
struct OperatingSystemVersion { var majorVersion: Int; var minorVersion: Int; var patchVersion: Int }
class JSONDecoder { init() {}; func decode<T>(_ type: T.Type, from data: Data) throws -> T {} }
protocol Decodable {}
protocol CodingKey {}
class JSONSerialization {
    static func jsonObject(with data: Data) throws -> Any {}
    static func data(withJSONObject object: Any, options: [WritingOptions]) throws -> Data {}
}
enum WritingOptions { case sortedKeys, withoutEscapingSlashes }
class NSNull { init() {} }
struct SHA256 { static func hash(data: Data) -> [UInt8] {} }
struct DispatchTime { static func now() -> DispatchTime {}; var uptimeNanoseconds: UInt64 }
func sysctlbyname(_ name: String, _ value: UnsafeMutableRawPointer?, _ size: UnsafeMutablePointer<Int>?, _ new: UnsafeMutableRawPointer?, _ length: Int) -> Int32 {}
func exit(_ code: Int32) -> Never {}
enum CommandLine { static var arguments: [String] }
typealias CFString = Int
typealias CFData = Int

// XCTest
class XCTestCase {}
func XCTAssertTrue(_ condition: Bool, _ message: String = "") {}
func XCTAssertEqual(_ found: Any, _ wanted: Any) {}
func XCTAssertThrowsError(_ value: Any) {}

// Swift
enum Optional { case none }
protocol Error {}
protocol Sendable {}
protocol Equatable {}
protocol CustomStringConvertible {}
struct Int { init(_ value: Double) {}; func isMultiple(of other: Int) -> Bool {} }
struct Int32 { init(_ value: UInt8) {}; init(bitPattern: UInt32) {} }
struct UInt8 { init(_ value: Int32) {} }
struct UInt32 { init(_ value: UInt8) {} }
struct Double {
    init(_ value: Float) {}
    static var infinity: Double
    static var nan: Double
    var isNaN: Bool
    var isFinite: Bool
    func rounded(_ rule: FloatingPointRoundingRule) -> Double {}
}
enum FloatingPointRoundingRule { case down }
struct Float { init(_ value: Double) {}; init(bitPattern: UInt32) {} }
struct Bool {}
struct String {
    init(_ text: Substring) {}
    init(_ number: UInt8, radix: Int) {}
    init(decoding bytes: [UInt8], as encoding: UTF8.Type) {}
    var utf8: [UInt8]
    func split(separator: Character) -> [Substring] {}
}
enum UTF8 {}
struct Any {}
struct Array<Element> {
    init(_ elements: [Element]) {}
    init(repeating: Element, count: Int) {}
    var count: Int
    var indices: Range
    var startIndex: Int
    var endIndex: Int
    var isEmpty: Bool
    func map<T>(_ transform: (Element) throws -> T) -> [T] {}
    func flatMap<T>(_ transform: (Element) throws -> [T]) -> [T] {}
    func compactMap<T>(_ transform: (Element) throws -> T?) -> [T] {}
    func filter(_ isIncluded: (Element) -> Bool) -> [Element] {}
    func reduce<T>(_ start: T, _ next: (T, Element) -> T) -> T {}
    func allSatisfy(_ predicate: (Element) -> Bool) -> Bool {}
    func contains(_ element: Element) -> Bool {}
    func contains(where predicate: (Element) -> Bool) -> Bool {}
    func prefix(_ count: Int) -> [Element] {}
    func prefix(while predicate: (Element) -> Bool) -> [Element] {}
    func dropFirst(_ count: Int = 1) -> [Element] {}
    func sorted() -> [Element] {}
    func sorted(by areInIncreasingOrder: (Element, Element) -> Bool) -> [Element] {}
    func lexicographicallyPrecedes(_ other: [Element]) -> Bool {}
    func reversed() -> [Element] {}
    func joined() -> [Element] {}
    func joined(separator: String) -> String {}
    func enumerated() -> [(Int, Element)] {}
    func max() -> Element? {}
    func append(_ element: Element) {}
    func reserveCapacity(_ count: Int) {}
}
typealias ArraySlice = Array
struct Set<Element> {
    init(_ elements: [Element]) {}
    func union(_ other: [Element]) -> Set<Element> {}
    func subtracting(_ other: [Element]) -> Set<Element> {}
}
struct Pair { var key: Any }
struct Dictionary {
    var keys: [String]
    init(uniqueKeysWithValues pairs: [Any]) {}
    func mapValues<T>(_ transform: (Any) throws -> T) -> [String: T] {}
    func merging(_ other: [String: Any], uniquingKeysWith combine: (Any, Any) -> Any) -> [String: Any] {}
}
struct UnsafeRawBufferPointer { init(start: UnsafeRawPointer?, count: Int) {} }
func precondition(_ condition: Bool, _ message: String = "") {}
func print(_ text: String) {}
func exp(_ value: Float) -> Float {}
func abs(_ value: Double) -> Double {}
func min(_ first: Double, _ second: Double) -> Double {}
func max(_ first: Double, _ second: Double) -> Double {}
func zip(_ first: [Any], _ second: [Any]) -> [(Any, Any)] {}
func stride(from start: Int, to end: Int, by step: Int) -> [Int] {}

// PackageDescription
class Package { init(name: String, platforms: [SupportedPlatform], products: [Product], targets: [Target]) {} }
class SupportedPlatform { static func iOS(_ version: String) {}; static func macOS(_ version: String) {} }
class Product { static func library(name: String, targets: [String]) {} }
class Target {
    static func target(name: String, dependencies: [String] = [], resources: [Resource] = []) {}
    static func executableTarget(name: String, dependencies: [String]) {}
    static func testTarget(name: String, dependencies: [String]) {}
}
class Resource { static func copy(_ path: String) {} }

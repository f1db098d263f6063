import Foundation

/// The golden rows of the model. An app that does not test itself leaves this library out.
public enum Golden {
    /// The folder that `selfTest(golden:)` takes.
    public static var folder: URL {
        (Bundle.module.resourceURL ?? Bundle.module.bundleURL)
            .appendingPathComponent("Golden", isDirectory: true)
    }
}

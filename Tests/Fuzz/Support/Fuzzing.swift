import CLibFuzzer
import Glibc

/// What a target does with one input.
public typealias FuzzBody = (UnsafeRawBufferPointer) -> Void

// libFuzzer calls a C function, which takes no context, from one thread.
nonisolated(unsafe) private var body: FuzzBody = { _ in }

/// Runs a target under libFuzzer, which reads its options from the command line and ends the process.
public func fuzz(_ target: @escaping FuzzBody) -> Never {
    body = target
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(LLVMFuzzerRunDriver(&count, &arguments) { testOneInput($0, $1) })
}

/// The name under which libFuzzer's own `main`, which is linked but not run, looks for the target.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    body(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

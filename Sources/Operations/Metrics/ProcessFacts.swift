import Foundation
import Glibc

/// What the kernel says of this process (proc(5)); zeros where it says nothing.
struct ProcessFacts: Sendable {
    var residentBytes: UInt64 = 0
    var virtualBytes: UInt64 = 0
    var cpuSeconds = 0.0
    var openFiles = 0
    var maximumFiles = 0

    init() {
        let pageBytes = UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 0))
        let pages = Self.content("/proc/self/statm").split(separator: " ").prefix(2).compactMap { UInt64($0) }
        if pages.count == 2 {
            virtualBytes = pages[0] &* pageBytes
            residentBytes = pages[1] &* pageBytes
        }
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            for time in [usage.ru_utime, usage.ru_stime] { cpuSeconds += Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        }
        openFiles = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { maximumFiles = Int(clamping: limit.rlim_cur) }
    }

    private static func content(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}

import Foundation

/// Tells this process from every other one, on any machine and in any container, and tells for certain of some that they are dead.
///
/// A row left by a process that was killed need not wait for the end of its lease when the next one starts in the same place.
struct ProcessIdentity: Sendable {
    /// `boot/namespace/pid/start`: the kernel's boot, the namespace in which the process id is meant, and when the process started in it.
    let birth: String

    private let boot: String
    private let namespace: String
    private let startOf: @Sendable (Int32) -> String?

    /// This process.
    static let current = ProcessIdentity(
        boot: (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? UUID().uuidString,
        namespace: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? UUID().uuidString,
        processIdentifier: ProcessInfo.processInfo.processIdentifier, startOf: startTime)

    init(boot: String, namespace: String, processIdentifier: Int32, startOf: @escaping @Sendable (Int32) -> String?) {
        self.boot = boot
        self.namespace = namespace
        self.startOf = startOf
        birth = [boot, namespace, String(processIdentifier), startOf(processIdentifier) ?? "?"].joined(separator: "/")
    }

    /// Whether the process of this birth is dead for certain: it lived here, and its number is free or another's. Of others nothing is known.
    func isCertainlyDead(birth: String) -> Bool {
        let parts = birth.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == boot, parts[1] == namespace, parts[3] != "?", let identifier = Int32(parts[2]) else {
            return false
        }
        return startOf(identifier) != parts[3]
    }

    /// Field 22 of `/proc/PID/stat` (proc(5)); nil when there is no such process, or nothing but its entry is left.
    private static func startTime(_ identifier: Int32) -> String? {
        guard let text = try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8),
            // The name in parentheses may hold spaces.
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return String(fields[19])
    }
}

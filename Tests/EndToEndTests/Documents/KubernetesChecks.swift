import Foundation
import Testing

/// What the pages type into `kubectl`, as far as it goes without a cluster. Without `kubectl` only the files are looked at.
struct KubernetesChecks {
    private static let folder = "docker/kubernetes"
    private let stage: DocumentStage

    init(_ stage: DocumentStage) { self.stage = stage }

    func look(at one: Typed) async throws {
        var words = one.text.split(separator: " ").map(String.init).dropFirst()
        let isThere = try await stage.type("command -v kubectl").end == .exit(0)
        if one.text.hasPrefix("kubectl apply ") {
            let path = try #require(words.last)
            #expect(FileManager.default.fileExists(atPath: Page.repository.appending(path: path).path), "\(one.place): there is no \(path)")
            guard isThere else { return }
            let built = try await stage.type("kubectl kustomize \(Self.folder)")
            #expect(built.end == .exit(0) && built.text.contains("kind: StatefulSet"), "\(one.place): \(built.text)")
            return
        }
        guard words.starts(with: ["--namespace", "penstock"]) else {
            Issue.record("\(one.place): '\(one.text)' looks into another namespace than docker/kubernetes uses")
            return
        }
        #expect(try DocumentChecks.text("\(Self.folder)/kustomization.yaml").contains("\nnamespace: penstock\n"))
        words = words.dropFirst(2)
        if one.text.contains(" create secret generic ") { return try await secret(one, isThere: isThere) }
        let verb = words.popFirst() ?? ""
        #expect(["describe", "exec", "get", "logs", "rollout"].contains(verb), "\(one.place)")
        if isThere { #expect(try await stage.type("kubectl \(verb) --help").end == .exit(0), "\(one.place)") }
        let set = try DocumentChecks.text("\(Self.folder)/statefulset.yaml")
        for word in words where word.hasPrefix("penstock") || word.hasPrefix("statefulset/") {
            #expect(["penstock-0", "penstock-1", "statefulset/penstock"].contains(word), "\(one.place): there is no \(word)")
            #expect(set.hasPrefix("apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: penstock\n"), "\(one.place)")
        }
        // The service is the first process of its container.
        if one.text.contains("kill -HUP 1") { #expect(try DocumentChecks.text("docker/Dockerfile").contains("ENTRYPOINT [\"penstock\"")) }
    }

    /// It makes the keys that the pods mount, as the pattern in the folder has them.
    private func secret(_ one: Typed, isThere: Bool) async throws {
        let name = try #require(one.text.firstMatch(of: #/ generic ([a-z-]+)/#)?.1)
        let pattern = try DocumentChecks.text("\(Self.folder)/secrets.example.yaml").components(separatedBy: "\n---\n")
            .first { $0.contains("name: \(name), ") }
        let wanted = Set(try #require(pattern).matches(of: /\n  ([a-z-]+): [^ {]/).map { String($0.1) })
        #expect(!wanted.isEmpty, "\(one.place)")
        let files = one.text.matches(of: /--from-file=([a-z-]+)(?:=([a-z-]+))?/)
        #expect(Set(files.map { String($0.1) }) == wanted, "\(one.place)")
        guard isThere else { return }
        for file in files { try stage.reader.write(String(file.2 ?? file.1), "secret\n") }
        let made = try await stage.type(one.text + " --dry-run=client -o yaml")
        #expect(made.end == .exit(0), "\(one.place): \(made.text)")
        for key in wanted { #expect(made.text.contains("\n  \(key): "), "\(one.place): \(made.text)") }
    }
}

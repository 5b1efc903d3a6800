import Foundation
import Testing

/// What the pages say of systemd, with a folder of the test in place of the machine's `/`. Without systemd's programs only the files are looked at.
struct UnitChecks {
    private let stage: DocumentStage

    init(_ stage: DocumentStage) { self.stage = stage }

    func look(at one: Typed) async throws {
        let unit = try DocumentChecks.text("docker/systemd/penstock.service")
        let words = one.text.split(separator: " ")
        if one.text.hasPrefix("systemd-analyze security") {
            try await rating(one)
        } else if words.first == "systemctl", words.count == 3 {
            #expect(words[2] == "penstock" && ["reload", "status"].contains(words[1]), "\(one.place)")
            // Without it there is nothing to reload by.
            #expect(unit.contains("\nExecReload="), "\(one.place)")
        } else {
            try await install(one)
        }
    }

    /// Each line of the installation, in its order.
    private func install(_ one: Typed) async throws {
        let root = stage.reader.folder.appending(path: "root")
        if !FileManager.default.fileExists(atPath: root.path) { try await prepare(root) }
        let command = one.text.replacing(#/ /(usr|etc)//#) { " '\(root.path)'/\($0.1)/" }
            .replacing("install -m 0755 penstock ", with: "install -m 0755 program ")
            // The group is made in the folder alone, and to give files away needs more rights.
            .replacing(" -g penstock", with: "")
            .replacing("systemd-sysusers", with: "{ ! command -v systemd-sysusers || systemd-sysusers --root='\(root.path)'; }")
            .replacing("systemctl daemon-reload && ", with: "")
            .replacing("systemctl enable --now", with: "! command -v systemctl || systemctl --root='\(root.path)' enable")
        let result = try await stage.type(command)
        #expect(result.end == .exit(0), "\(one.place): '\(command)': \(result.text)")
        guard one.text.contains("systemctl enable"), try await has("systemctl") else { return }
        let wanted = try await stage.type("readlink root/etc/systemd/system/multi-user.target.wants/penstock.service")
        #expect(wanted.text.contains("/etc/systemd/system/penstock.service"), "\(one.place): \(wanted.text)")
        #expect(try String(contentsOf: root.appending(path: "etc/passwd"), encoding: .utf8).contains("penstock:"), "\(one.place)")
        let verified = try await stage.type("systemd-analyze verify --man=no --root='\(root.path)' penstock.service")
        // A key that it does not know it names, and ends well.
        #expect(verified.end == .exit(0) && !verified.text.contains("penstock.service:"), "\(one.place): \(verified.text)")
    }

    /// What a Debian machine has.
    private func prepare(_ root: URL) async throws {
        let folders = "root/usr/local/bin root/usr/lib/sysusers.d root/usr/lib/systemd root/etc/systemd/system"
        // Targets and services that the unit names, and the program that it reloads by.
        let units = "if [ -d /usr/lib/systemd/system ]; then cp -a /usr/lib/systemd/system root/usr/lib/systemd/; fi"
        let program = "printf '#!/bin/sh\\n' >program && mkdir -p root/bin && cp /bin/kill root/bin/"
        let made = try await stage.type("mkdir -p \(folders) && \(units) && \(program)")
        #expect(made.end == .exit(0), "\(made.text)")
    }

    /// The page tells the rating; another version of systemd may weigh otherwise.
    private func rating(_ one: Typed) async throws {
        guard try await has("systemd-analyze") else { return }
        let offline = one.text.contains("--offline") ? one.text : one.text + " --offline=true"
        let result = try await stage.type("\(offline) --no-pager docker/systemd/penstock.service")
        guard !result.text.contains("nrecognized option"), result.end == .exit(0) else { return }
        let rated = try #require(result.text.firstMatch(of: /Overall exposure level for penstock.service: ([0-9.]+)/)?.1)
        let page = try Page(one.page).lines.joined(separator: " ")
        let words = "`\(one.text)` rates it "
        let place = try #require(page.range(of: words), "\(one.place): the page tells no rating")
        let told = page[place.upperBound...].prefix { $0.isNumber || $0 == "." }
        #expect(abs((Double(rated) ?? 0) - (Double(told) ?? 10)) < 0.35, "\(one.place): rated \(rated), and the page says \(told)")
    }

    private func has(_ program: String) async throws -> Bool { try await stage.type("command -v \(program)").end == .exit(0) }
}

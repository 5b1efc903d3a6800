import Foundation

/// Reads mapping files, strictly: every mistake of every file is told at once, with its place.
public struct MappingReader {
    private let diagnostics = DiagnosticList()

    public init() {}

    /// What was read.
    public struct Reading: Sendable {
        /// By name. Files with mistakes are left out.
        public var mappings: [MappingSyntax]
        public var diagnostics: [Diagnostic]
    }

    /// Reads all `.yaml` files of a folder.
    public static func read(folder: String) -> Reading {
        let reader = MappingReader()
        let place = SourceMark(file: folder, line: 1, column: 1)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            return Reading(
                mappings: [],
                diagnostics: [Diagnostic(at: place, "cannot read the folder of mappings", hint: "check 'mappings' in the configuration")])
        }
        for name in names where name.hasSuffix(".yml") {
            reader.diagnostics.add(
                at: SourceMark(file: folder + "/" + name, line: 1, column: 1), "mapping files end in .yaml", hint: "rename it")
        }
        let files = names.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.sorted()
        if files.isEmpty, reader.diagnostics.isEmpty {
            reader.diagnostics.add(at: place, "the folder holds no mapping", hint: "one .yaml file is one mapping")
        }
        return reader.reading(of: files.compactMap { reader.mapping(file: folder + "/" + $0) })
    }

    /// Reads one file.
    public static func read(file: String) -> Reading {
        let reader = MappingReader()
        return reader.reading(of: [reader.mapping(file: file)].compactMap { $0 })
    }

    /// Reads the text of one file.
    /// - Parameter file: what the file is called; its last part without `.yaml` is the mapping's name.
    public static func read(text: String, file: String) -> Reading {
        let reader = MappingReader()
        return reader.reading(of: [reader.mapping(text: text, file: file)].compactMap { $0 })
    }

    private func mapping(file: String) -> MappingSyntax? {
        let place = SourceMark(file: file, line: 1, column: 1)
        guard let data = FileManager.default.contents(atPath: file) else {
            diagnostics.add(at: place, "cannot read the file")
            return nil
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            diagnostics.add(at: place, "the file is not valid UTF-8")
            return nil
        }
        return mapping(text: text, file: file)
    }

    private func mapping(text: String, file: String) -> MappingSyntax? {
        let url = URL(fileURLWithPath: file)
        let before = diagnostics.diagnostics.count
        guard let root = StrictNode.read(text, file: file, diagnostics) else { return nil }
        let reader = MappingFileReader(diagnostics: diagnostics, folder: url.deletingLastPathComponent().path)
        let mapping = reader.read(root, name: url.deletingPathExtension().lastPathComponent)
        return diagnostics.diagnostics.count == before ? mapping : nil
    }

    /// What only all mappings together can show.
    private func reading(of mappings: [MappingSyntax]) -> Reading {
        TableChecks(diagnostics: diagnostics).check(mappings)
        let order = diagnostics.diagnostics.sorted {
            ($0.mark.file, $0.mark.line, $0.mark.column) < ($1.mark.file, $1.mark.line, $1.mark.column)
        }
        return Reading(mappings: mappings, diagnostics: order)
    }
}

import CopyFormat

/// Reads a column's type.
///
/// A name that no encoder knows may be that of an enum, a domain or an extension's type: its value is written as text, and the database reads it. But one
/// that comes near to a name of the list is taken for a slip of the pen; with its schema in front (`public.reel`) it is taken as it stands.
struct TypeReader {
    let diagnostics: DiagnosticList

    func read(_ words: String, at mark: SourceMark, column: String) -> ColumnType? {
        guard let type = ColumnType(parsing: words) else { return unknown(words, at: mark, column: column) }
        if case .timestamp = type.element {
            diagnostics.add(at: mark, "column '\(column)': type timestamp has no place on the time line", hint: "use timestamptz")
            return nil
        }
        return type
    }

    private func unknown(_ words: String, at mark: SourceMark, column: String) -> ColumnType? {
        func refuse(_ hint: String?) -> ColumnType? {
            diagnostics.add(at: mark, "type '\(words)' of column '\(column)' is not known", hint: hint)
            return nil
        }
        if words.contains("("), !words.contains(")") { return refuse("quote a type that holds a comma: \"numeric(4,2)\"") }
        guard let type = ColumnType(unknown: words) else {
            return refuse("a type's name has letters, digits and _, with limits in ( ) and [ ] of an array behind it")
        }
        let name = ColumnType.bareName(words)
        // With limits that it does not take, such as varchar(0), a known name is no name of another type.
        if ColumnType.names.contains(name) { return refuse(nil) }
        if ColumnType.knownToPostgreSQL.contains(name) || words.contains(".") || name.hasPrefix("interval") { return type }
        if name.contains(" ") { return refuse("a column reads TYPE [not null] from SOURCE") }
        guard let nearest = suggestion(for: name, among: ColumnType.names) else { return type }
        return refuse("\(nearest) A type of your own is written with its schema: public.\(name)")
    }
}

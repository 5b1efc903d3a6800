/// A name as SQL takes it: in double quotes, quotes doubled. Never a way for text to become SQL.
public func quoteIdentifier(_ name: String) -> String {
    "\"" + name.replacing("\"", with: "\"\"") + "\""
}

/// A table's name, `table` or `schema.table`, each part quoted.
public func quoteQualified(_ name: String) -> String {
    name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map { quoteIdentifier(String($0)) }.joined(separator: ".")
}

/// A text as a SQL literal, for statements that take no parameters. Independent of `standard_conforming_strings`.
public func quoteLiteral(_ text: String) -> String {
    " E'" + text.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
}

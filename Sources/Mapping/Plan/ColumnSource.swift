extension ColumnSyntax {
    /// What the column reads, as a mapping writes it: `sample.tF`, `line.date + line.clock`, `$.a or $.b`.
    public var sourceText: String { from.map(\.description).joined(separator: joinSeparator == nil ? " or " : " + ") }
}

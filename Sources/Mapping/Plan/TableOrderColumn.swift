import CopyFormat

extension TableDefinition {
    /// The column that says of when a row is: the one that the options tell, else the first time of day and zone that is never missing, else the first at all.
    public var orderColumn: String? {
        if let timeColumn { return timeColumn }
        let times = columns.filter { if case .timestamptz = $0.type { true } else { false } }
        return (times.first(where: \.isNotNull) ?? times.first)?.name
    }
}

extension MappingPlan {
    /// Where the fields of a target's rows in COPY's stream hold the time of the row; nil where they hold none that is a `timestamptz`.
    public func timeField(of target: Int) -> Int? {
        let target = targets[target]
        guard let name = tables.first(where: { $0.name == target.table })?.orderColumn,
            let column = target.columns.firstIndex(where: { $0.name == name }), case .timestamptz = target.columns[column].type
        else { return nil }
        return column + target.fieldCount - target.columns.count
    }
}

import Mapping
import PostgreSQL

/// Where tables lie that a mapping names without a schema.
public enum TablePlaces {
    /// The mappings with the schema named where the search path would lead into that of the service itself.
    ///
    /// Usually the search path is right, and nothing changes. But PostgreSQL begins it with the schema that is called like the role, and `penstock` suggests itself
    /// as the name of a role: then `table: dead_letter` would be the service's own table. Tables are looked for in the rest of the path, and made in its first schema.
    public static func placed(_ mappings: [MappingSyntax], _ connection: borrowing Connection) throws(PostgreSQLError) -> [MappingSyntax] {
        let path = try connection.query(
            """
            SELECT s FROM unnest(current_schemas(false)) WITH ORDINALITY AS p (s, place) WHERE s <> 'penstock'
              AND ('penstock' = ANY (current_schemas(false)) OR to_regnamespace('penstock') IS NULL AND current_user = 'penstock') ORDER BY place
            """
        ).compactMap { $0.first ?? nil }
        guard let first = path.first else { return mappings }
        var places: [String: String] = [:]
        for name in Set(mappings.flatMap { $0.blocks.map(\.table.name) }) where !name.contains(".") {
            var place = first
            for schema in path
            where try connection.query("SELECT to_regclass($1)", [quoteIdentifier(schema) + "." + quoteIdentifier(name)])[0][0] != nil {
                place = schema
                break
            }
            places[name] = place + "." + name
        }
        return mappings.map { mapping in
            var mapping = mapping
            for index in mapping.blocks.indices {
                if let place = places[mapping.blocks[index].table.name] { mapping.blocks[index].table.name = place }
            }
            return mapping
        }
    }
}

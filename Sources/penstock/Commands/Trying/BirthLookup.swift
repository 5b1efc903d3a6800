import Foundation
import Ingest
import Mapping
import Sparkplug

/// Where `penstock try` has the births of Sparkplug B from: a message of data says what it means only together with them.
struct BirthLookup {
    var database: DatabaseSettings
    /// The database is not asked.
    var isOffline: Bool
    /// The payload of a birth, as it was given.
    var given: [UInt8]?

    /// Births for a message, and what to tell whoever tries it if they turn out not to be enough.
    struct Found {
        /// Nil where the message needs none, or none were found.
        var births: BirthArchive?
        var remedy: String?
    }

    func births(for message: TrialMessage, _ mappings: [MappingSyntax]) async throws -> Found {
        guard MappingPlan(mappings).usesSparkplug, let (group, node) = StoredBirths.edgeNode(of: message.topic) else { return Found() }
        let how = "give one with --birth-file: the payload of the NBIRTH of the node, for a DDATA that of the DBIRTH of its device"
        if let given {
            do { return Found(births: try StoredBirths.given(given, for: message.topic)) } catch {
                throw Failure(.usage, "--birth-file: \(error)")
            }
        }
        if isOffline { return Found(remedy: "with --offline the database is not asked for birth certificates: \(how)") }
        do {
            let births = try await blocking { try StoredBirths.of(group: group, node: node, try database.connect().connection) }
            let place = "edge node \(group)/\(node)"
            return Found(
                births: births,
                remedy: births == nil
                    ? "the database has no birth certificate of \(place): \(how)"
                    : "the birth certificates of \(place) in the database do not explain it: \(how)")
        } catch {
            let reason = (error as? Failure)?.messages.joined(separator: "; ") ?? "the database: \(error)"
            return Found(remedy: "birth certificates cannot be looked up: \(reason); \(how)")
        }
    }
}

import Testing

/// The built `penstock` against a real PostgreSQL and a real broker, seen from outside only: what goes over the wire, what stands in the tables,
/// what the log says, how the process ends.
///
/// One after the other: they measure what an ingester does under load, and two of them would measure each other.
@Suite("End to end", .serialized, .withServers)
enum EndToEndTests {}

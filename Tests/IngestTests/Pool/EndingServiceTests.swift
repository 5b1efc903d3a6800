import Logging
import Mapping
import Testing

@testable import Ingest

@Suite("A service that ends")
struct EndingServiceTests {
    @Test("takes no mappings any more, since there is nobody left to take them")
    func reload() async throws {
        var configuration = Configuration()
        // Nobody listens there.
        configuration.broker.endpoints = [BrokerEndpoint(host: "127.0.0.1", port: 1)]
        configuration.broker.isWatched = false
        configuration.database.url = Secret("host=127.0.0.1 port=1 dbname=none")
        let plan = MappingPlan([])
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let service = try IngestService(configuration: configuration, plan: plan, logger: logger)
        service.start()
        try service.reload(plan)
        _ = try await service.shutdown(within: .seconds(1))
        #expect(throws: IngestService.IsEnding.self) { try service.reload(plan) }
    }
}

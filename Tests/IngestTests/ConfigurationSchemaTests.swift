import Foundation
import Mapping
import Testing

@testable import Ingest

@Suite("The schema of the configuration says what its reader takes")
struct ConfigurationSchemaTests {
    @Test("every key of every section is described, and the other way round")
    func keys() {
        for (section, keys) in ConfigurationReader.keys {
            #expect(ConfigurationSchema.object(section).keys.map(\.name).sorted() == keys.sorted(), "section '\(section)'")
        }
        let paths = ConfigurationReader.keys.flatMap { section, keys in keys.map { section.isEmpty ? $0 : section + "." + $0 } }
        #expect(ConfigurationSchema.keys.map(\.name).sorted() == paths.sorted())
    }

    @Test("it is JSON with the sections inside one another")
    func text() throws {
        let root = try JSONSerialization.jsonObject(with: Data(ConfigurationSchema.text.utf8)) as? [String: Any]
        let sections = root?["properties"] as? [String: Any]
        let broker = (sections?["broker"] as? [String: Any])?["properties"] as? [String: Any]
        let tls = (broker?["tls"] as? [String: Any])?["properties"] as? [String: Any]
        #expect(tls?["verify"] != nil)
        #expect((sections?["broker"] as? [String: Any])?["additionalProperties"] as? Bool == false)
    }
}

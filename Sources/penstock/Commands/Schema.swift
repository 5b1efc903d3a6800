import ArgumentParser
import Ingest
import Mapping

struct Schema: ParsableCommand {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case mapping, configuration
    }

    static let configuration = CommandConfiguration(
        abstract: "Prints the JSON Schema of mappings, or of the configuration, for editors.",
        discussion: """
            An editor with a YAML language server completes and checks a file whose first line names the schema:

                # yaml-language-server: $schema=penstock.schema.json

            Write it beside your mappings: penstock schema > mappings/penstock.schema.json
            """)

    @Argument(help: "Of what: mapping or configuration.")
    var kind = Kind.mapping

    func run() throws {
        switch kind {
        case .mapping: print(MappingSchema.text, terminator: "")
        case .configuration: print(ConfigurationSchema.text, terminator: "")
        }
    }
}

import CopyFormat
import Testing

@testable import Mapping

/// Reads the text of a mapping; what is wrong with it ends the test.
func mapping(_ text: String, name: String = "test") throws -> MappingSyntax {
    let reading = MappingReader.read(text: text, file: "mappings/\(name).yaml")
    try #require(reading.diagnostics.isEmpty, "\(reading.diagnostics.map(\.description).joined(separator: "\n"))")
    return try #require(reading.mappings.first)
}

/// What is wrong with the text of a mapping, one line each.
func mistakes(_ text: String) -> [String] {
    MappingReader.read(text: text, file: "mappings/test.yaml").diagnostics.map(\.description)
}

/// Sends one message through mappings.
func trial(_ mappings: [MappingSyntax], _ topic: String, _ payload: [UInt8], isRetained: Bool = false) -> Trial {
    // 2024-01-01T00:00:00Z
    Trial(MappingPlan(mappings), topic: topic, payload: payload, receivedMicroseconds: 1_704_067_200_000_000, isRetained: isRetained)
}

/// The rows of one mapping as text, NULL as a word.
func rows(_ text: String, _ topic: String, _ payload: String) throws -> [[String]] {
    let trial = trial([try mapping(text)], topic, Array(payload.utf8))
    #expect(trial.failures.isEmpty, "\(trial.failures)")
    return trial.rows.flatMap { part in part.rows.map { $0.map { $0?.shown ?? "NULL" } } }
}

/// Why a message is a dead letter; nil where it is none.
func reason(_ text: String, _ topic: String, _ payload: [UInt8]) throws -> String? {
    let trial = trial([try mapping(text)], topic, payload)
    if !trial.failures.isEmpty { #expect(trial.rows.isEmpty, "a dead letter leaves no row behind") }
    return trial.failures.first?.reason
}

func reason(_ text: String, _ topic: String, _ payload: String) throws -> String? { try reason(text, topic, Array(payload.utf8)) }

func rows(_ text: String, _ payload: String) throws -> [[String]] { try rows(text, "t", payload) }

func reason(_ text: String, _ payload: [UInt8]) throws -> String? { try reason(text, "t", payload) }

func reason(_ text: String, _ payload: String) throws -> String? { try reason(text, "t", payload) }

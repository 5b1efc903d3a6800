import Foundation
import Testing

@testable import Mapping

/// Asks a schema about a YAML file, as an editor does: scalars have the types that YAML 1.2 gives them.
struct SchemaCheck {
    let root: SchemaNode

    func accepts(_ node: StrictNode) -> Bool { accepts(node, root) }

    private enum Scalar: Equatable {
        case null, truth(Bool), number(Double), text(String)
    }

    private static func scalar(_ node: StrictNode) -> Scalar? {
        guard let text = node.text else { return nil }
        if node.isNull { return .null }
        if node.isQuoted { return .text(text) }
        if text == "true" || text == "false" { return .truth(text == "true") }
        let isNumber = text.range(of: #"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"#, options: .regularExpression) != nil
        return isNumber ? Double(text).map { .number($0) } ?? .text(text) : .text(text)
    }

    private func accepts(_ node: StrictNode, _ schema: SchemaNode) -> Bool {
        guard case .object(let keywords) = schema else { return false }
        return keywords.allSatisfy { holds($0.name, $0.value, node, keywords) }
    }

    private func holds(_ keyword: String, _ value: SchemaNode, _ node: StrictNode, _ all: [(name: String, value: SchemaNode)]) -> Bool {
        let scalar = Self.scalar(node)
        switch (keyword, value) {
        case ("$ref", .text(let reference)):
            let name = String(reference.dropFirst("#/definitions/".count))
            guard case .object(let members) = root,
                case .object(let definitions)? = members.first(where: { $0.name == "definitions" })?.value,
                let definition = definitions.first(where: { $0.name == name })
            else {
                Issue.record("there is no definition \(reference)")
                return false
            }
            return accepts(node, definition.value)
        case ("anyOf", .list(let choices)): return choices.contains { accepts(node, $0) }
        case ("allOf", .list(let choices)): return choices.allSatisfy { accepts(node, $0) }
        case ("enum", .list(let values)): return scalar.map { scalar in values.contains { Self.isSame(scalar, $0) } } ?? false
        case ("type", .text(let type)): return isOf(type, node)
        case ("type", .list(let types)): return types.contains { if case .text(let type) = $0 { isOf(type, node) } else { false } }
        case ("pattern", .text(let pattern)):
            guard case .text(let text)? = scalar else { return true }
            return text.range(of: pattern, options: .regularExpression) != nil
        case ("minimum", .number(let bound)): if case .number(let number)? = scalar { return number >= Double(bound) } else { return true }
        case ("maximum", .number(let bound)): if case .number(let number)? = scalar { return number <= Double(bound) } else { return true }
        case ("items", _): return node.items?.allSatisfy { accepts($0, value) } ?? true
        case ("minItems", .number(let count)): return node.items.map { $0.count >= count } ?? true
        case ("minProperties", .number(let count)): return node.members.map { $0.count >= count } ?? true
        case ("maxProperties", .number(let count)): return node.members.map { $0.count <= count } ?? true
        case ("required", .list(let names)):
            let given = node.members?.compactMap(\.key.text) ?? []
            return node.members == nil || names.allSatisfy { if case .text(let name) = $0 { given.contains(name) } else { false } }
        case ("propertyNames", .object(let rule)):
            guard case .text(let pattern)? = rule.first(where: { $0.name == "pattern" })?.value else { return true }
            return node.members?.allSatisfy { ($0.key.text ?? "").range(of: pattern, options: .regularExpression) != nil } ?? true
        case ("properties", .object(let properties)):
            return node.members?.allSatisfy { key, value in
                properties.first { $0.name == key.text }.map { accepts(value, $0.value) } ?? true
            } ?? true
        case ("additionalProperties", _):
            var known: [String] = []
            if case .object(let properties)? = all.first(where: { $0.name == "properties" })?.value { known = properties.map(\.name) }
            let others = node.members?.filter { !known.contains($0.key.text ?? "") } ?? []
            if case .flag(let isAllowed) = value { return isAllowed || others.isEmpty }
            return others.allSatisfy { accepts($0.value, value) }
        case ("description", _), ("title", _), ("$schema", _), ("definitions", _): return true
        default:
            Issue.record("a keyword that this check does not know: \(keyword)")
            return false
        }
    }

    private func isOf(_ type: String, _ node: StrictNode) -> Bool {
        switch (type, Self.scalar(node)) {
        case ("object", _): node.members != nil
        case ("array", _): node.items != nil
        case ("null", .null?), ("boolean", .truth?), ("number", .number?), ("string", .text?): true
        case ("integer", .number(let number)?): number == number.rounded()
        default: false
        }
    }

    private static func isSame(_ scalar: Scalar, _ value: SchemaNode) -> Bool {
        switch (scalar, value) {
        case (.text(let left), .text(let right)): left == right
        case (.number(let left), .number(let right)): left == Double(right)
        case (.truth(let left), .flag(let right)): left == right
        case (.null, .null): true
        default: false
        }
    }
}

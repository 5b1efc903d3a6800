import CopyFormat
import MQTT
import Mapping
import Payload

/// A mapping with messages, as another program asks.
public struct MappingRequest: Codable, Sendable {
    public struct Message: Codable, Sendable {
        public var topic: String
        /// Hexadecimal digits.
        public var payload: String
        /// Microseconds since 1970.
        public var received: Int64
        public var qos: UInt8?
        public var retain: Bool?
        public var content_type: String?
        public var user: [String: String]?
    }

    public var mapping: String
    public var messages: [Message]

    public init(mapping: String, messages: [Message]) {
        self.mapping = mapping
        self.messages = messages
    }

    public var answer: MappingAnswer {
        let reading = MappingReader.read(text: mapping, file: "mapping.yaml")
        guard reading.diagnostics.isEmpty else { return MappingAnswer(mistakes: reading.diagnostics.map(\.description)) }
        let plan = MappingPlan(reading.mappings)
        return MappingAnswer(messages: messages.map { $0.answer(plan) })
    }
}

extension MappingRequest.Message {
    fileprivate func answer(_ plan: MappingPlan) -> MappingAnswer.Message {
        var properties = PublishPropertiesWriter()
        if let content_type { properties.contentType(content_type) }
        for (name, value) in (user ?? [:]).sorted(by: { $0.key < $1.key }) { properties.userProperty(name, value) }
        let trial = Trial(
            plan, topic: topic, payload: payloadBytes, receivedMicroseconds: received, qos: qos ?? 0, isRetained: retain ?? false,
            properties: properties.bytes)
        if let failure = trial.failures.first { return .init(letter: failure.reason, column: failure.column) }
        var tables: [String: [[String: MappingAnswer.Field]]] = [:]
        // Blocks with other columns may write one table: their rows come block by block.
        for part in trial.rows {
            tables[part.table, default: []] += part.rows.map { row in
                Dictionary(zip(part.columns.map(\.name), row.map(MappingAnswer.Field.init)), uniquingKeysWith: { $1 })
            }
        }
        return .init(tables: tables)
    }

    private var payloadBytes: [UInt8] {
        let digits = payload.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue.map(UInt8.init) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// What the messages become, in a form that says every bit.
public struct MappingAnswer: Codable, Equatable, Sendable {
    public struct Message: Codable, Equatable, Sendable {
        /// Why there are no rows.
        public var letter: String?
        public var column: String?
        public var tables: [String: [[String: Field]]]?
    }

    /// NULL, `kind:text`, or the elements of an array.
    public enum Field: Codable, Equatable, Sendable {
        case null
        case value(String)
        case array([Field])

        init(_ value: DecodedValue?) {
            guard let value else {
                self = .null
                return
            }
            switch value {
            case .boolean(let boolean): self = .value("boolean:\(boolean)")
            case .integer(let number): self = .value("integer:\(number)")
            case .real(let number): self = .value("real:" + String(number.bitPattern, radix: 16))
            case .double(let number): self = .value("double:" + String(number.bitPattern, radix: 16))
            case .numeric(let text): self = .value("numeric:" + text)
            case .text(let text): self = .value("text:" + text)
            case .bytes: self = .value("bytes:" + value.text.dropFirst(2))
            case .time(let microseconds): self = .value("time:\(microseconds)")
            case .date(let days): self = .value("date:\(days)")
            case .json(let text): self = .value("json:" + text)
            case .array(let items): self = .array(items.map(Field.init))
            }
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let text = try? container.decode(String.self) {
                self = .value(text)
            } else {
                self = .array(try container.decode([Field].self))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .null: try container.encodeNil()
            case .value(let text): try container.encode(text)
            case .array(let items): try container.encode(items)
            }
        }
    }

    /// What is wrong with the mapping.
    public var mistakes: [String]?
    public var messages: [Message]?
}

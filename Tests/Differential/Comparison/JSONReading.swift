import Foundation
import Payload

/// A JSON document as a tree, to be compared: strings byte by byte, numbers bit by bit, members in the order of their names.
indirect enum JSONReading: Equatable {
    case null
    case boolean(Bool)
    /// The bits of the double, and the whole number where it is written as one and has 64 bits.
    case number(UInt64, Int64?)
    case string([UInt8])
    case array([JSONReading])
    case object([Member])

    struct Member: Equatable {
        var name: [UInt8]
        var value: JSONReading
    }

    /// Whether an object in it has two members of one name, as Swift tells strings apart.
    var repeatsName: Bool {
        switch self {
        case .array(let items): return items.contains(where: \.repeatsName)
        case .object(let members):
            let names = Set(members.map { String(decoding: $0.name, as: UTF8.self) })
            return names.count < members.count || members.contains(where: \.value.repeatsName)
        default: return false
        }
    }

    /// Members in an order that both readings share.
    static func members(_ members: [Member]) -> JSONReading { .object(members.sorted { $0.name.lexicographicallyPrecedes($1.name) }) }
}

// MARK: Foundation

extension JSONReading: Decodable {
    /// What Foundation's decoder takes the text for; it throws where it refuses it.
    static func foundation(_ text: [UInt8]) throws -> JSONReading { try JSONDecoder().decode(JSONReading.self, from: Data(text)) }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            self = .string(Array(text.utf8))
        } else if let number = try? value.decode(Double.self) {
            self = .number(number.bitPattern, try? value.decode(Int64.self))
        } else if let members = try? value.decode([String: JSONReading].self) {
            self = .members(members.map { Member(name: Array($0.key.utf8), value: $0.value) })
        } else if let items = try? value.decode([JSONReading].self) {
            self = .array(items)
        } else {
            self = .boolean(try value.decode(Bool.self))
        }
    }
}

// MARK: Penstock

extension JSONReading {
    /// Why a reading of ours ends.
    enum Refusal: Error {
        case text(JSONError)
        case number(NumberError)
        case notAValue
    }

    /// What our decoder takes the text for.
    static func penstock(_ text: UnsafeRawBufferPointer) throws(Refusal) -> JSONReading {
        let value: Value
        do throws(JSONError) { value = try JSON.validate(text) } catch { throw .text(error) }
        return try JSONReading(value)
    }

    init(_ value: Value) throws(Refusal) {
        switch value.kind {
        case .null: self = .null
        case .true: self = .boolean(true)
        case .false: self = .boolean(false)
        case .number:
            do throws(NumberError) {
                self = .number(try NumberText.double(value.bytes).bitPattern, try? NumberText.int64(value.bytes))
            } catch { throw .number(error) }
        case .string, .escapedString: self = .string(Self.text(value))
        case .array, .object:
            var items = JSON.Items(value)
            var key = Value.missing
            var item = Value.missing
            var list: [JSONReading] = []
            var names: [[UInt8]] = []
            while items.next(key: &key, item: &item) {
                list.append(try JSONReading(item))
                if value.kind == .object { names.append(Self.text(key)) }
            }
            self = value.kind == .array ? .array(list) : .members(zip(names, list).map { Member(name: $0, value: $1) })
        default: throw .notAValue
        }
    }

    private static func text(_ value: Value) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: value.bytes.count) { room, count in
            guard let start = room.baseAddress, value.bytes.count > 0 else { return }
            count = JSON.unescape(value, into: UnsafeMutableRawPointer(start))
        }
    }
}

/// Sensor Measurement Lists (RFC 8428) as JSON or CBOR, resolved (§4.6) and written as JSON text.
public enum SenML {
    /// How a pack is written.
    public enum Representation: String, Sendable, CaseIterable {
        /// RFC 8428 §5.
        case json
        /// RFC 8428 §6.
        case cbor

        /// What the first byte shows: an array of CBOR, or a tag before it, is no byte that JSON starts with.
        static func seen(in bytes: UnsafeRawBufferPointer) -> Representation {
            switch bytes.first {
            case .some(0x80...0x9F), .some(0xC0...0xDB): .cbor
            default: .json
            }
        }
    }

    /// A JSON array of the pack's measurements in their order: objects of `n`, `u`, `v`, `vs`, `vb`, `vd`, `s`, `t` and `ut` as the RFC
    /// names them. `n` and `t`, in seconds since 1970, are always there; the others where the record or a base field has them.
    ///
    /// Base fields are carried forward and added exactly, in decimal. A time below 2²⁸ counts from the time of receipt (§4.5.3). Bytes
    /// (`vd`) are base64url text in both representations. Records without a measurement, which only set base fields, are left out.
    /// - Parameters:
    ///   - representation: nil: as the first byte shows.
    ///   - receivedMicroseconds: when the message came, since 1970, UTC.
    /// - Throws: where a record is not what the RFC asks for, holds a field that must be understood (§4.4), or the version is over 10.
    public static func jsonText(
        of bytes: UnsafeRawBufferPointer, representation: Representation? = nil, receivedMicroseconds: Int64, limits: TreeLimits,
        into scratch: inout ScratchMemory
    ) throws(SenMLError) -> UnsafeRawBufferPointer {
        let mark = scratch.mark
        do throws(SenMLError) {
            let isCBOR = representation ?? .seen(in: bytes) == .cbor
            let text = isCBOR ? try jsonOfCBOR(bytes, limits, &scratch) : bytes
            let pack = try pack(text, limits)
            return try TreeWriter.text(in: &scratch, inputBytes: text.count, limits: limits) { writer throws(SenMLError) in
                var resolver = SenMLResolver(receivedMicroseconds: receivedMicroseconds, isCBOR: isCBOR)
                var records = JSON.Items(pack)
                var (index, record) = (Value.missing, Value.missing)
                writer.beginArray()
                while records.next(key: &index, item: &record) {
                    do throws(SenMLError.Fault) { try resolver.resolve(record, into: &writer) } catch {
                        throw .record(records.count, error)
                    }
                    // Here, and not only at the end: a long base name makes far more of a payload than it has bytes.
                    guard !writer.isOverLimit else { throw .tooLong(bytesMax: limits.maximumTextBytes) }
                }
                writer.endArray()
                guard !writer.isOverLimit else { throw .tooLong(bytesMax: limits.maximumTextBytes) }
            }
        } catch {
            scratch.release(to: mark)
            throw error
        }
    }

    /// The same pack with its labels as the text of their numbers.
    private static func jsonOfCBOR(
        _ bytes: UnsafeRawBufferPointer, _ limits: TreeLimits, _ scratch: inout ScratchMemory
    ) throws(SenMLError) -> UnsafeRawBufferPointer {
        do throws(TreeError) {
            return try CBOR.jsonText(of: bytes, limits: limits, into: &scratch, notation: .base64url, hasShortFloats: false)
        } catch {
            throw .cbor(error)
        }
    }

    private static func pack(_ text: UnsafeRawBufferPointer, _ limits: TreeLimits) throws(SenMLError) -> Value {
        let pack: Value
        do throws(JSONError) {
            pack = try JSON.validate(text, options: JSON.Options(maximumDepth: limits.maximumDepth, allowsNaN: false))
        } catch {
            throw .json(error)
        }
        guard pack.kind == .array else { throw .noArray }
        return pack
    }
}

/// Why a payload is no pack of SenML.
public enum SenMLError: Error, Hashable, Sendable, CustomStringConvertible {
    case json(JSONError)
    case cbor(TreeError)
    /// A pack is an array of records.
    case noArray
    /// A record, counted from 1, and what is wrong with it.
    case record(Int, Fault)
    /// The resolved records as JSON text are over the limit.
    case tooLong(bytesMax: Int)

    /// What can be wrong with a record.
    public enum Fault: Error, Hashable, Sendable {
        case noObject
        /// A field whose value is not of the type that RFC 8428 §4.3 gives it.
        case type(field: String, needs: String)
        /// Neither a name nor a base name.
        case noName
        /// A byte of a name that §4.5.1 does not allow, or not as the first.
        case nameByte(UInt8)
        /// More than one of `v`, `vs`, `vb` and `vd` (§4.2).
        case severalValues
        /// A field whose label ends with `_`: whoever does not know it must not read the pack (§4.4).
        case mustUnderstand
        /// A base version over 10, or no version at all (§4.4).
        case version
        /// Base and record together have more digits than are kept exactly, which are 38.
        case inexact(field: String)
    }

    public var description: String {
        switch self {
        case .json(let error): "\(error)"
        case .cbor(let error): "\(error)"
        case .noArray: "the payload is not an array of records"
        case .record(let number, let fault): "record \(number): \(Self.words(fault))"
        case .tooLong(let bytesMax): "more than \(bytesMax) bytes of resolved records"
        }
    }

    private static func words(_ fault: Fault) -> String {
        switch fault {
        case .noObject: "not an object"
        case .type(let field, let needs): "field \(field) is not \(needs)"
        case .noName: "there is no name"
        case .nameByte(let byte):
            "a name with the byte 0x\(String(byte, radix: 16)); letters, digits and - : . / _ are allowed, and a letter or a digit comes first"
        case .severalValues: "more than one of v, vs, vb and vd"
        case .mustUnderstand: "a field whose label ends with _ must be understood, and is not known"
        case .version: "bver is not a version from 1 to 10"
        case .inexact(let field): "field \(field) and its base value have more than 38 digits together"
        }
    }
}

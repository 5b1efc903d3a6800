/// What devices send to AirVantage, in any of its shapes, as one list of samples in JSON text.
public enum AirVantage {
    /// A JSON array of `{"time": …, "name": …, "value": …}` in the order of the payload; `time` is RFC 3339 text in UTC, or null where
    /// the device leaves it to the server.
    ///
    /// Read are, of `messages/json`, objects of values by name, of such objects by time, and of lists of `{"timestamp", "value"}` by
    /// name, alone or in an array; and of `messages/ts` the CBOR map of names `h`, factors `f` and samples `s`. Times are milliseconds
    /// since 1970, or seconds where they are below 10¹¹.
    /// - Throws: where the payload is none of these, or over the limits.
    public static func jsonText(
        of bytes: UnsafeRawBufferPointer, limits: TreeLimits, into scratch: inout ScratchMemory
    ) throws(AirVantageError) -> UnsafeRawBufferPointer {
        let mark = scratch.mark
        do throws(AirVantageError) {
            let isCBOR = isCBOR(bytes)
            let text = isCBOR ? try jsonOfCBOR(bytes, limits, &scratch) : bytes
            let root = try root(text, limits)
            return try TreeWriter.text(in: &scratch, inputBytes: text.count, limits: limits) { writer throws(AirVantageError) in
                writer.beginArray()
                var samples = AirVantageSamples(bytesMax: limits.maximumTextBytes)
                if isCBOR { try samples.compact(root, &writer) } else { try samples.plain(root, &writer) }
                writer.endArray()
                guard !writer.isOverLimit else { throw .tooLong(bytesMax: limits.maximumTextBytes) }
            }
        } catch {
            scratch.release(to: mark)
            throw error
        }
    }

    /// JSON starts with none of the bytes of a map of CBOR or of a tag before it.
    private static func isCBOR(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch bytes.first {
        case .some(0xA0...0xBF), .some(0xC0...0xDB): true
        default: false
        }
    }

    private static func jsonOfCBOR(
        _ bytes: UnsafeRawBufferPointer, _ limits: TreeLimits, _ scratch: inout ScratchMemory
    ) throws(AirVantageError) -> UnsafeRawBufferPointer {
        do throws(TreeError) {
            // A factor of 0.01 in 32 bits means 0.01.
            return try CBOR.jsonText(of: bytes, limits: limits, into: &scratch, notation: .base64, hasShortFloats: true)
        } catch {
            throw .cbor(error)
        }
    }

    private static func root(_ text: UnsafeRawBufferPointer, _ limits: TreeLimits) throws(AirVantageError) -> Value {
        do throws(JSONError) {
            return try JSON.validate(text, options: JSON.Options(maximumDepth: limits.maximumDepth, allowsNaN: false))
        } catch {
            throw .json(error)
        }
    }
}

/// Why a payload holds no samples of AirVantage.
public enum AirVantageError: Error, Hashable, Sendable, CustomStringConvertible {
    case json(JSONError)
    case cbor(TreeError)
    /// Neither an object nor an array of objects.
    case noSamples
    /// A timestamp that is no number of seconds or milliseconds within the years 1 to 9999.
    case time
    /// An entry of a list that is no object with a timestamp and a value.
    case noTimedValue
    /// The CBOR map lacks `h`, `f` or `s`, or one of them is not what it should be; said in words.
    case compact(String)
    /// The samples as JSON text are over the limit.
    case tooLong(bytesMax: Int)

    public var description: String {
        switch self {
        case .json(let error): "\(error)"
        case .cbor(let error): "\(error)"
        case .noSamples: "the payload is neither an object nor an array of objects"
        case .time: "a timestamp that is neither null nor a number of milliseconds or seconds within the years 1 to 9999"
        case .noTimedValue: "an entry of a list that is no object with a timestamp and a value"
        case .compact(let words): words
        case .tooLong(let bytesMax): "more than \(bytesMax) bytes of samples"
        }
    }
}

import Payload

// Payloads that become JSON text in scratch memory, to be read as any other.
extension Evaluator {
    /// JSON text may have so many times the bytes of the largest payload: null of one byte is four, a time of six is twenty.
    private static let textBytesFactor = 8

    /// How many bytes of JSON text a payload may become.
    var textBytesMax: Int {
        let (textBytes, isOver) = limits.maximumPayloadBytes.multipliedReportingOverflow(by: Self.textBytesFactor)
        return isOver ? .max : textBytes
    }

    /// The payload as JSON text; nil where the decoder is none of trees. The text stays until the next message.
    mutating func treeText(
        of payload: UnsafeRawBufferPointer, _ decode: DecodeSyntax
    ) throws(EvaluationError) -> UnsafeRawBufferPointer? {
        let limits = TreeLimits(maximumDepth: limits.maximumDepth, maximumTextBytes: textBytesMax)
        do {
            return switch decode {
            case .msgpack: try MessagePack.jsonText(of: payload, limits: limits, into: &scratch)
            case .cbor: try CBOR.jsonText(of: payload, limits: limits, into: &scratch)
            case .senml: try SenML.jsonText(of: payload, receivedMicroseconds: received, limits: limits, into: &scratch)
            case .airvantage: try AirVantage.jsonText(of: payload, limits: limits, into: &scratch)
            case .json, .text, .bytes, .csv, .binary, .sparkplug: nil
            }
        } catch {
            throw .because("decode \(decode.name): \(error)")
        }
    }

    /// Takes the steps before the decoder, one after the other; what they give stays until the next message.
    mutating func unpacked(
        _ payload: UnsafeRawBufferPointer, _ steps: [UnpackStep]
    ) throws(EvaluationError) -> UnsafeRawBufferPointer {
        var payload = payload
        let maximumBytes = limits.maximumPayloadBytes
        for step in steps {
            do throws(Unpack.Fault) {
                payload =
                    switch step {
                    case .hex: try unpackedText(payload, Unpack.hex)
                    case .base64: try unpackedText(payload, Unpack.base64)
                    case .gzip: try Unpack.gzip(payload, maximumBytes: maximumBytes, into: &scratch)
                    case .zlib: try Unpack.zlib(payload, maximumBytes: maximumBytes, into: &scratch)
                    case .deflate: try Unpack.deflate(payload, maximumBytes: maximumBytes, into: &scratch)
                    case .zstd: try Unpack.zstd(payload, maximumBytes: maximumBytes, into: &scratch)
                    }
            } catch .tooLarge {
                throw .because("unpack \(step.rawValue): more than decode.max_bytes (\(maximumBytes)) come out")
            } catch {
                throw .because("unpack \(step.rawValue): \(error)")
            }
        }
        return payload
    }

    /// Text that stands for bytes, of which it has more.
    private mutating func unpackedText(
        _ text: UnsafeRawBufferPointer, _ step: (UnsafeRawBufferPointer, UnsafeMutableRawPointer) throws(Unpack.Fault) -> Int
    ) throws(Unpack.Fault) -> UnsafeRawBufferPointer {
        let target = scratch.allocate(text.count + 3)
        return UnsafeRawBufferPointer(start: target, count: try step(text, target))
    }
}

/// Bytes as pairs of hexadecimal digits, in lower case.
public func hexadecimalDigits(of bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

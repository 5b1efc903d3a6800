/// One numbered step of the `penstock` schema, forward only. The SQL files at the top of the repository are compiled into the program.
public struct Migration: Sendable, Equatable {
    /// From 1, without a gap.
    public let number: Int
    public let name: String
    public let sql: String

    /// All steps, in order.
    public static let all: [Migration] = [
        Migration(number: 1, name: "penstock_schema", sql: String(decoding: PackageResources._001_penstock_schema_sql, as: UTF8.self)),
        Migration(number: 2, name: "exactly_once", sql: String(decoding: PackageResources._002_exactly_once_sql, as: UTF8.self)),
        Migration(number: 3, name: "subscriptions", sql: String(decoding: PackageResources._003_subscriptions_sql, as: UTF8.self)),
        Migration(
            number: 4, name: "unchanged_subscriptions",
            sql: String(decoding: PackageResources._004_unchanged_subscriptions_sql, as: UTF8.self)),
        Migration(
            number: 5, name: "sparkplug_births", sql: String(decoding: PackageResources._005_sparkplug_births_sql, as: UTF8.self)),
        Migration(number: 6, name: "for_analysts", sql: String(decoding: PackageResources._006_for_analysts_sql, as: UTF8.self)),
    ]

    /// FNV-1a over the SQL, 64 bits, in hexadecimal: notices a file that was changed after it was applied.
    public var checksum: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in sql.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }
}

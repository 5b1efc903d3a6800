import Payload

/// Times as tests write them.
enum Times {
    static func text(_ microseconds: Int64) -> String { CivilTime.text(unixMicroseconds: microseconds) }
}

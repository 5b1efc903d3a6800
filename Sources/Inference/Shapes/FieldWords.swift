/// What names of fields say to those who know the trade.
enum FieldWords {
    /// `a_b_c` of `aBC`, `A-B c` and the like: what PostgreSQL takes without quotes. Never empty.
    static func snakeCase(_ name: String) -> String {
        var result = ""
        var previous: Unicode.Scalar?
        let scalars = Array(name.unicodeScalars).flatMap { plainLetters[$0].map { Array($0.unicodeScalars) } ?? [$0] }
        for (index, scalar) in scalars.enumerated() {
            let isUpper = ("A"..."Z").contains(scalar)
            if isUpper, let previous {
                let next = index + 1 < scalars.count ? scalars[index + 1] : nil
                let startsWord =
                    ("a"..."z").contains(previous) || (("A"..."Z").contains(previous) && next.map { ("a"..."z").contains($0) } == true)
                if startsWord, !result.hasSuffix("_") { result.append("_") }
            }
            if isUpper {
                result.unicodeScalars.append(Unicode.Scalar(scalar.value + 32) ?? scalar)
            } else if ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) {
                result.unicodeScalars.append(scalar)
            } else if !result.isEmpty, !result.hasSuffix("_") {
                result.append("_")
            }
            previous = scalar
        }
        while result.hasSuffix("_") { result.removeLast() }
        if let first = result.utf8.first, (0x30...0x39).contains(first) { result = "c" + result }
        return result.isEmpty ? "value" : String(result.prefix(60))
    }

    /// Letters with marks, as they are written where there are none.
    private static let plainLetters: [Unicode.Scalar: String] = [
        "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "é": "e", "è": "e", "ê": "e", "ë": "e", "à": "a",
        "á": "a", "â": "a",
        "ã": "a", "å": "a", "ç": "c", "ñ": "n", "í": "i", "î": "i", "ï": "i", "ó": "o", "ô": "o", "õ": "o", "ø": "o", "ú": "u", "û": "u",
        "É": "E", "Å": "A",
        "Ø": "O", "ł": "l", "ś": "s", "š": "s", "č": "c", "ž": "z", "ř": "r", "ý": "y", "ą": "a", "ę": "e", "ć": "c", "ń": "n", "ż": "z",
        "ź": "z",
    ]

    private static func words(_ name: String) -> [Substring] { snakeCase(name).split(separator: "_") }

    /// Names of a point in time.
    static func isTime(_ name: String) -> Bool { timeRank(name) > 0 }

    /// How much a name promises the time of the reading: 3 `time`, 2 `received_at`, 1 something of the kind; 0 no time at all.
    static func timeRank(_ name: String) -> Int {
        let name = snakeCase(name)
        let words = name.split(separator: "_")
        if ["time", "timestamp", "ts", "tst", "datetime", "date_time", "t"].contains(name) { return 3 }
        if words.contains("uptime") || words.contains("runtime") || words.contains("airtime") || words.contains("downtime") { return 0 }
        if name.hasSuffix("_at")
            || ["date", "epoch", "when", "t0", "utc", "time_ms", "time_s", "ts_ms", "sampled", "measured"].contains(name)
        {
            return 2
        }
        let parts: Set<Substring> = ["time", "timestamp", "ts", "datetime", "date", "epoch", "utc", "last"]
        return words.contains(where: parts.contains) ? 1 : 0
    }

    /// Numbers that count on: `bigint` even while they are small.
    static func isCounter(_ name: String) -> Bool {
        let parts: Set<Substring> = [
            "count", "counter", "cnt", "seq", "sequence", "total", "uptime", "bytes", "packets", "messages", "fcnt", "odometer",
            "pulses",
            "serial", "frame",
        ]
        let words = words(name)
        return words.contains(where: parts.contains)
    }

    /// Quantities that are measured: whole only by chance.
    static func isMeasure(_ name: String) -> Bool {
        let parts: Set<Substring> = [
            "temperature", "temp", "humidity", "hum", "pressure", "voltage", "volt", "volts", "current", "amps", "power", "energy", "watt",
            "watts", "kwh",
            "flow", "level", "speed", "velocity", "vel", "wind", "rain", "moisture", "ec", "ph", "lux", "illuminance", "luminosity", "co2",
            "pm25",
            "pm10", "voc", "distance", "depth", "weight", "mass", "angle", "lat", "lon", "latitude", "longitude", "altitude", "alt", "snr",
            "torque", "vibration", "acceleration", "dew", "yield", "vcc", "today", "yesterday",
        ]
        let words = words(name)
        // A colour temperature is a setting.
        return words.contains(where: parts.contains) && !isCounter(name) && !words.contains("color") && !words.contains("colour")
    }

    /// Names of something that is told apart, not measured: digits there are no number.
    static func isIdentity(_ name: String) -> Bool {
        let parts: Set<Substring> = [
            "id", "eui", "imei", "imsi", "iccid", "serial", "sn", "mac", "addr", "address", "uuid", "guid", "key", "token", "version", "fw",
            "firmware",
            "hw", "zip", "phone", "code", "build", "bssid", "ssid",
        ]
        return words(name).contains(where: parts.contains)
    }

    /// Names of bytes that are written as text.
    static func isBytes(_ name: String) -> Bool {
        let parts: Set<Substring> = ["payload", "raw", "frame", "frm", "bytes", "blob", "hex", "binary"]
        return words(name).contains(where: parts.contains)
    }

    /// Names of a small step in time from a base, and what one unit of it is where the name says so.
    static func timeOffset(_ name: String) -> (isOffset: Bool, unit: String?) {
        let name = snakeCase(name)
        let unit: String? = name.hasSuffix("_ms") ? "1 ms" : name.hasSuffix("_us") ? "1 us" : name.hasSuffix("_s") ? "1 s" : nil
        let bare = unit == nil ? name : String(name.prefix { $0 != "_" })
        let names: Set<String> = ["dt", "delta", "offset", "off", "rel", "ms", "time_offset", "t_offset"]
        return (names.contains(bare) || names.contains(name), unit)
    }
}

/// Names what varies in topics after what it looks like, and after the level before it (`dev/{device}`, `site/{site}`).
struct CaptureNames {
    /// The pattern as a mapping writes it.
    private(set) var pattern = ""
    /// In order.
    private(set) var captures: [String] = []

    /// - Parameters:
    ///   - isScalar: the payload is one value, so the last level says what it is.
    ///   - taken: names that the payload has use for itself.
    init(_ levels: [PatternLevel], isScalar: Bool) {
        var parts: [String] = []
        // Names for the levels to come, of those who publish in a known order.
        var script: ArraySlice<String> = []
        for (index, level) in levels.enumerated() {
            switch level {
            case .literal(let text):
                script = Self.scripts[text].map { $0[...] } ?? script
                parts.append(text)
            case .variable(let values):
                let isLast = index == levels.count - 1
                if let pair = Self.pair(values) {
                    parts.append("{\(unique(pair.0))}@{\(unique(pair.1))}")
                    _ = script.popFirst()
                    continue
                }
                let name = script.popFirst() ?? Self.name(values, after: index > 0 ? levels[index - 1] : nil, isMetric: isLast && isScalar)
                parts.append("{\(unique(name))}")
            case .tail(let values):
                let previous = index > 0 ? levels[index - 1] : nil
                let name = script.popFirst() ?? (isScalar ? "metric" : Self.name(values, after: previous, isMetric: false))
                parts.append("{\(unique(name))...}")
            }
        }
        pattern = parts.joined(separator: "/")
    }

    /// What follows words that are the roots of well-known publishers.
    private static let scripts: [String: [String]] = [
        "zigbee2mqtt": ["device"], "tele": ["device"], "stat": ["device"], "cmnd": ["device"], "shellies": ["device", "metric"],
        "owntracks": ["user", "device"], "N": ["portal", "service", "instance", "path"], "homie": ["device", "node", "property"],
        "esphome": ["node"], "spBv1.0": ["group", "type", "node", "device"], "v3": ["application"],
    ]

    private static let nouns: Set<String> = [
        "site", "room", "sensor", "node", "gateway", "station", "meter", "machine", "plant", "building", "floor", "zone", "area", "cell",
        "channel",
        "relay", "input", "output", "switch", "light", "pump", "tank", "inverter", "battery", "vehicle", "app", "tenant", "user", "client",
        "customer",
        "location", "region", "house", "device", "serial", "mac", "group", "unit", "logger", "line", "cabinet", "rack", "port", "slot",
    ]

    private static let shortForms: [String: String] = [
        "dev": "device", "devs": "device", "thing": "device", "things": "device", "gw": "gateway", "ch": "channel", "loc": "location",
        "sn": "serial",
        "apps": "application", "tracker": "device", "trackers": "device", "csv": "logger", "bin": "device", "raw": "device",
    ]

    static func singular(_ word: String) -> String {
        if word.count > 4, word.hasSuffix("ies") { return word.dropLast(3) + "y" }
        if word.count > 3, word.hasSuffix("s"), !word.hasSuffix("ss"), !word.hasSuffix("us"), !word.hasSuffix("is") {
            return String(word.dropLast())
        }
        return word
    }

    private static func name(_ values: Set<String>, after previous: PatternLevel?, isMetric: Bool) -> String {
        let words = values.map { LevelWord($0) }
        let areIDs = words.allSatisfy(\.isID)
        if case .literal(let text)? = previous {
            let word = FieldWords.snakeCase(text)
            if let long = shortForms[word] { return long }
            let one = singular(word)
            if one != word, !isMetric { return one }
            if let own = leadingWord(values) { return own }
            if nouns.contains(one) { return one }
            // `binary_sensor`
            if let last = one.split(separator: "_").last, nouns.contains(String(last)) { return String(last) }
            if isMetric, !areIDs { return "metric" }
            if values.allSatisfy({ TextGuess.isMAC($0) }) { return "mac" }
            if areIDs, word.utf8.count >= 3, word.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") }) { return one }
        }
        if isMetric, !areIDs { return "metric" }
        if values.allSatisfy({ TextGuess.isMAC($0) }) { return "mac" }
        if values.allSatisfy({ TextGuess.isDigits($0) }) { return words.allSatisfy(\.isStrongID) ? "serial" : "channel" }
        return areIDs ? "device" : "name"
    }

    /// What all values start with, where a number or hexadecimal digits follow: `logger` of `logger-1A2B`.
    private static func leadingWord(_ values: Set<String>) -> String? {
        var words: Set<String> = []
        for value in values {
            let word = value.prefix { $0.isASCII && $0.isLetter }
            guard (3...20).contains(word.count), let next = value.dropFirst(word.count).first, next == "-" || next == "_",
                LevelWord(value).isID
            else {
                return nil
            }
            words.insert(word.lowercased())
        }
        return words.count == 1 ? words.first : nil
    }

    /// `app@tenant`
    private static func pair(_ values: Set<String>) -> (String, String)? {
        let areTwo = values.allSatisfy { value in
            let parts = value.split(separator: "@", omittingEmptySubsequences: false)
            return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
        }
        return areTwo ? ("application", "tenant") : nil
    }

    private mutating func unique(_ name: String) -> String {
        var candidate = name
        var number = 2
        while captures.contains(candidate) {
            candidate = "\(name)\(number)"
            number += 1
        }
        captures.append(candidate)
        return candidate
    }
}

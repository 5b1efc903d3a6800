/// What one device has to say at one moment.
struct KindPayload {
    /// Of the device among those of its kind, from 0.
    let number: Int
    /// Of the message, from 0.
    let sequence: Int
    /// The device's clock, since 1970.
    let milliseconds: Int64
    /// Bits that are the device's for good.
    let identity: UInt64
    /// Bits of this message.
    let noise: UInt64

    func message(_ kind: DeviceKind) -> (topic: String, payload: [UInt8]) {
        switch kind {
        case .zigbee: zigbee
        case .tasmota: tasmota
        case .shelly: shelly
        case .lorawan: lorawan
        case .owntracks: owntracks
        case .victron: victron
        case .esphome: esphome
        case .logger: logger
        case .meter: meter
        case .edge: edge
        case .vibration: vibration
        case .pump: pump
        }
    }

    // MARK: Numbers

    /// From 0 up to but not including `bound`; the same for the same place in the message.
    func random(_ place: UInt64, _ bound: Int) -> Int { Int(mixed(noise, place) % UInt64(bound)) }

    /// True in `percent` of a hundred messages.
    func happens(_ place: UInt64, _ percent: Int) -> Bool { random(place, 100) < percent }

    /// `digits` behind the point: from `low` to `low + span`, both counted in the last digit.
    func decimal(_ place: UInt64, _ low: Int, _ span: Int, digits: Int) -> String {
        Self.decimal(low + random(place, span), digits: digits)
    }

    static func decimal(_ value: Int, digits: Int) -> String {
        var unit = 1
        for _ in 0..<digits { unit *= 10 }
        let fraction = String(abs(value) % unit)
        return (value < 0 ? "-" : "") + String(abs(value) / unit) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    static func hex(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String((String(repeating: "0", count: 16) + text).suffix(digits))
    }

    func text(_ topic: String, _ payload: String) -> (topic: String, payload: [UInt8]) { (topic, Array(payload.utf8)) }
}

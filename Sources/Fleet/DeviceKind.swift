/// Kinds of device as they are met in the field: each with the topics, the payloads and the oddities of something well known.
public enum DeviceKind: String, Sendable, CaseIterable {
    /// Zigbee2MQTT: JSON whose members come and go, names of devices that hold slashes.
    case zigbee
    /// Tasmota `SENSOR`: an object for each sensor, under its own name; local time without an offset.
    case tasmota
    /// Shelly (first generation): one value a topic, numbers and on/off.
    case shelly
    /// The Things Stack uplinks: deep JSON, nanoseconds, a list of gateways.
    case lorawan
    /// OwnTracks: two shapes on one topic, told apart by `_type`; times in seconds.
    case owntracks
    /// Victron Venus: `{"value": x}` on topics of different depth.
    case victron
    /// ESPHome: one value a topic as text, `nan` among them.
    case esphome
    /// A data logger: CSV with a header, `;` and decimal comma.
    case logger
    /// An energy meter: lines of cells without a header, times in seconds.
    case meter
    /// An edge box: a base time in milliseconds and a list of samples.
    case edge
    /// A vibration monitor: arrays of the same length side by side.
    case vibration
    /// A pump controller: records of 24 bytes, little-endian.
    case pump
}

extension DeviceKind {
    var nearestFormat: PayloadFormat {
        switch self {
        case .logger, .meter, .shelly, .esphome: .csv
        case .pump: .binary
        default: .json
        }
    }
}

/// Devices of these kinds, dealt out in turn.
struct KindFleet: Sendable {
    let topicRoot: String
    let kinds: [DeviceKind]
    let devices: Int
    let seed: UInt64

    /// The message of a device (numbered from 0 within the fleet) as it is published.
    /// - Parameters:
    ///   - sequence: of the device, from 0.
    ///   - milliseconds: the device's clock, since 1970.
    func message(of device: Int, _ sequence: Int, at milliseconds: Int64) -> DeviceMessage {
        let kind = kinds[device % kinds.count]
        let number = device / kinds.count
        let payload = KindPayload(
            number: number, sequence: sequence, milliseconds: milliseconds, identity: mixed(seed, UInt64(device)),
            noise: mixed(seed ^ 0x5DEE_CE66, UInt64(device) << 32 | UInt64(truncatingIfNeeded: sequence)))
        let (topic, bytes) = payload.message(kind)
        return DeviceMessage(topic: topicRoot + "/" + topic, payload: bytes)
    }
}

/// One step of SplitMix64 over two numbers: the same for the same numbers, and nothing like it for their neighbours.
func mixed(_ one: UInt64, _ other: UInt64) -> UInt64 {
    var value = one &* 0x9E37_79B9_7F4A_7C15 &+ other &* 0xBF58_476D_1CE4_E5B9 &+ 0x94D0_49BB_1331_11EB
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
}

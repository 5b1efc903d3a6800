import Fleet
import Mapping
import Testing

@testable import Inference

@Suite("Proposals for twelve kinds of device")
struct FleetProposalTests {
    /// 2026-03-01T12:00:00Z
    static let start: Int64 = 1_772_366_400_000

    /// What a fleet says in rounds of five seconds, each message received half a second after it was made.
    static func messages(_ kinds: [DeviceKind] = DeviceKind.allCases, devicesOfKind: Int = 3, rounds: Int = 40) -> [ObservedMessage] {
        let fleet = DeviceFleet(devices: kinds.count * devicesOfKind, kinds: kinds)
        return (0..<fleet.devices * rounds).map { number in
            let milliseconds = start + Int64(fleet.sequence(of: number)) * 5000 + Int64(number % fleet.devices) * 17
            let message = fleet.message(number, at: milliseconds)
            return ObservedMessage(topic: message.topic, payload: message.payload, receivedMicroseconds: milliseconds * 1000 + 500_000)
        }
    }

    /// The types that someone who knows the devices would choose; captures and `time` are text and timestamptz everywhere.
    static let types: [String: String] = [
        "esphome_motion_state": "motion boolean",
        "esphome_sensor_state": "value double precision",
        "esphome_version_state": "version text",
        "heating_csv":
            "vorlauf double precision, ruecklauf double precision, durchfluss double precision, stoerung integer",
        "lorawan_devices_up":
            "device_id text, application_id text, dev_eui text, f_port integer, f_cnt bigint, frm_payload bytea, moisture double precision, "
            + "temperature double precision, battery double precision, bandwidth integer, spreading_factor integer, frequency bigint, consumed_airtime text",
        "lorawan_devices_up_rx_metadata": "gateway_id text, rssi integer, snr double precision, channel_index integer",
        "meters_values": "c1 double precision, c2 double precision, c3 bigint, c4 double precision, c5 text",
        "owntracks_location":
            "type text, acc integer, alt double precision, batt integer, conn text, lat double precision, lon double precision, t text, tid text, "
            + "vel double precision, inregions text[]",
        "owntracks_lwt": "type text",
        "plant_telemetry": "seq bigint, fw text, t double precision, h double precision",
        "pumps_frame": "payload bytea",
        "shellies": "value double precision, state boolean, text text",
        "tasmota_sensor":
            "sensor text, temp_unit text, temperature double precision, humidity double precision, dew_point double precision, id text",
        "tasmota_state":
            "uptime text, uptime_sec bigint, heap integer, sleep_mode text, sleep integer, load_avg integer, mqtt_count bigint, power boolean, ap integer, "
            + "ss_id text, bss_id text, channel integer, rssi integer, signal integer, link_count bigint, downtime text",
        "vibration_burst": "machine text, x double precision, y double precision, rpm integer",
        "victron": "value double precision, value_text text",
        // Millivolts, which come as whole numbers: the guess is double precision.
        "zigbee2mqtt":
            "temperature double precision, humidity double precision, pressure double precision, battery integer, voltage integer, contact boolean, "
            + "tamper boolean, state boolean, brightness integer, color_temp integer, linkquality integer, update_available boolean",
    ]

    @Test("store every message, and a person would change two types at most")
    func types() throws {
        let messages = Self.messages()
        let inference = Inference(messages)
        var found: [String: [String: String]] = [:]
        for proposal in inference.proposals {
            #expect(proposal.problems == [])
            #expect(proposal.storedCount == proposal.messageCount, "\(proposal.losses)\n\(proposal.text)")
            #expect(proposal.testCount >= 3)
            let mapping = try #require(MappingReader.read(text: proposal.text, file: proposal.name + ".yaml").mappings.first)
            for block in mapping.blocks {
                let captures = Set(mapping.topics.flatMap(\.value.captures))
                for column in block.columns where column.name != "time" && !captures.contains(column.name) {
                    found[block.table.name, default: [:]][column.name] = column.type.sql
                }
            }
        }
        #expect(inference.proposals.reduce(0) { $0 + $1.messageCount } == messages.count)
        var changed: [String] = []
        for (table, wanted) in Self.types {
            var columns = found.removeValue(forKey: table) ?? [:]
            for column in wanted.split(separator: ", ") {
                let words = column.split(separator: " ", maxSplits: 1).map(String.init)
                let type = columns.removeValue(forKey: words[0])
                if type != words[1] { changed.append("\(table).\(words[0]): \(type ?? "no such column"), wanted \(words[1])") }
            }
            #expect(columns.isEmpty, "\(table) has columns that nobody asked for")
        }
        #expect(found.isEmpty)
        #expect(changed.count <= 2, "\(changed)")
        #expect(changed == ["zigbee2mqtt.voltage: double precision, wanted integer"])
    }

    @Test(
        "have the patterns and the keys that the devices ask for",
        arguments: [
            (DeviceKind.zigbee, "topic: site/zigbee2mqtt/{device...}\n", "linkquality: integer not null\n"),
            (.tasmota, "topic: site/tele/{device}/SENSOR\n", "key: [device, sensor, time]"),
            (.shelly, "topic: site/shellies/{device}/{metric...}\n", "is: numeric"),
            (
                .lorawan, "topic: site/v3/{application}@{tenant}/devices/{device}/up\n",
                "key: [application, tenant, device, gateway_id, time]"
            ),
            (.owntracks, "topic: site/owntracks/{user}/{device}\n", "key: [user, device, time]"),
            (.victron, "topic: site/N/{portal}/{service}/{instance}/{path...}\n", "table: "),
            (.esphome, "topic: site/esphome/{node}/sensor/{sensor}/state\n", "null_if: nan"),
            (.logger, "topic: site/heating/{logger}/csv\n", "join: [line.Datum, line.Uhrzeit]"),
            (.meter, "topic: site/meters/{meter}/values\n", "key: [meter, time]"),
            (.edge, "topic: site/plant/{edge}/telemetry\n", "plus: {from: sample.dt, times: 1 ms}"),
            (.vibration, "topic: site/vibration/{press}/burst\n", "key: [press, time]"),
            (.pump, "topic: site/pumps/{pump}/frame\n", "time: u32 at 4"),
        ])
    func patterns(kind: DeviceKind, topic: String, more: String) {
        let texts = Inference(Self.messages([kind], devicesOfKind: 4)).proposals.map(\.text)
        #expect(texts.contains { $0.contains(topic) && $0.contains(more) }, "\(texts.joined(separator: "\n"))")
    }

    @Test("take each message by one mapping when all run together, also messages that come later")
    func together() {
        let messages = Self.messages()
        let mappings = Inference(messages).proposals.flatMap { MappingReader.read(text: $0.text, file: $0.name + ".yaml").mappings }
        let plan = MappingPlan(mappings)
        for message in Self.messages(rounds: 60) {
            let trial = Trial(
                plan, topic: message.topic, payload: message.payload, receivedMicroseconds: message.receivedMicroseconds, qos: 1)
            #expect(trial.failures.isEmpty && trial.outcome.rowCount > 0 && trial.outcome.matchedCount == 1, "\(message.topic)")
        }
    }

    @Test("are the same for the same messages")
    func deterministic() {
        let messages = Self.messages(devicesOfKind: 3, rounds: 12)
        #expect(Inference(messages).proposals.map(\.text) == Inference(messages).proposals.map(\.text))
    }
}

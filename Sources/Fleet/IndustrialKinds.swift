/// What is found in plants and in the field: LoRaWAN, Victron, loggers, meters, edge boxes, controllers.
extension KindPayload {
    var lorawan: (topic: String, payload: [UInt8]) {
        let device = "soil-" + Self.hex(identity, digits: 6).lowercased()
        let eui = "70B3D5" + Self.hex(identity, digits: 10)
        // Nanoseconds, as the network server writes them.
        let time =
            DeviceFleet.dateAndClock(milliseconds / 1000) + "." + String(String(1000 + milliseconds % 1000).dropFirst())
            + Self.decimalDigits(random(1, 1_000_000))
        var decoded = ["\"moisture\":\(decimal(2, 100, 400, digits: 1))", "\"temperature\":\(decimal(3, 20, 250, digits: 1))"]
        if happens(4, 40) { decoded.append("\"battery\":\(decimal(5, 300, 70, digits: 2))") }
        let gateways = (0...random(6, 2)).map { gateway in
            """
            {"gateway_ids":{"gateway_id":"gw-\(["roof", "silo", "barn"][(number + gateway) % 3])"},"rssi":\(-120 + random(7 + UInt64(gateway), 60)),\
            "snr":\(decimal(10 + UInt64(gateway), -50, 150, digits: 1)),"channel_index":\(random(13 + UInt64(gateway), 8))}
            """
        }
        let payload = """
            {"end_device_ids":{"device_id":"\(device)","application_ids":{"application_id":"farm"},"dev_eui":"\(eui)"},"received_at":"\(time)Z",\
            "uplink_message":{"f_port":2,"f_cnt":\(sequence + 1),"frm_payload":"\(Self.base64(noise))","decoded_payload":{\(decoded.joined(separator: ","))},\
            "rx_metadata":[\(gateways.joined(separator: ","))],"settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":\(7 + random(20, 6))}},\
            "frequency":"\(868_100_000 + random(21, 3) * 200_000)"},"consumed_airtime":"0.056576s"}}
            """
        return text("v3/farm@acme/devices/\(device)/up", payload)
    }

    private static func decimalDigits(_ value: Int) -> String { String(String(1_000_000 + value).dropFirst()) }

    /// Six bytes in base64.
    private static func base64(_ bits: UInt64) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        return String((0..<8).map { alphabet[Int(bits >> UInt64($0 * 6) & 63)] })
    }

    var victron: (topic: String, payload: [UInt8]) {
        let portal = "N/" + Self.hex(identity, digits: 12).lowercased()
        let (path, value): (String, String) =
            switch sequence % 8 {
            case 0: ("system/0/Dc/Battery/Voltage", decimal(1, 4700, 900, digits: 2))
            case 1: ("system/0/Dc/Pv/Power", decimal(2, 0, 50_000, digits: 1))
            case 2: ("system/0/Serial", "\"HQ\(Self.hex(identity, digits: 8))\"")
            case 3: ("battery/256/Soc", decimal(3, 200, 800, digits: 1))
            case 4: ("battery/256/Dc/0/Temperature", happens(4, 20) ? "null" : String(15 + random(5, 20)))
            case 5: ("vebus/257/Ac/Out/L1/P", String(random(6, 3000)))
            case 6: ("vebus/257/Mode", "3")
            default: ("grid/30/Ac/Energy/Forward", decimal(7, sequence * 100, 50, digits: 2))
            }
        return text(portal + "/" + path, "{\"value\":\(value)}")
    }

    var logger: (topic: String, payload: [UInt8]) {
        var lines = "Datum;Uhrzeit;Vorlauf;Rücklauf;Durchfluss;Störung\r\n"
        for line in 0..<2 {
            let (date, clock) = DeviceFleet.dateAndTime(milliseconds / 1000 - Int64(1 - line))
            let comma = { (place: UInt64, low: Int, span: Int) in
                decimal(place + UInt64(line), low, span, digits: 1).replacing(".", with: ",")
            }
            lines +=
                "\(date);\(clock);\(comma(1, 550, 200));\(comma(3, 400, 150));\(happens(5 + UInt64(line), 15) ? "" : comma(7, 0, 300));\(random(9 + UInt64(line), 3))\r\n"
        }
        return text("heating/logger-\(Self.hex(identity, digits: 6))/csv", lines)
    }

    var meter: (topic: String, payload: [UInt8]) {
        let line = """
            \(milliseconds / 1000),\(decimal(1, 2250, 120, digits: 1)),\(decimal(2, 0, 16_000, digits: 3)),\(sequence * 3 + number),\
            \(decimal(3, 80, 20, digits: 2)),\(happens(4, 90) ? "OK" : "WARN")
            """
        return text("meters/\(10_000_000 + Int(identity % 80_000_000))/values", line)
    }

    var edge: (topic: String, payload: [UInt8]) {
        let step = 250
        let samples = (0..<4).map { index -> String in
            let place = UInt64(index) * 4
            let humidity = happens(place + 3, 80) ? ",\"h\":\(decimal(place + 2, 300, 400, digits: 1))" : ""
            return "{\"dt\":\(index * step),\"t\":\(decimal(place + 1, 180, 80, digits: 1))\(humidity)}"
        }
        let payload =
            "{\"t0\":\(milliseconds - Int64(3 * step)),\"seq\":\(sequence),\"fw\":\"1.4.\(number % 2)\",\"samples\":[\(samples.joined(separator: ","))]}"
        return text("plant/edge-\(100 + number)/telemetry", payload)
    }

    var vibration: (topic: String, payload: [UInt8]) {
        let count = 3 + random(1, 3)
        func list(_ place: UInt64, _ make: (UInt64) -> String) -> String {
            (0..<count).map { make(place + UInt64($0)) }.joined(separator: ",")
        }
        let times = (0..<count).map { String(milliseconds * 1000 - Int64(count - 1 - $0) * 10_000) }.joined(separator: ",")
        let payload = """
            {"machine":"press-\(number + 1)","time":[\(times)],"x":[\(list(10) { decimal($0, -2000, 4000, digits: 3) })],\
            "y":[\(list(20) { decimal($0, -2000, 4000, digits: 3) })],"rpm":[\(list(30) { String(1400 + random($0, 100)) })]}
            """
        return text("vibration/press-\(number + 1)/burst", payload)
    }

    var pump: (topic: String, payload: [UInt8]) {
        var bytes: [UInt8] = [0xA5, 0x01]
        func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        put(UInt16(truncatingIfNeeded: sequence))
        put(UInt32(truncatingIfNeeded: milliseconds / 1000))
        put(Int16(truncatingIfNeeded: 200 + random(1, 600)))
        put(UInt16(truncatingIfNeeded: random(2, 10_000)))
        put((Float(random(3, 4000)) * 0.25).bitPattern)
        put(UInt32(truncatingIfNeeded: sequence * 60 + number))
        put(UInt32(truncatingIfNeeded: noise))
        return ("pumps/pc-\(Self.hex(identity, digits: 8))/frame", bytes)
    }
}

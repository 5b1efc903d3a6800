/// What is found in homes: Zigbee2MQTT, Tasmota, Shelly, ESPHome, OwnTracks.
extension KindPayload {
    var zigbee: (topic: String, payload: [UInt8]) {
        let names = ["attic", "kitchen/window", "living_room/lamp", "hall", "garden/shed/door", "bedroom/lamp"]
        let place = number % names.count
        let name = number < names.count ? names[place] : "\(names[place])_\(number / names.count + 1)"
        var members: [String] = []
        switch place % 3 {
        case 0:
            members += ["\"temperature\":\(decimal(1, 1500, 1200, digits: 2))", "\"humidity\":\(decimal(2, 3000, 4000, digits: 2))"]
            if happens(3, 60) { members.append("\"pressure\":\(decimal(4, 9800, 500, digits: 1))") }
        case 1:
            members += ["\"contact\":\(happens(1, 50))", "\"tamper\":\(happens(2, 5))"]
        default:
            members += ["\"state\":\"\(happens(1, 50) ? "ON" : "OFF")\"", "\"brightness\":\(random(2, 255))"]
            if happens(3, 50) { members.append("\"color_temp\":\(250 + random(4, 150))") }
        }
        if place % 3 != 2 {
            members.append("\"battery\":\(random(5, 101))")
            if happens(6, 70) { members.append("\"voltage\":\(2700 + random(7, 400))") }
        }
        members.append("\"linkquality\":\(random(8, 256))")
        if happens(9, 20) { members.append("\"update_available\":\(happens(10, 10) ? "true" : "null")") }
        return text("zigbee2mqtt/\(name)", "{\(members.joined(separator: ","))}")
    }

    var tasmota: (topic: String, payload: [UInt8]) {
        let device = "tasmota_" + Self.hex(identity, digits: 6)
        // A clock that is set to Central European Winter Time.
        let time = DeviceFleet.dateAndClock(milliseconds / 1000 + 3600)
        if sequence % 5 == 4 {
            let state = """
                {"Time":"\(time)","Uptime":"\(sequence / 17280)T\(sequence / 720 % 24):00:00","UptimeSec":\(sequence * 5),"Heap":\(25 + random(1, 4)),\
                "SleepMode":"Dynamic","Sleep":50,"LoadAvg":\(19 + random(2, 12)),"MqttCount":1,"POWER":"\(happens(3, 50) ? "ON" : "OFF")",\
                "Wifi":{"AP":1,"SSId":"plant","BSSId":"\(Self.hex(identity, digits: 2)):11:22:33:44:55","Channel":\(1 + number % 11),\
                "RSSI":\(50 + random(4, 50)),"Signal":\(-80 + random(5, 30)),"LinkCount":1,"Downtime":"0T00:00:06"}}
                """
            return text("tele/\(device)/STATE", state)
        }
        var members = ["\"Time\":\"\(time)\""]
        let sensors = 1 + number % 3
        for sensor in 0..<sensors {
            let name = sensor == 0 ? "AM2301" : "DS18B20-\(sensor)"
            // A sensor that does not answer is not in the message.
            if sensor > 0, happens(20 + UInt64(sensor), 15) { continue }
            var inside = ["\"Temperature\":\(decimal(30 + UInt64(sensor), -50, 350, digits: 1))"]
            if sensor == 0 {
                inside += ["\"Humidity\":\(decimal(40, 300, 500, digits: 1))", "\"DewPoint\":\(decimal(41, 20, 150, digits: 1))"]
            } else {
                inside.insert("\"Id\":\"\(Self.hex(mixed(identity, UInt64(sensor)), digits: 12))\"", at: 0)
            }
            members.append("\"\(name)\":{\(inside.joined(separator: ","))}")
        }
        members.append("\"TempUnit\":\"C\"")
        return text("tele/\(device)/SENSOR", "{\(members.joined(separator: ","))}")
    }

    var shelly: (topic: String, payload: [UInt8]) {
        let device = "shellies/shelly1pm-" + Self.hex(identity, digits: 6)
        return switch sequence % 6 {
        case 0: text(device + "/relay/0", happens(1, 50) ? "on" : "off")
        case 1: text(device + "/relay/0/power", decimal(2, 0, 180_000, digits: 2))
        case 2: text(device + "/relay/0/energy", String(sequence * 7))
        case 3: text(device + "/temperature", decimal(3, 300, 400, digits: 1))
        case 4: text(device + "/overtemperature", "0")
        default: text(device + "/online", "true")
        }
    }

    var esphome: (topic: String, payload: [UInt8]) {
        let rooms = ["livingroom", "bathroom", "cellar", "workshop"]
        let node = "esphome/" + rooms[number % rooms.count] + (number < rooms.count ? "" : "_\(number / rooms.count + 1)")
        return switch sequence % 5 {
        case 0: text(node + "/sensor/temperature/state", happens(1, 10) ? "nan" : decimal(2, 150, 100, digits: 1))
        case 1: text(node + "/sensor/humidity/state", decimal(3, 300, 500, digits: 1))
        case 2: text(node + "/sensor/wifi_signal/state", String(-90 + random(4, 50)))
        case 3: text(node + "/binary_sensor/motion/state", happens(5, 30) ? "ON" : "OFF")
        default: text(node + "/text_sensor/version/state", "2026.1.\(number % 4)")
        }
    }

    var owntracks: (topic: String, payload: [UInt8]) {
        let people = [("jane", "phone"), ("bob", "tablet"), ("ada", "watch"), ("tom", "phone")]
        let (person, device) = people[number % people.count]
        let topic = "owntracks/\(person)\(number < people.count ? "" : "\(number / people.count + 1)")/\(device)"
        let seconds = milliseconds / 1000
        if sequence % 6 == 5 { return text(topic, "{\"_type\":\"lwt\",\"tst\":\(seconds)}") }
        var members = [
            "\"_type\":\"location\"", "\"acc\":\(4 + random(1, 60))", "\"alt\":\(30 + random(2, 80))", "\"batt\":\(random(3, 101))",
            "\"conn\":\"\(happens(4, 50) ? "w" : "m")\"", "\"lat\":\(decimal(5, 52_400_000, 200_000, digits: 6))",
            "\"lon\":\(decimal(6, 13_200_000, 300_000, digits: 6))", "\"t\":\"\(happens(7, 80) ? "u" : "p")\"",
            "\"tid\":\"\(person.prefix(2))\"",
            "\"tst\":\(seconds)", "\"vel\":\(random(8, 60))",
        ]
        if happens(9, 30) { members.append("\"inregions\":[\"home\"\(happens(10, 30) ? ",\"garage\"" : "")]") }
        return text(topic, "{\(members.joined(separator: ","))}")
    }
}

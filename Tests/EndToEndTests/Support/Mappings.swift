/// The mappings of the tests. None has a key, so that each row that was stored twice is seen twice.
enum Mappings {
    static let telemetry = """
        topic: site/{site}/dev/{device}/telemetry
        exclude: [site/lab/#]
        table: readings
        columns:
          device: text not null from topic.device
          seq: bigint not null
          temp: real
          unit: text
          received: timestamptz not null from received
        """

    static let telemetryExactlyOnce = "qos: 2\n" + telemetry

    static let weather = """
        topic: weather/{station}
        decode: {csv: {delimiter: ";", decimal: ",", header: [time, temp, wind, rain]}}
        table: weather
        columns:
          station: text not null from topic.station
          time: timestamptz not null from line.time
          temp: {type: real, from: line.temp, null_if: ""}
          wind: {type: "numeric(5,2)", from: line.wind}
          rain: {type: boolean, from: line.rain, map: {ja: true, nein: false}}
        """

    static let pump = """
        topic: pump/{pump}
        decode:
          binary:
            endian: big
            length: 15
            fields:
              seq: u32 at 0
              time: u32 at 4
              pressure: i16 at 8
              flow: f32 at 10
              running: {type: u8, at: 14, bits: 7..7}
        table: pump
        columns:
          pump: text not null from topic.pump
          seq: bigint not null
          time: {type: timestamptz not null, parse: unix}
          pressure: {type: real, scale: 0.1}
          flow: real
          running: boolean
        """
}

/// A week of rows as the demo's devices would have sent them, before those that they did send: a reading a minute, with what goes wrong in a week.
enum DemoHistory {
    /// Statements, in order; the three tables of the demo are there.
    static let statements = [
        """
        INSERT INTO climate (time, site, device, seq, temperature, humidity, co2, vent_open, soil_moisture, soil_ec, extra)
        SELECT m, (ARRAY['north', 'south', 'east'])[1 + d % 3], 'g' || lpad(d::text, 5, '0'), extract(epoch FROM m)::bigint / 60,
               18 + 4 * sin(extract(epoch FROM m) / 13751) + d % 5, 55 + 10 * cos(extract(epoch FROM m) / 9000), 400 + (extract(epoch FROM m)::bigint / 60 * 7 + d) % 300,
               extract(hour FROM m) BETWEEN 11 AND 15, 20 + d % 10, 1.2, '{"firmware": "2.0.1"}'
        FROM generate_series(1, 20) AS d,
             generate_series(date_trunc('minute', now()) - interval '8 days', date_trunc('minute', now()) - interval '2 minutes', interval '1 minute') AS m
        -- One device fell silent yesterday, another one was away for some hours of each day.
        WHERE NOT (d = 18 AND m > now() - interval '26 hours') AND NOT (d = 2 AND extract(hour FROM m) IN (3, 4))
        """,
        // Delivered twice.
        """
        INSERT INTO climate SELECT * FROM climate WHERE device = 'g00001' AND time >= now() - interval '3 hours' AND time < now() - interval '177 minutes'
        """,
        """
        INSERT INTO weather (time, received, site, device, seq, temperature, humidity, pressure, wind, rain)
        SELECT m, m + CASE WHEN extract(minute FROM m) = 30 THEN interval '17 minutes' ELSE interval '2 seconds' END, 'south', 'w' || lpad(d::text, 5, '0'),
               extract(epoch FROM m)::bigint / 300, 9 + d % 4, 70, 101300, 3.5, 0.2
        FROM generate_series(1, 20) AS d,
             generate_series(date_trunc('hour', now()) - interval '8 days', now() - interval '2 minutes', interval '5 minutes') AS m
        """,
        """
        INSERT INTO pump (time, site, device, seq, pump, temperature, energy, flow, running, gateway_state)
        SELECT m, 'east', 'p' || lpad(d::text, 5, '0'), extract(epoch FROM m)::bigint / 300, p, 41.5,
               (row_number() OVER (PARTITION BY d, p ORDER BY m) * 0.125)::numeric(12, 3), 3.25, true, 3
        FROM generate_series(1, 10) AS d, generate_series(1, 4) AS p,
             generate_series(date_trunc('hour', now()) - interval '8 days', now() - interval '2 minutes', interval '5 minutes') AS m
        """,
        """
        INSERT INTO penstock.dead_letter (received, topic, payload, qos, retain, mapping, stage, column_name, error, client_id)
        SELECT now() - n * interval '1 second', 'site/north/greenhouse/g00003/climate', convert_to('{"temperature": -999}', 'UTF8'), 1, false, 'greenhouse', 'decode',
               'temperature', 'greenhouse.yaml:19: column ''temperature'': -999 is beyond min -60', 'demo-0'
        FROM generate_series(1, 12) AS n
        """,
        "INSERT INTO penstock.dead_letter (received, topic, payload, qos, retain, stage, error, client_id) VALUES (now(), 'site/x', '', 0, false, 'route', 'no mapping takes this topic', 'demo-1')",
        "ANALYZE",
    ]
}

"""Reports as api/status gives them: of a service that has nothing to do, one that has much, one in trouble, and one with foreign text everywhere."""

import datetime
import random

STEPS = 150
STEP_SECONDS = 2


def at(seconds_ago=0.0):
    """A time in the past as the service writes it."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def session(number, **changes):
    return {"client_id": f"penstock-{number}", "connected": True, "subscribed": True, "problem": None, "since": None, "unacknowledged": 0,
            "reconnects": 0, "lost": 0, "refused": [], **changes}


def mapping(name, patterns, tables, received, rows, **changes):
    return {"name": name, "patterns": patterns, "tables": tables, "received": received, "rows": rows, "filtered": 0, "no_values": 0,
            "dead_letters": 0, "dropped": 0, "last_message_at": None, "last_error": None, "parked": False, **changes}


def letter(number, seconds_ago, name, stage, topic, error, preview, kind="text"):
    return {"id": number, "at": at(seconds_ago), "mapping": name, "stage": stage, "topic": topic, "error": error, "payload_preview": preview,
            "payload_kind": kind, "payload_bytes": len(preview.encode("utf-8", "replace") if kind == "text" else bytes.fromhex(preview))}


def history(messages, rows_each, median, ninety_nine):
    """The four series from one of messages; latencies are unknown where nothing came."""
    latency = [(median(index), ninety_nine(index)) if value else (None, None) for index, value in enumerate(messages)]
    return {"step_seconds": STEP_SECONDS, "messages_per_second": messages,
            "rows_per_second": [None if value is None else round(value * rows_each, 2) for value in messages],
            "latency_p50_ms": [pair[0] for pair in latency], "latency_p99_ms": [pair[1] for pair in latency]}


def idle():
    """Ready, and nothing has come since the start."""
    known = 40
    return {
        "version": "0.3.0", "started_at": at(known * STEP_SECONDS), "now": at(), "ready": True, "problems": [],
        "totals": dict.fromkeys(("received", "acknowledged", "settled", "rows", "dead_letters", "redelivered", "unrouted", "dropped", "in_flight"), 0),
        "rates": {"messages_per_second": 0, "rows_per_second": 0, "dead_letters_per_minute": 0},
        "history": history([None] * (STEPS - known) + [0.0] * known, 1, lambda _: None, lambda _: None),
        "latency": {"p50_ms": None, "p99_ms": None, "oldest_unacknowledged_seconds": 0}, "bound_by": None, "bound_hint": "",
        "sessions": [session(number) for number in range(4)],
        "mappings": [mapping("greenhouse", ["site/+/greenhouse/+/climate"], ["climate"], 0, 0),
                     mapping("pump_gateway", ["plant/+/pumps/+"], ["pump_reading"], 0, 0)],
        "dead_letters": [],
        "database": {"connected": True, "problem": None, "since": None, "url": "postgresql://penstock@127.0.0.1:5432/telemetry", "commits": 0,
                     "last_commit_at": None},
        "broker": {"url": "mqtt://127.0.0.1:1883", "dropped": None},
        "process": {"resident_bytes": 31_457_280, "cpu_seconds": 0.31, "open_files": 21, "uptime_seconds": known * STEP_SECONDS}}


def busy():
    """Much comes, nothing is wrong, and a device was wrong an hour ago."""
    chance = random.Random(7)
    messages = [round(48_000 + 2_500 * chance.uniform(-1, 1) + (6_000 if 60 < index < 74 else 0), 2) for index in range(STEPS)]
    report = idle()
    report.update(
        started_at=at(3 * 86400 + 7 * 3600), bound_by="network",
        bound_hint="nothing here holds messages up: they are stored as they come",
        totals={"received": 13_541_209_377, "acknowledged": 13_541_208_641, "settled": 13_541_208_653, "rows": 15_204_118_930, "dead_letters": 212,
                "redelivered": 1_024, "unrouted": 0, "dropped": 0, "in_flight": 724},
        rates={"messages_per_second": 48_211.4, "rows_per_second": 54_180.2, "dead_letters_per_minute": 0},
        history=history(messages, 1.12, lambda _: round(chance.uniform(7, 9), 2),
                        lambda index: round(chance.uniform(19, 26) + (38 if index % 47 == 0 else 0), 2)),
        latency={"p50_ms": 7.9, "p99_ms": 23.4, "oldest_unacknowledged_seconds": 0.021},
        sessions=[session(number, unacknowledged=chance.randint(60, 120), reconnects=1 if number == 3 else 0) for number in range(8)],
        mappings=[
            mapping("greenhouse", ["site/+/greenhouse/+/climate"], ["climate"], 9_120_440_120, 9_120_439_908, dead_letters=212, last_message_at=at(0.1),
                    last_error={"at": at(3_720), "text": "temperature: -999 is beyond min -60", "topic": "site/north/greenhouse/g00417/climate"}),
            mapping("pump_gateway", ["plant/+/pumps/+", "plant/+/pumps/+/batch"], ["pump_reading", "pump_alarm"], 3_301_771_002, 4_964_681_767,
                    filtered=17_204, last_message_at=at(0.2)),
            mapping("weather_station", ["weather/+/observation"], ["observation"], 1_118_998_255, 1_118_997_255, no_values=1_000, last_message_at=at(41))],
        dead_letters=[
            letter(212 - index, 3_720 + 45 * index, "greenhouse", "decode", f"site/north/greenhouse/g00{417 + index % 2}/climate",
                   "temperature: -999 is beyond min -60", '{"time":"2026-03-01T09:12:44Z","seq":%d,"temperature":-999,"humidity":41.2}' % (88_120 - index))
            for index in range(5)],
        database={"connected": True, "problem": None, "since": None, "url": "postgresql://penstock@db.plant.example:5432/telemetry",
                  "commits": 41_880_217, "last_commit_at": at(0.05)},
        broker={"url": "mqtts://broker.plant.example:8883", "dropped": 0},
        process={"resident_bytes": 148_897_792, "cpu_seconds": 91_204.5, "open_files": 47, "uptime_seconds": 3 * 86400 + 7 * 3600})
    return report


PARKED = "column \"flow\" of relation \"pump_reading\" does not exist (SQLSTATE 42703)"


def failing():
    """The database has gone, a filter is refused, a mapping is parked."""
    chance = random.Random(11)
    gone = 64
    messages = [round(12_000 + 400 * chance.uniform(-1, 1), 2) if index < STEPS - gone else 0.0 for index in range(STEPS)]
    report = busy()
    since = at(gone * STEP_SECONDS)
    refused = ("connection to server at \"db.plant.example\" (10.3.0.7), port 5432 failed: Connection refused (is PostgreSQL running there, and is the port "
               "right?)")
    report.update(
        ready=False, bound_by=None, bound_hint="",
        problems=[
            {"what": f"the database takes nothing: {refused}", "since": since,
             "do": "see that PostgreSQL runs and takes connections at database.url; messages wait at the broker until then"},
            {"what": "mapping 'pump_gateway' is parked: pump_reading cannot be written: " + PARKED,
             "since": at(2_430), "do": "mend the table or its privileges; its messages are kept as dead letters (stage table) and come in by themselves"},
            {"what": "1 of 4 sessions are not connected, penstock-2: the broker closed the connection", "since": at(19),
             "do": "see that the broker runs and takes this user at broker.url"},
            {"what": "the broker does not take 'weather/+/observation' of session penstock-1: not authorized (135)", "since": None,
             "do": "allow this user to subscribe to it; it is asked for again every minute"},
            {"what": "messages of mapping 'greenhouse' become dead letters: temperature: -999 is beyond min -60", "since": at(133),
             "do": "correct the mapping or the device; `penstock replay --mapping greenhouse` brings the letters in"}],
        rates={"messages_per_second": 0, "rows_per_second": 0, "dead_letters_per_minute": 0},
        history=history(messages, 1.12, lambda _: round(chance.uniform(5, 7), 2), lambda _: round(chance.uniform(15, 24), 2)),
        latency={"p50_ms": None, "p99_ms": None, "oldest_unacknowledged_seconds": 127.8},
        sessions=[
            session(0, unacknowledged=100), session(1, subscribed=False, unacknowledged=100,
                                                    refused=[{"filter": "weather/+/observation", "reason": "not authorized (135)"}]),
            session(2, connected=False, subscribed=False, problem="the broker closed the connection", since=at(19), reconnects=6, lost=1),
            session(3, unacknowledged=100)])
    report["totals"].update(in_flight=1_204, received=13_541_209_857)
    report["mappings"][0]["last_error"]["at"] = at(133)
    report["mappings"][0]["last_message_at"] = at(128)
    report["mappings"][1].update(parked=True, dead_letters=48, last_message_at=at(129), last_error={
        "at": at(2_411), "text": PARKED, "topic": "plant/east/pumps/p0031"})
    report["mappings"][2]["last_message_at"] = at(168)
    report["dead_letters"] = [
        letter(261, 133, "greenhouse", "decode", "site/north/greenhouse/g00417/climate", "temperature: -999 is beyond min -60",
               '{"time":"2026-03-01T09:12:44Z","seq":88120,"temperature":-999,"humidity":41.2,"co2":402,"vent":"OPEN","soil":{"moisture":20.1,"ec":1.1}}'),
        letter(260, 2_411, "pump_gateway", "table", "plant/east/pumps/p0031", PARKED,
               "0a 1f 0b 00 c2 ff 03 e8", "bytes"),
        letter(259, 2_430, None, "route", "plant/east/valves/v0007", "no mapping takes this topic", "open")] + report["dead_letters"]
    report["database"].update(connected=False, problem=refused, since=since, last_commit_at=at(gone * STEP_SECONDS))
    return report


# Elements, quotes, a right-to-left override, controls, marks that pile up, half a surrogate pair, and words that have a meaning to JavaScript.
HOSTILE = (
    '<img src="http://elsewhere.example/x" onerror="window.taken=1"><hostile-element></hostile-element><script>window.taken=1;alert(1)</script>'
    "\"'`${window.taken=1}</td></table></style></script><!-- \u202egnp.exe\u2066 \x00\x07\x1b[31m\x85\u200b\u2028 "
    + "Z" + "\u0300\u0489" * 60 + " \ud800 __proto__")
EMOJI = "\U0001f6f0\ufe0f\U0001f468\u200d\U0001f469\u200d\U0001f467" * 2_000


def hostile():
    """Foreign text wherever there can be any, 64 KiB of emoji among it."""
    report = busy()
    report["problems"] = [{"what": HOSTILE, "since": at(5), "do": "correct `" + HOSTILE + "` now"}, {"what": EMOJI, "since": None, "do": ""}]
    report["bound_hint"] = HOSTILE
    report["sessions"] = [
        session(0, client_id=HOSTILE, connected=False, problem=HOSTILE, since=at(1), refused=[{"filter": HOSTILE, "reason": EMOJI}]),
        session(1, client_id="__proto__"), session(2, client_id="constructor"), session(3, client_id="constructor")]
    report["mappings"] = [
        mapping(HOSTILE, [HOSTILE] * 12, [HOSTILE], 2 ** 53, 18_446_744_073_709_551_615, last_message_at="not a time",
                last_error={"at": at(1), "text": HOSTILE, "topic": EMOJI})]
    report["dead_letters"] = [
        letter(9_223_372_036_854_775_807 if index == 0 else index, index, HOSTILE, "decode", HOSTILE, HOSTILE, EMOJI if index % 2 else HOSTILE)
        for index in range(20)]
    report["database"].update(url="postgresql://" + HOSTILE, problem=HOSTILE, connected=False)
    report["broker"].update(url="mqtt://" + "long" * 200)
    return report

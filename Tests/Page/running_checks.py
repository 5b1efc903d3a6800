"""What the page shows of services that run: their content, hostile topics and payloads that came through broker and database, and a service that goes."""

import contextlib
import json
import re
import signal
import urllib.request
from pathlib import Path

from checks import text
from probes import ANSWERED, FOREIGN, GONE
from running_service import beside, demo, publish, status, temporary_folder, until
from scripted_service import PAGE, inner

# A topic with elements, quotes, a right-to-left override, a space of no width, marks that pile up, and words that have a meaning to JavaScript.
MARKUP = (
    '<img src="http://elsewhere.example/x" onerror="window.taken=1"><hostile-element></hostile-element><script>window.taken=1;alert(1)</script>'
    "\"'`${window.taken=1}</td></table></style></script><!-- \u202egnp.exe\u2066\u200b\u2028 ")
TOPIC = "hostile/" + MARKUP + "Z" + "\u0300\u0489" * 40 + "/__proto__"
PAYLOADS = [
    (MARKUP + "\x00\x07\x1b[31m\x85 \U0001f468\u200d\U0001f469\u200d\U0001f467").encode(),
    b"\x01\x0a\xff\x00\x9b" + bytes(range(256)),
    json.dumps({"temperature": MARKUP}).encode(),
    ("\U0001f6f0\ufe0f" * 9_000).encode()]
MAPPING = """
topic: hostile/{what...}
decode: json
table: hostile
columns:
  time: timestamptz not null from received
  temperature: real
"""


def any_service(checks, url, token_file=None):
    """What holds of any service."""
    given = Path(token_file).read_text(encoding="utf-8").strip() if token_file else None
    with urllib.request.urlopen(url) as answer:
        policy = answer.headers.get("Content-Security-Policy", "")
        served = answer.read().decode()
    checks.hold("the page has a strict policy", policy.startswith("default-src 'none'") and "unsafe" not in policy and "connect-src 'self'" in policy, policy)
    checks.hold("the page is this one", inner(served, "script") == inner(PAGE.read_text(encoding="utf-8"), "script"))
    request = urllib.request.Request(url + "api/status", headers={"Authorization": f"Bearer {given}"} if given else {})
    with urllib.request.urlopen(request) as answer:
        report = json.load(answer)
    page = checks.open(url)
    if given:
        checks.hold("it asks for a token", page.wait("!document.getElementById('access').hidden"))
        page.value("document.getElementById('token').focus()")
        page.type(given)
        page.press("Enter")
    checks.hold("an answer comes", page.wait(ANSWERED), text(page))
    checks.hold("its version", report["version"] in text(page, "header"), text(page, "header"))
    for key, table, name in (("sessions", "sessions", "client_id"), ("mappings", "mappings", "name")):
        seen = text(page, f"#{table}")
        checks.hold(f"all {key}", all(one[name][:40] in seen for one in report[key]), seen)
    checks.hold("as many problems as it has", abs(page.value("document.getElementById('problem-list').children.length") - len(report["problems"])) <= 1)
    checks.sound(page)
    checks.narrow(page)
    checks.quiet(page, url, *(["network"] if given else []))
    page.close()


def started(checks, binary):
    """Services of our own: one with devices, and one that gets hostile messages, is stopped, killed and started again while the page is open."""
    with contextlib.ExitStack() as stack:
        folder = temporary_folder(stack)
        busy = demo(stack, binary, folder, devices=20, rate=50)
        until(busy.address, lambda now: now["ready"] and now["rates"]["messages_per_second"] > 0, "messages flow", busy)
        with checks.shown(busy.address) as page:
            flows = page.wait("document.getElementById('headline').textContent === 'All well: messages arrive and are stored.'")
            checks.hold("it says that all is well", flows, text(page, "#headline"))
            checks.hold("each mapping has messages and rows", page.wait(
                "[...document.querySelectorAll('#mappings tbody tr')].every(row => [3, 4].every(place => row.cells[place].textContent !== '0'))"), text(page, "#mappings"))
        any_service(checks, busy.address)

        service = beside(stack, binary, folder, busy.address, "hostile", {"hostile.yaml": MAPPING}, sessions=2)
        hostile_messages(checks, service)
        goes_and_comes(checks, service)


def hostile_messages(checks, service):
    report = status(service.address)
    for payload in PAYLOADS:
        publish(report, TOPIC, payload)
    publish(report, TOPIC, b'{"temperature": 21.5}')
    report = until(
        service.address, lambda now: len(now["dead_letters"]) >= len(PAYLOADS) and now["totals"]["rows"] == 1, "the letters are read", service)
    checks.hold("which are text, and which bytes", sorted(letter["payload_kind"] for letter in report["dead_letters"]) == ["bytes", "text", "text", "text"], report["dead_letters"])
    checks.hold("the topic comes whole", report["dead_letters"][0]["topic"] == TOPIC, report["dead_letters"][0]["topic"])
    with checks.shown(service.address) as page:
        checks.hold("all letters are there", page.wait(f"document.querySelectorAll('#letters tbody tr').length === {len(PAYLOADS)}"), text(page, "#letters"))
        for summary in page.value("[...document.querySelectorAll('#letters summary')].map((one, index) => (one.click(), index))"):
            checks.hold("what is long opens", page.wait(f"document.querySelectorAll('#letters details')[{summary}].querySelector('.whole') !== null"))
        letters = text(page, "#letters")
        checks.hold("markup is shown as it came", letters.count('<img src="http://elsewhere.example/x" onerror=') >= 4, letters)
        checks.hold("bytes are shown as digits, and marked", re.search(r"bytes\s*01 0a ff 00 9b 00 01 02", letters) is not None, letters)
        checks.hold("what would not be seen has a name", all(name in letters for name in ("NUL", "BEL", "ESC", "U+0085", "U+202E", "U+2066", "U+200B", "U+2028")), letters)
        checks.hold("the problem names the mapping", "essages of mapping 'hostile' become dead letters" in text(page, "#problem-list"), text(page, "#problem-list"))
        checks.hold("the sentence", text(page, "#headline").startswith("Degraded: "), text(page, "#headline"))
        foreign = page.value(FOREIGN)
        checks.hold("no element comes from data", foreign["strange"] == [], foreign["strange"])
        checks.hold("no script ran", page.value("window.taken") is None)
        checks.hold("nothing invisible is in the text", foreign["invisible"] == [], foreign["invisible"])
        checks.hold("every foreign text is isolated", foreign["joined"] == [], foreign["joined"])
        checks.sound(page)
        checks.narrow(page)


def goes_and_comes(checks, service):
    with checks.shown(service.address, allowed=("network",)) as page:
        page.value("document.openedOnce = true")
        service.process.send_signal(signal.SIGSTOP)
        gone(checks, page, "stopped", "it took longer than 5 s to answer")
        service.process.send_signal(signal.SIGCONT)
        checks.hold("it comes back by itself when it goes on", page.wait(ANSWERED), text(page, ".band"))

        service.kill()
        gone(checks, page, "killed", "it cannot be reached")
        checks.hold("the title says so", page.value("document.title") == "No answer · Penstock", page.value("document.title"))
        checks.hold("what was known stays, grey", "hostile" in text(page, "#mappings") and page.value(
            "getComputedStyle(document.getElementById('known')).filter === 'grayscale(1)'"))
        checks.sound(page)
        service.start()
        checks.hold("it comes back by itself when it is started again", page.wait(ANSWERED, 60), text(page, ".band") + service.last_words())
        ready = "document.body.dataset.answer === 'some' && ['well', 'quiet', 'degraded'].includes(document.body.dataset.state) && !/Not ready/.test(document.title)"
        checks.hold("and is ready", page.wait(ready, 60), text(page, ".band"))
        checks.hold("the new process has counted nothing yet", page.wait("document.querySelector('#totals dd').textContent === '0'"), text(page, "#totals"))
        checks.hold("the letters are still there", page.wait(f"document.querySelectorAll('#letters tbody tr').length === {len(PAYLOADS)}"), text(page, "#letters"))
        checks.hold("the page is the one that was open all the while", page.value("document.openedOnce") is True)


def gone(checks, page, how, why):
    checks.hold(f"{how}: it says that nothing answers", page.wait(GONE), text(page, ".band"))
    checks.hold(f"{how}: since when", re.fullmatch(r"No answer: the service has told nothing since \d\d:\d\d:\d\d\.", text(page, "#headline")), text(page, "#headline"))
    checks.hold(f"{how}: why, how old what it shows is, and that it asks again", re.search(
        re.escape(why) + r"\. What is shown below is .* old\. Asking again", text(page, "#absence")), text(page, "#absence"))

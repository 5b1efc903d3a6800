"""What the page makes of answers that a script gives: every state, foreign text of every kind, a service that goes, hangs and comes back."""

import json
import re

import reports
from checks import asked, polled, text
from probes import ANSWERED, CONTRAST, FOREIGN, GONE, WIDER
from scripted_service import PAGE, ScriptedService, inner

SIZE_MAXIMUM = 60_000


def source(checks):
    html = PAGE.read_text(encoding="utf-8")
    checks.hold(f"it is smaller than {SIZE_MAXIMUM} bytes", len(html.encode()) < SIZE_MAXIMUM, len(html.encode()))
    for tag in ("style", "script"):
        checks.hold(f"one <{tag}>", len(re.findall(rf"<{tag}\b", html)) == 1)
    script, markup = inner(html, "script"), re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    checks.hold("no style attribute or handler in the markup", not re.search(r"\s(style|on\w+)\s*=", markup))
    checks.hold("nothing is loaded from elsewhere", not re.search(r"\b(src|href)\s*=\s*[\"'](https?:)?//", markup) and "@import" not in html and "url(" not in html)
    unsafe = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|createContextualFragment|DOMParser|\.style\b", script)
    checks.hold("no text becomes HTML or code", not unsafe, unsafe)


def policy_by_hash(checks):
    with ScriptedService(reports.busy, policy="hash") as service, checks.shown(service.url) as page:
        checks.hold("its style applies", page.value("getComputedStyle(document.getElementById('headline')).fontSize !== '16px' && getComputedStyle(document.body).marginTop === '0px'"))


def idle(checks):
    with ScriptedService(reports.idle) as service, checks.shown(service.url) as page:
        checks.hold("it says that nothing arrives", text(page, "#headline") == "Nothing arrives: no message since the start; the service is ready.", text(page, "#headline"))
        checks.hold("the title says it too", page.value("document.title") == "Nothing arrives · Penstock", page.value("document.title"))
        checks.hold("no problems are shown", page.value("document.getElementById('problems').hidden"))
        checks.hold("there is no dead letter, in words", "None, as no message has come." in text(page))
        checks.hold("a mapping without a message says so", "never" in text(page, "#mappings"))
        checks.hold("what is not known is not 0", "latency unknown" in text(page, "#facts"), text(page, "#facts"))
        checks.sound(page)


def busy(checks):
    with ScriptedService(reports.busy) as service, checks.shown(service.url) as page:
        checks.hold("it says that all is well", text(page, "#headline") == "All well: messages arrive and are stored.", text(page, "#headline"))
        for claim, expected, selector in [
                ("the rate", "48,211 messages/s", "#facts"), ("the latency", "23.4 ms until durable", "#facts"),
                ("numbers are grouped", "13,541,209,377", "#totals"), ("memory has a unit", "142 MiB", "#process"),
                ("sessions are counted", "8 of 8 connected and subscribed", "#sessions-note"), ("a topic", "site/+/greenhouse/+/climate", "#mappings"),
                ("an error and its topic", "site/north/greenhouse/g00417/climate", "#mappings"), ("a payload", '"temperature":-999', "#letters"),
                ("times are relative", "41 s ago", "#mappings")]:
            checks.hold(claim, expected in text(page, selector).replace("42 s ago", "41 s ago").replace("43 s ago", "41 s ago"), text(page, selector))
        checks.hold("every time has its absolute value", page.value(
            "[...document.querySelectorAll('time')].every(time => /^\\d{4}-.*Z$/.test(time.dateTime) && /\\d{2}:\\d{2}:\\d{2}/.test(time.title))"))
        labels = page.value("[...document.querySelectorAll('svg')].map(svg => svg.getAttribute('aria-label'))")
        checks.hold("plots are told in words", len(labels) == 3 and "over the last 5 min" in labels[0] and "highest" in labels[2], labels)
        page.value("document.seen = []; new MutationObserver(list => document.seen.push(list.length)).observe(document.getElementById('headline'), "
                   "{childList: true, characterData: true, subtree: true})")
        elements = page.value("document.querySelectorAll('*').length")
        checks.hold("it asks again and again", polled(page, 2))
        checks.hold("the page does not grow", page.value("document.querySelectorAll('*').length") == elements)
        checks.hold("the headline is not set again while it stays the same", page.value("document.seen.length") == 0)
        checks.sound(page)
        keyboard(checks, page)


def keyboard(checks, page):
    page.press("Tab")
    reached = []
    for _ in range(12):
        reached.append(page.value("(() => { const e = document.activeElement; return [e.tagName, e.className, getComputedStyle(e).outlineStyle, e.getAttribute('aria-labelledby') ?? '']; })()"))
        page.press("Tab")
    checks.hold("the first stop leads to the state", reached[0][1] == "skip", reached)
    checks.hold("tables that scroll can be reached", {"sessions-title", "mappings-title", "letters-title"} <= {stop[3] for stop in reached}, reached)
    checks.hold("the focus can be seen", all(stop[2] == "solid" for stop in reached if stop[0] != "BODY"), reached)


def failing(checks):
    with ScriptedService(reports.failing) as service, checks.shown(service.url) as page:
        checks.hold("it says that it fails", text(page, "#headline") == "Failing: nothing is being stored; 5 problems.", text(page, "#headline"))
        checks.hold("the title counts", page.value("document.title") == "Failing (5) · Penstock", page.value("document.title"))
        problems = text(page, "#problem-list")
        checks.hold("what, since when, and what to do", all(part in problems for part in (
            "he database takes nothing", "since 2 min", "ee that PostgreSQL runs", "penstock replay --mapping greenhouse")), problems)
        checks.hold("a command is shown as one", page.value("document.querySelector('.do code').textContent") == "penstock replay --mapping greenhouse")
        sessions = text(page, "#sessions")
        checks.hold("sessions in trouble come first", re.search(r"penstock-1.*penstock-2.*penstock-0", sessions, re.DOTALL) is not None, sessions)
        checks.hold("a refused filter has its reason", "not authorized (135)" in sessions, sessions)
        checks.hold("a parked mapping says so", "parked" in text(page, "#mappings"))
        checks.hold("what no mapping takes is told", "none takes it" in text(page, "#letters"))
        checks.hold("the database takes nothing, and is not said to be slow", "takes nothing" in text(page, "#database") and text(page, "#bound") == "Nothing can flow while the database takes nothing.", text(page, "#bound"))
        checks.hold("bytes are shown as digits, and marked", re.search(r"bytes\s*0a 1f 0b 00 c2 ff 03 e8", text(page, "#letters")) is not None, text(page, "#letters"))
        checks.sound(page)
        cards(checks, page)


def cards(checks, page):
    """On a phone nothing of a table lies out of sight: each row is a card."""
    checks.narrow(page)
    shown = page.value("[...document.querySelectorAll('tbody td')].map(cell => [cell.checkVisibility(), cell.dataset.label, cell.textContent])")
    checks.hold("a card leaves out what is nothing, and that alone", all(is_shown == (value not in ("0", "none")) for is_shown, _, value in shown), shown)
    checks.hold("each line of it has a label", all(label for _, label, _ in shown), shown)
    outside = page.value("[...document.querySelectorAll('tbody *')].filter(one => one.getBoundingClientRect().right > innerWidth).map(one => one.textContent)")
    checks.hold("nothing is out of sight", outside == [], outside)
    roles = [role for role, _ in page.roles()]
    checks.hold("it stays a table to a screen reader", roles.count("table") == 3 and {"row", "cell", "rowheader"} <= set(roles), set(roles))


def changed(report, **parts):
    """A report with some parts of its objects replaced; `silent` sets when the last message came, in seconds."""
    report = report()
    silent = parts.pop("silent", None)
    for one in report["mappings"] if silent is not None else []:
        one["last_message_at"] = reports.at(silent)
    for name, part in parts.items():
        report[name] = {**report[name], **part} if isinstance(part, dict) else part
    return report


def sentences(checks):
    """What is made of the figures, whatever state came before."""
    problem = {"what": "the broker says that it has dropped 3 messages", "since": None, "do": "look at its queue limits"}
    nothing = {"messages_per_second": 0, "rows_per_second": 0}
    # No two of the same sentence after each other: the second one would hold before it is shown.
    cases = [
        ("well", {}, r"All well: messages arrive and are stored\."),
        ("quiet", {"rates": nothing, "silent": 100}, r"Nothing arrives: no message since \d\d:\d\d:\d\d; the service is ready\."),
        ("quiet", {"rates": nothing, "silent": 3 * 86400}, r"Nothing arrives: no message since \d+ \w+ \d{4}, \d\d:\d\d:\d\d; the service is ready\."),
        ("well", {"rates": nothing, "silent": 40}, r"All well: messages arrive and are stored\."),
        ("degraded", {"problems": [problem]}, r"Degraded: data flows; 1 problem\."),
        ("degraded", {"problems": [problem] * 2, "rates": nothing, "silent": 100}, r"Degraded: no message since \d\d:\d\d:\d\d; 2 problems\."),
        ("degraded", {"latency": {"oldest_unacknowledged_seconds": 12}}, r"Degraded: data is late: messages wait longer than 10 s to be stored\."),
        ("degraded", {"problems": [problem], "latency": {"oldest_unacknowledged_seconds": 12}}, r"Degraded: data is late; 1 problem\."),
        ("failing", {"ready": False, "problems": [problem]}, r"Failing: data still flows, but not all of it; 1 problem\."),
        ("failing", {"ready": False, "problems": [problem], "rates": nothing}, r"Failing: nothing is being stored; 1 problem\."),
        ("degraded", {"ready": False, "problems": [problem], "totals": {"received": 0}, "process": {"uptime_seconds": 2}},
         r"Not ready yet: the service has just started\.")]
    with ScriptedService(reports.idle) as service, checks.shown(service.url) as page:
        for state, parts, expected in cases:
            service.report = lambda parts=parts: changed(reports.busy, **parts)
            asked(page)
            found = page.wait(f"new RegExp({json.dumps('^' + expected + '$')}).test(document.getElementById('headline').textContent)")
            checks.hold(f"{expected}", found and page.value("document.body.dataset.state") == state, text(page, "#headline"))


def hostile(checks):
    with ScriptedService(reports.hostile) as service, checks.shown(service.url) as page:
        page.value("document.querySelector('#letters tbody tr:nth-child(2) .text.wide summary').click()")
        checks.hold("it goes on asking", polled(page, 2))
        foreign = page.value(FOREIGN)
        checks.hold("no element comes from data", foreign["strange"] == [], foreign["strange"])
        checks.hold("no script ran", page.value("window.taken") is None)
        checks.hold("markup is shown as it came", '<img src="http://elsewhere.example/x" onerror=' in text(page, "#letters"))
        checks.hold("nothing invisible is in the text", foreign["invisible"] == [], foreign["invisible"])
        checks.hold("every foreign text is isolated", foreign["joined"] == [], foreign["joined"])
        checks.hold("controls have names", all(name in text(page, "#problem-list") for name in ("NUL", "ESC", "U+202E", "U+0085", "U+D800")), text(page, "#problem-list"))
        checks.hold("a long text is cut, and stays open when it was opened", page.value(
            "[...document.querySelectorAll('#letters details[open] .whole')].map(one => one.textContent.length)") == [len(reports.EMOJI.encode("utf-16-le")) // 2])
        checks.hold("one name twice is two rows, also after more answers", page.value("document.getElementById('sessions').tBodies[0].rows.length") == 4)
        checks.hold("large numbers keep their digits", "18,446,744,073,709,551,615" in text(page, "#mappings") and "9223372036854775807" in text(page, "#letters"))
        checks.hold("a time that is none is told in words", "never" in text(page, "#mappings"))
        checks.sound(page)
        checks.narrow(page)


def shapes(checks):
    """Widths, both colour schemes, less motion, and old data: nothing is wider than the screen or too pale to read."""
    for report in (reports.idle, reports.busy, reports.failing):
        with ScriptedService(report) as service:
            for width, dark in ((360, False), (360, True), (820, True), (1360, True), (2560, False)):
                page = checks.open(service.url, width, 900, dark=dark, reduced_motion=dark)
                where = f"{report.__name__} at {width} px, {'dark' if dark else 'light'}"
                checks.hold(f"an answer comes: {where}", page.wait(ANSWERED))
                checks.hold(f"no wider than the screen: {where}", page.value(WIDER) == [] and page.value("innerWidth") == width, page.value(WIDER))
                low = page.value(CONTRAST)
                checks.hold(f"contrast: {where}", low == [], low)
                ground = page.value("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
                checks.hold(f"the scheme is followed: {where}", (max(ground) < 60) == dark, ground)
                checks.hold(f"nothing moves: {where}", page.value("document.getAnimations().length") == 0)
                page.close()


def away(checks):
    with ScriptedService(reports.busy) as service, checks.shown(service.url, allowed=("network",)) as page:
        service.stop()
        asked(page)
        checks.hold("it says that nothing answers", page.wait(GONE), text(page, "#headline"))
        checks.hold("since when", re.fullmatch(r"No answer: the service has told nothing since \d\d:\d\d:\d\d\.", text(page, "#headline")), text(page, "#headline"))
        checks.hold("the title says so", page.value("document.title") == "No answer · Penstock", page.value("document.title"))
        checks.hold("why, and when it asks again", re.search(r"cannot be reached.* old\. Asking again", text(page, "#absence")), text(page, "#absence"))
        checks.hold("the last data stays", "48,211" in text(page, "#facts") and "penstock-7" in text(page, "#sessions"))
        checks.hold("and is grey", page.value("getComputedStyle(document.getElementById('known')).filter") == "grayscale(1)")
        checks.sound(page)
        service.start()
        checks.hold("it comes back by itself", page.wait(ANSWERED) and text(page, "#headline").startswith("All well"), text(page, "#headline"))
        checks.hold("and says no more of it", page.value("document.getElementById('absence').hidden && getComputedStyle(document.getElementById('known')).filter === 'none'"))
        service.hang()
        checks.hold("a service that takes connections and does not answer is away too", page.wait(GONE), text(page, "#headline"))
        checks.hold("that is told apart", "longer than 5 s" in text(page, "#absence"), text(page, "#absence"))
        service.release.set()
        checks.hold("and comes back", page.wait(ANSWERED))
        for status, body, reason in ((500, None, "status 500"), (200, b"<p>a proxy", "JSON"), (200, b"null", "no object")):
            service.status, service.body = status, body
            asked(page)
            checks.hold(f"an answer that is none is told: {reason}", page.wait(GONE) and reason in text(page, "#absence"), text(page, "#absence"))
            service.status, service.body = 200, None
            asked(page)
            checks.hold(f"after it all is well again: {reason}", page.wait(ANSWERED))
        service.body = b"{}"
        checks.hold("an answer with nothing in it is no end of the page", polled(page, 2) and page.value(
            "document.getElementById('headline').textContent.length > 10"))
    with ScriptedService(reports.busy) as service:
        service.status = 503
        page = checks.open(service.url)
        checks.hold("a page that never had an answer says so", page.wait("document.body.dataset.state === 'away'") and "status 503" in text(page, "#absence"))
        page.close()


def token(checks):
    with ScriptedService(reports.busy) as service:
        service.token = "correct-horse-battery"
        page = checks.open(service.url)
        shown = "!document.getElementById('access').hidden"
        checks.hold("it asks for a token", page.wait(shown) and text(page, "#headline").startswith("A token is needed"), text(page, "#headline"))
        checks.hold("the field has the focus", page.value("document.activeElement.id") == "token")
        checks.hold("the field has a label", page.value("document.getElementById('token').labels.length") == 1)
        low = page.value(CONTRAST)
        checks.hold("contrast", low == [], low)
        page.type("wrong")
        page.press("Enter")
        checks.hold("a wrong one is told", page.wait("document.getElementById('headline').textContent.startsWith('The token was not taken')"), text(page, "#headline"))
        page.value("document.getElementById('token').focus()")
        page.type("no token\u00e9")
        page.press("Enter")
        checks.hold("what cannot be one is not sent", "This is no token" in text(page, "#headline") and "no token" not in str(service.authorizations))
        page.value("document.getElementById('token').value = ''; document.getElementById('token').focus()")
        page.type("correct-horse-battery")
        page.press("Enter")
        checks.hold("the right one shows the status", page.wait(ANSWERED) and page.wait(f"!({shown})"), text(page, "#headline"))
        checks.hold("it went as a bearer", service.authorizations[-1] == "Bearer correct-horse-battery", service.authorizations[-3:])
        checks.hold("the address does not hold it", "correct" not in page.value("location.href") and not any("correct" in url for url in page.requests))
        page.go(service.url)
        checks.hold("it is kept for the tab", page.wait(ANSWERED) and page.value(f"!({shown})"))
        service.token = "another-one-from-now-on"
        checks.hold("a changed one is asked for while the old data stays, greyed", page.wait(shown) and page.value(
            "!document.getElementById('known').hidden && document.body.dataset.answer === 'none'"))
        page.value("document.getElementById('token').focus()")
        page.type("another-one-from-now-on")
        page.press("Enter")
        checks.hold("and taken", page.wait(ANSWERED))
        page.value("document.getElementById('forget').click()")
        checks.hold("it can be forgotten", page.wait(shown) and page.value("sessionStorage.length") == 0)
        checks.quiet(page, service.url, "network")
        page.close()


ALL = [source, policy_by_hash, idle, busy, failing, sentences, hostile, shapes, away, token]

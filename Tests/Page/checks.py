"""Counts claims about pages, and prints those that do not hold."""

import contextlib
import json
import re

from probes import ANSWERED, CONTRAST, HEADERS, STRUCTURE, WIDER


class Checks:
    def __init__(self, browser):
        self.browser = browser
        self.name = ""
        self.made = 0
        self.failed = 0

    def hold(self, claim, holds, seen=""):
        self.made += 1
        if not holds:
            self.failed += 1
            print(f"FAILED {self.name}: {claim}" + (f"\n       seen: {str(seen)[:600]}" if seen != "" else ""), flush=True)

    def open(self, url, *size, **options):
        page = self.browser.page(*size, **options)
        page.go(url)
        return page

    @contextlib.contextmanager
    def shown(self, url, *size, allowed=(), **options):
        """A page that has had its first answer; at the end it must have been quiet."""
        page = self.open(url, *size, **options)
        self.hold("an answer comes", page.wait(ANSWERED), text(page))
        yield page
        self.quiet(page, url, *allowed)
        page.close()

    def quiet(self, page, url, *allowed_sources):
        """Nothing in the console but what is allowed, no dialog, no request to elsewhere."""
        self.browser.drain()
        errors = [entry for entry in page.console if entry[0] not in allowed_sources]
        self.hold("no error in the console", not errors, errors)
        self.hold("no dialog", not page.dialogs, page.dialogs)
        strangers = [asked for asked in page.requests if not asked.startswith(url) and asked != "about:blank"]
        self.hold("no request to elsewhere", not strangers, strangers)

    def sound(self, page):
        """What holds whatever the report."""
        headers = page.value(HEADERS)
        self.hold("every header of a table has a scope, and rows have one", headers["bad"] == [] and headers["tables"] == 3, headers)
        numbers = page.value("[...document.querySelectorAll('td.number')].map(cell => cell.textContent)")
        self.hold("counts are grouped digits", all(re.fullmatch(r"\d{1,3}(,\d{3})*", number) for number in numbers), numbers)
        structure = page.value(STRUCTURE)
        self.hold("landmarks, headings in order, names of plots, one live region", structure == [], structure)
        low = page.value(CONTRAST)
        self.hold("contrast of all text is 4.5 or more", low == [], low)
        self.hold("the page does not scroll sideways", page.value(WIDER) == [], page.value(WIDER))

    def narrow(self, page):
        page.look(360, 780)
        self.hold("not wider than a phone", page.wait("innerWidth === 360") and page.value(WIDER) == [], page.value(WIDER))


def text(page, selector="main"):
    return page.value(f"document.querySelector({json.dumps(selector)}).innerText")


def polled(page, times):
    """Whether the page has had so many more answers, each of which it shows at once."""
    for _ in range(times):
        before = page.value("lastAnswerMs")
        if not page.wait(f"lastAnswerMs !== {json.dumps(before)}"):
            return False
    return True


def asked(page):
    """Lets the page ask now rather than at its next turn."""
    page.value("ask()")

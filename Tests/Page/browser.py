"""A headless chromium, driven over the pipe of its DevTools protocol; standard library only."""

import base64
import fcntl
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time

# What a desk or a phone has for system-ui; a server has nothing like it unless fonts-inter is there.
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <match><test name="family"><string>system-ui</string></test><edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
  <match><test name="family"><string>sans-serif</string></test><edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
</fontconfig>
"""


class BrowserError(Exception):
    """The browser does not start, answer, or do what it was asked."""


class Browser:
    """One process of chromium; pages are made with `page()`. Use it with `with`."""

    def __init__(self):
        program = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
        if not program:
            raise BrowserError("chromium is not installed: apt-get install chromium")
        self.directory = tempfile.mkdtemp(prefix="penstock-page-")
        read_by_browser, self.out = os.pipe()
        self.incoming, written_by_browser = os.pipe()
        # Out of the way of 3 and 4, which chromium reads and writes.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (read_by_browser, written_by_browser)]
        options = [
            "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.directory}", "--disable-gpu", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--disable-dev-shm-usage", "--force-device-scale-factor=1", "--font-render-hinting=none", "--lang=en-GB"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")

        # A process between puts them where chromium looks for them: in this one other files may be there.
        places = f"import os, sys; os.dup2({ends[0]}, 3); os.dup2({ends[1]}, 4); os.execvp(sys.argv[1], sys.argv[1:])"
        with open(os.path.join(self.directory, "fonts.conf"), "w") as fonts:
            fonts.write(FONTS)
        with open(os.path.join(self.directory, "log"), "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", places, program, *options, "about:blank"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=ends, start_new_session=True, env=os.environ | {"FONTCONFIG_FILE": os.path.join(self.directory, "fonts.conf"), "TZ": "UTC"})
        for end in (read_by_browser, written_by_browser, *ends):
            os.close(end)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.incoming, selectors.EVENT_READ)
        self.buffer = b""
        self.last_id = 0
        self.answers = {}
        self.pages = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.incoming)
        shutil.rmtree(self.directory, ignore_errors=True)

    def page(self, width=1280, height=900, **options):
        return Page(self, width, height, **options)

    def call(self, method, session=None, limit=30, **parameters):
        """Asks and waits for the answer; events that come before it are noted."""
        self.last_id += 1
        number = self.last_id
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + limit
        while number not in self.answers:
            self.receive(deadline - time.monotonic(), method)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def receive(self, limit, wanted="an event"):
        """Takes what has come within the limit, in seconds."""
        if limit <= 0 or not self.selector.select(limit):
            raise BrowserError(f"chromium does not answer: {wanted}")
        piece = os.read(self.incoming, 1 << 20)
        if not piece:
            with open(os.path.join(self.directory, "log"), errors="replace") as log:
                raise BrowserError(f"chromium has ended:\n{log.read()[-2000:]}")
        *messages, self.buffer = (self.buffer + piece).split(b"\0")
        for text in messages:
            message = json.loads(text)
            if "id" in message:
                self.answers[message["id"]] = message
            elif page := self.pages.get(message.get("sessionId")):
                page.happened(message["method"], message["params"])

    def drain(self):
        """Takes what is there already."""
        while self.selector.select(0):
            self.receive(1)


class Page:
    """A tab that notes what goes wrong in it: errors of the console, dialogs, and everything it asks for."""

    def __init__(self, browser, width, height, dark=False, reduced_motion=False):
        self.browser = browser
        self.console = []
        self.dialogs = []
        self.requests = []
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.pages[self.session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.look(width, height, dark, reduced_motion)

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def look(self, width, height, dark=False, reduced_motion=False, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 700)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"}])

    def happened(self, event, facts):
        if event == "Log.entryAdded" and facts["entry"]["level"] == "error":
            self.console.append((facts["entry"]["source"], facts["entry"]["text"]))
        elif event == "Runtime.exceptionThrown":
            details = facts["exceptionDetails"]
            self.console.append(("exception", details.get("exception", {}).get("description") or details["text"]))
        elif event == "Runtime.consoleAPICalled" and facts["type"] in ("error", "assert"):
            self.console.append(("console", json.dumps(facts["args"])))
        elif event == "Page.javascriptDialogOpening":
            self.dialogs.append(facts["message"])
        elif event == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])

    def go(self, url):
        answer = self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise BrowserError(f"{url}: {answer['errorText']}")
        if not self.wait("document.readyState === 'complete'"):
            raise BrowserError(f"{url} is not loaded in time")

    def value(self, expression):
        """What a JavaScript expression gives, promises awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(answer["exceptionDetails"].get("exception", {}).get("description", "error") + f"\nin {expression}")
        return answer["result"].get("value")

    def wait(self, expression, limit=30):
        """Whether an expression becomes true within the limit, in seconds."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if self.value(expression):
                return True
            # The condition is asked for twenty times a second; the browser has the processor in between.
            time.sleep(0.05)
        return False

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode={"Tab": 9, "Enter": 13}[key], **text)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def roles(self):
        """Pairs of role and name, as a screen reader is told them."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node.get("role", {}).get("value"), node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")]

    def picture(self, whole=True):
        """PNG of the whole page, or of as much as the screen shows at once."""
        options = {}
        if whole:
            options["captureBeyondViewport"] = True
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            options["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **options)["data"])

    def close(self):
        self.browser.drain()
        self.browser.call("Target.closeTarget", targetId=self.target)

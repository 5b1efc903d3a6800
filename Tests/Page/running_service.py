"""A real service for a browser to look at: broker, database and devices of `penstock demo`, and services of one's own beside it."""

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class ServiceError(Exception):
    """A service does not start, answer, or do what is waited for."""


class Running:
    """A process of penstock that ends with the stack, at the latest."""

    def __init__(self, stack, name, command, pattern=None):
        self.name = name
        self.command = command
        self.pattern = pattern
        self.address = None
        stack.callback(self.end)
        self.start()

    def start(self):
        """Again, after its end too."""
        self.said = []
        self.found = threading.Event()
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        threading.Thread(target=self.listen, args=(self.process.stdout,), daemon=True).start()
        if self.pattern and not (self.found.wait(90) and self.address):
            self.is_alive()
            raise ServiceError(f"penstock {self.name} does not say where its page is:\n{self.last_words()}")

    def listen(self, output):
        for line in output:
            self.said = self.said[-40:] + [line]
            match = re.search(self.pattern, line) if self.pattern and not self.address else None
            if match:
                self.address = match[1]
                self.found.set()
        self.found.set()

    def last_words(self):
        return "".join(self.said)[-3000:]

    def is_alive(self):
        if self.process.poll() is not None:
            raise ServiceError(f"penstock {self.name} has ended with {self.process.returncode}:\n{self.last_words()}")

    def go_on(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.is_alive()
            time.sleep(0.5)

    def kill(self):
        """Ends it as a crash does."""
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()


def temporary_folder(stack):
    folder = Path(tempfile.mkdtemp(prefix="penstock-page-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    # PostgreSQL does not run as root.
    folder.chmod(0o755)
    return folder


def demo(stack, binary, folder, devices, rate):
    """Broker, database, devices and a service, whose page is at `address`."""
    return Running(
        stack, "demo", [binary, "demo", "--keep", str(folder / "demo"), "--devices", str(devices), "--rate", str(rate)],
        r"look at it while it runs: (\S+)")


def beside(stack, binary, folder, demo_address, name, mappings, sessions=4):
    """A service of its own at the demo's servers, whose mappings are texts by name; it is at `address`, again after a new start."""
    report = status(demo_address)
    place = folder / name
    place.mkdir()
    for file, text in mappings.items():
        (place / file).write_text(text, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    broker = report["broker"]["url"]
    settings = {
        "broker": {"url": broker if "://" in broker else f"mqtt://{broker}"}, "database": {"url": report["database"]["url"]},
        "pool": {"client_id": name, "sessions": sessions}, "http": {"listen": f"127.0.0.1:{port}"}, "mappings": str(place), "ddl": "create"}
    configuration = folder / f"{name}.yaml"
    # JSON is YAML.
    configuration.write_text(json.dumps(settings), encoding="utf-8")
    service = Running(stack, "run", [binary, "run", "--config", str(configuration)])
    service.address = f"http://127.0.0.1:{port}/"
    until(service.address, lambda now: now["ready"], f"the service {name} is ready", service)
    return service


def publish(report, topic, payload):
    """At QoS 1, through the broker of a report."""
    port = re.search(r":(\d+)$", report["broker"]["url"])[1]
    sent = subprocess.run(
        ["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-q", "1", "-t", topic, "-s"],
        input=payload, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    if sent.returncode != 0:
        raise ServiceError(f"the broker does not take a message: {sent.stdout.decode(errors='replace')}")


def status(address, limit=30):
    with urllib.request.urlopen(address + "api/status", timeout=limit) as answer:
        return json.load(answer)


def until(address, holds, what, service=None, limit=60):
    """Waits until a report of the service is as wanted, and gives it."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if service:
            service.is_alive()
        with contextlib.suppress(urllib.error.URLError, OSError):
            report = status(address)
            if holds(report):
                return report
        time.sleep(0.1)
    raise ServiceError(f"in vain waited until {what}" + (f":\n{service.last_words()}" if service else ""))

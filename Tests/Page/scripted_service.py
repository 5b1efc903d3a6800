"""A service that serves the status page and answers api/status as a script says, as `penstock run` does."""

import base64
import hashlib
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "Sources/Operations/Status/status.html"


class ScriptedService:
    """Listens on a free port of 127.0.0.1. `report` is called for every answer; `token` and `status` and `hangs` may change at any time."""

    def __init__(self, report, policy="nonce"):
        self.report = report
        self.policy = policy
        self.token = None
        self.status = 200
        self.body = None
        self.authorizations = []
        self.release = threading.Event()
        self.release.set()
        self.port = 0
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def start(self):
        """Listens, on the same port as before."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                service.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        """From now on connections are refused."""
        self.release.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def hang(self):
        """From now on connections are taken and not answered, as by a stopped process."""
        self.release.clear()

    def answer(self, request):
        path = request.path.split("?")[0]
        if path == "/":
            return self.send(request, 200, "text/html; charset=utf-8", *self.page())
        if path != "/api/status":
            return self.send(request, 404, "text/plain", b"there is nothing\n")
        self.release.wait()
        given = request.headers.get("Authorization")
        self.authorizations.append(given)
        if self.token is not None and given != f"Bearer {self.token}":
            return self.send(request, 401, "text/plain", b"a token\n")
        body = json.dumps(self.report()).encode() if self.body is None else self.body
        return self.send(request, self.status, "application/json", body)

    def page(self):
        """The page and its policy: with a nonce that is new for every answer, or with the hashes of what stands in it."""
        html = PAGE.read_text(encoding="utf-8")
        if self.policy == "nonce":
            nonce = base64.b64encode(os.urandom(18)).decode()
            html = html.replace("{nonce}", nonce)
            sources = {"style": f"'nonce-{nonce}'", "script": f"'nonce-{nonce}'"}
        else:
            sources = {
                tag: "'sha256-" + base64.b64encode(hashlib.sha256(inner(html, tag).encode()).digest()).decode() + "'" for tag in ("style", "script")}
        policy = (
            f"default-src 'none'; script-src {sources['script']}; style-src {sources['style']}; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'")
        return html.encode(), policy

    @staticmethod
    def send(request, status, kind, body, policy="default-src 'none'; frame-ancestors 'none'"):
        try:
            request.send_response(status)
            for name, value in [
                    ("Content-Type", kind), ("Content-Length", str(len(body))), ("Content-Security-Policy", policy), ("Cache-Control", "no-store"),
                    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Connection", "close")]:
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass


def inner(html, tag):
    """What stands in the only element of that name."""
    return re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", html, re.DOTALL)[1]

"""The page over HTTP, for this machine alone.

Any page that a browser has open can send requests to the loopback interface. So a request must name
this server as its host, which keeps out names that a stranger's domain server points here, and come
from this page if it says where it comes from.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources

from sklin.demo import _model

ADDRESS = "127.0.0.1"
MAX_BODY = 64 * 1024
MAX_CONNECTIONS = 32
SECONDS_PER_REQUEST = 15.0

PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/demo.css": ("demo.css", "text/css; charset=utf-8"),
    "/demo.js": ("demo.js", "text/javascript; charset=utf-8"),
    "/plot.js": ("plot.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
CALLS = {"/evaluate": _model.evaluate, "/run": _model.run}
JSON = "application/json"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Connection": "close",
}


class Refusal(Exception):
    """A request that is not served: a status and a sentence."""

    def __init__(self, status, sentence, **headers):
        super().__init__(sentence)
        self.status = status
        self.headers = headers


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server_version, sys_version = "sklin", ""
    timeout = SECONDS_PER_REQUEST

    def setup(self):
        super().setup()
        # `timeout` is for one read. Who sends a byte at a time is cut off, too.
        self.clock = threading.Timer(SECONDS_PER_REQUEST, self._cut)
        self.clock.daemon = True
        self.clock.start()

    def finish(self):
        self.clock.cancel()
        super().finish()

    def _cut(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has gone by itself

    def __getattr__(self, name):
        if name.startswith("do_"):  # whatever the method, it is looked at in one place
            return self.answer
        raise AttributeError(name)

    def answer(self):
        """Serve the request, or say why not."""
        try:
            status, kind, content, headers = 200, *self._content(), {}
        except Refusal as refusal:
            status, headers = refusal.status, refusal.headers
            kind, content = JSON, _sentence(refusal)
        except Exception as error:
            print(f"sklin demo: error: {error!r}", file=sys.stderr)
            status, kind, content, headers = 500, JSON, _sentence("An error in sklin."), {}
        self._send(status, kind, content, headers)

    def send_error(self, code, message=None, explain=None):
        """What http.server says of requests that it cannot read, in the shape of all answers."""
        self._send(code, JSON, _sentence(message or "The request cannot be read."), {})

    def log_message(self, format, *args):
        pass

    def _send(self, status, kind, content, headers):
        self.send_response(status)
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _content(self):
        """Kind and bytes of the answer."""
        self._check_sender()
        path = self.path.partition("?")[0]
        allowed = "POST" if path in CALLS else "GET"
        if path not in PAGES and path not in CALLS and path != "/options":
            raise Refusal(404, "There is no such page.")
        if self.command != allowed:
            raise Refusal(405, f"Only {allowed} is allowed here.", Allow=allowed)
        if path in PAGES:
            name, kind = PAGES[path]
            return kind, resources.files("sklin.demo").joinpath("page", name).read_bytes()
        if path == "/options":
            return JSON, _encoded(_model.options())
        state = self._body()
        try:
            return JSON, _encoded(CALLS[path](state))
        except (TypeError, ValueError) as error:
            raise Refusal(400, str(error)) from error

    def _check_sender(self):
        port = self.server.server_port
        # A browser leaves the port out where it is the usual one.
        hosts = [f"{name}:{port}" for name in (ADDRESS, "localhost")]
        hosts += [ADDRESS, "localhost"] if port == 80 else []
        given = self.headers.get_all("Host", [])
        if len(given) != 1 or given[0].strip().lower() not in hosts:
            raise Refusal(403, f"The Host of a request must be one of {', '.join(hosts)}.")
        for origin in self.headers.get_all("Origin", []):
            if origin.strip().lower() != f"http://{given[0].strip().lower()}":
                raise Refusal(403, "Only the page itself may ask: the Origin is another.")

    def _body(self):
        """The JSON of the request."""
        kind = self.headers.get_content_type() if "Content-Type" in self.headers else ""
        if kind != JSON:
            raise Refusal(415, f"The Content-Type must be {JSON}.")
        lengths = self.headers.get_all("Content-Length", [])
        chunked = "Transfer-Encoding" in self.headers
        if chunked or len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            raise Refusal(411, "A request needs one Content-Length, a whole number.")
        # Its digits first: to read a number of thousands of them is work already.
        if len(lengths[0]) > 9 or int(lengths[0]) > MAX_BODY:
            raise Refusal(413, f"A request may have {MAX_BODY} bytes at most.")
        content = self.rfile.read(int(lengths[0]))
        if len(content) < int(lengths[0]):
            raise Refusal(400, "The request ended before its Content-Length.")
        try:
            return json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "The request is not JSON in UTF-8.") from error


class Server(ThreadingHTTPServer):
    """The page's server, on the loopback interface; a context manager that closes it.

    Parameters
    ----------
    port : int
        The port; 0 takes a free one.
    """

    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS
    # Another's server on the same port is an error here, not a race.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, port=0):
        super().__init__((ADDRESS, port), Handler)
        self.free = threading.BoundedSemaphore(MAX_CONNECTIONS)

    @property
    def address(self):
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_port}/"

    def process_request(self, request, client_address):
        """Serve a connection in a thread, unless there are too many."""
        if not self.free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def handle_error(self, request, client_address):
        """A caller that has gone is no error of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _encoded(answer):
    return json.dumps(answer, allow_nan=False).encode()


def _sentence(error):
    return _encoded({"error": str(error)})

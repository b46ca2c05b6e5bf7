"""The page over HTTP: what is served, to whom, and that nothing said to it breaks it."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sklin.__main__ import main
from sklin.commands import _demo
from sklin.demo import _server
from sklin.demo._model import evaluate

SECONDS = 10


def ask(server, method, path, body=None, headers=(), host=None):
    """Status, headers and content of the answer to a request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=SECONDS)
    given = {"Host": host or f"127.0.0.1:{server.server_port}"}
    given |= {"Content-Type": "application/json"} if method == "POST" else {}
    try:
        connection.request(method, path, body, given | dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def post(server, path, state, **more):
    body = state if isinstance(state, bytes) else json.dumps(state).encode()
    status, _, content = ask(server, "POST", path, body, **more)
    return status, json.loads(content)


def raw(server, request, *, end=True):
    """All that comes back for some bytes."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=SECONDS) as line:
        try:
            line.sendall(request)
            if end:
                line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(65536), b""))
        except ConnectionError:  # cut off while it was still sending
            return b""


def test_the_page_and_its_files(server):
    for path, kind in [("/", "text/html"), ("/demo.js", "text/javascript"), ("/demo.css", "text/")]:
        status, headers, content = ask(server, "GET", path)
        assert status == 200 and headers["Content-Type"].startswith(kind) and len(content) > 1000
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
    assert ask(server, "GET", "/?from=mail")[0] == 200


def test_nothing_is_asked_of_the_network(server):
    """No address but that of the names of XML, in none of the files."""
    for path in _server.PAGES:
        content = ask(server, "GET", path)[2].replace(b"http://www.w3.org/2000/svg", b"")
        assert b"//" not in content.replace(b"// ", b"") and b"@import" not in content


def test_a_call_gives_the_model_s_numbers(server, state):
    assert post(server, "/evaluate", state) == (200, evaluate(state))
    status, answer = post(server, "/run", state)
    assert status == 200 and len(answer["steps"]) == 21


def test_the_server_is_on_the_loopback_interface_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.address == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "127.0.0.1:1", "evil.localhost:{}"])
def test_other_hosts_are_refused(server, state, host):
    host = host.format(server.server_port)
    assert ask(server, "GET", "/", host=host)[0] == 403
    assert post(server, "/evaluate", state, host=host)[0] == 403


def test_a_request_needs_exactly_one_host(server):
    good = f"Host: 127.0.0.1:{server.server_port}\r\n"
    assert b" 200 " in raw(server, f"GET / HTTP/1.1\r\n{good}\r\n".encode())
    assert b" 403 " in raw(server, b"GET / HTTP/1.1\r\n\r\n")
    assert b" 403 " in raw(server, f"GET / HTTP/1.1\r\n{good}Host: x\r\n\r\n".encode())


def test_only_the_own_origin_is_served(server, state):
    here = f"http://127.0.0.1:{server.server_port}"
    for origin, status in [
        (here, 200),
        ("null", 403),
        ("https://example.org", 403),
        (f"http://localhost:{server.server_port}", 403),  # another origin than the page's host
        (f"https://127.0.0.1:{server.server_port}", 403),
        (f"{here}0", 403),
    ]:
        assert post(server, "/evaluate", state, headers={"Origin": origin})[0] == status
        assert ask(server, "GET", "/", headers={"Origin": origin})[0] == status
    other = f"localhost:{server.server_port}"
    headers = {"Origin": f"http://{other}"}
    assert post(server, "/evaluate", state, headers=headers, host=other)[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
def test_other_content_types_are_refused(server, state, kind):
    assert post(server, "/evaluate", state, headers={"Content-Type": kind})[0] == 415
    assert post(
        server, "/evaluate", state, headers={"Content-Type": "application/json; charset=utf-8"}
    )[0] == 200  # fmt: skip


def test_paths_and_methods(server):
    for path in ("/favicon.ico", "/../_server.py", "/page/index.html", "/%2e%2e/x", "/run/"):
        assert ask(server, "GET", path)[0] == 404
    for method in ("HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        for path, allowed in [("/", "GET"), ("/options", "GET"), ("/run", "POST")]:
            status, headers, _ = ask(server, method, path)
            assert (status, headers["Allow"]) == (405, allowed)
    assert ask(server, "GET", "/run")[0] == 405
    assert ask(server, "POST", "/", b"{}")[0] == 405


def test_bodies_are_bounded_before_they_are_read(server):
    host = f"Host: 127.0.0.1:{server.server_port}\r\nContent-Type: application/json\r\n"
    for length, status in [
        (_server.MAX_BODY + 1, 413),
        ("9" * 5000, 413),
        ("-1", 411),
        ("1e3", 411),
        ("²", 411),
        ("5\r\nContent-Length: 5", 411),
        ("5\r\nTransfer-Encoding: chunked", 411),
        ("5", 400),  # and no body comes
    ]:
        request = f"POST /run HTTP/1.1\r\n{host}Content-Length: {length}\r\n\r\n"
        assert f" {status} ".encode() in raw(server, request.encode("latin-1", "replace"))[:20]
    assert b" 411 " in raw(server, f"POST /run HTTP/1.1\r\n{host}\r\n".encode())[:20]


def test_bad_fields_are_named_over_http(server, state):
    status, answer = post(server, "/evaluate", state | {"alpha": -1})
    assert status == 400 and answer["error"].startswith("alpha must be a number in [0")
    refused = state | {"optimizer": "proximal_newton"}
    status, answer = post(server, "/run", refused)
    assert status == 400 and answer["error"] == evaluate(refused)["refusal"]


def mangled(rng, state):
    """A body that is wrong in one of many ways, or by chance in none."""
    body = json.dumps(state).encode()
    kind = rng.randrange(7)
    if kind == 0:
        return rng.randbytes(rng.randrange(200))
    if kind == 1:
        return body[: rng.randrange(len(body))]
    if kind == 2:
        at = rng.randrange(len(body))
        return body[:at] + rng.randbytes(1) + body[at + 1 :]
    if kind == 3:
        return rng.choice([b"[" * 30000, b'{"a":' * 9000, b"9" * 20000, b"1e999", b"NaN", b"\xff"])
    strange = [None, True, -1, 0, 1e308, 10**300, float("nan"), "", "l1", [], {}, [[[]]], 1e-320]
    changed = json.loads(body)
    field = rng.choice(list(changed))
    if kind == 4 or not isinstance(changed[field], list):
        changed[field] = rng.choice(strange)
    else:
        row = rng.randrange(len(changed[field]))
        if kind == 5 or not isinstance(changed[field][row], list):
            changed[field][row] = rng.choice(strange)
        else:
            column = rng.randrange(len(changed[field][row]))
            changed[field][row][column] = rng.choice(strange)
    return json.dumps(changed).encode()


def test_garbage_is_refused_in_a_sentence(server, state):
    rng = random.Random(0)
    seen = set()
    for _ in range(400):
        path = rng.choice(["/evaluate", "/run"])
        body = mangled(rng, state | {"n_steps": 2})
        status, answer = post(server, path, body)
        assert status in (200, 400), body[:200]
        assert status == 200 or (answer["error"].endswith(".") and len(answer["error"]) < 2000)
        seen.add(status)
    assert seen == {200, 400}


def test_garbage_requests_do_not_end_the_server(server, capfd):
    rng = random.Random(1)
    for request in [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"__class__ / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        *(rng.randbytes(300) + b"\r\n\r\n" for _ in range(30)),
    ]:
        assert b" 500 " not in raw(server, request)[:20]
    assert ask(server, "GET", "/options")[0] == 200
    assert capfd.readouterr().err == ""


def test_slow_callers_are_cut_off_and_hold_nobody_up(server, monkeypatch):
    monkeypatch.setattr(_server, "SECONDS_PER_REQUEST", 1.0)
    silent = [
        socket.create_connection(("127.0.0.1", server.server_port), timeout=SECONDS)
        for _ in range(5)
    ]
    assert ask(server, "GET", "/options")[0] == 200
    begun, (drip, *idle) = time.monotonic(), silent
    with drip, pytest.raises(OSError):
        while time.monotonic() - begun < SECONDS:
            drip.sendall(b"G")  # never silent, and never done
            time.sleep(0.1)
    assert time.monotonic() - begun < 5
    for line in idle:
        with line:
            assert line.recv(1) == b""


def test_too_many_connections_are_closed_and_room_comes_back(server):
    lines = [
        socket.create_connection(("127.0.0.1", server.server_port), timeout=SECONDS)
        for _ in range(_server.MAX_CONNECTIONS)
    ]
    time.sleep(0.3)
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=SECONDS) as one_more:
        assert one_more.recv(1) == b""
    for line in lines:
        line.close()
    time.sleep(0.3)
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: ask(server, "GET", "/options")[0], range(40)))
    assert answers == [200] * 40


def test_a_fault_of_ours_is_said_without_its_insides(server, state, monkeypatch, capfd):
    def fault(state):
        raise RuntimeError("an inside")

    monkeypatch.setitem(_server.CALLS, "/evaluate", fault)
    assert post(server, "/evaluate", state) == (500, {"error": "An error in sklin."})
    assert "an inside" in capfd.readouterr().err


# --- the command -------------------------------------------------------------------------------


def test_a_port_in_use_is_a_sentence(server, capsys):
    assert main(["demo", "--no-browser", "--port", str(server.server_port)]) == 2
    printed = capsys.readouterr()
    [line] = printed.err.splitlines()
    expected = f"error: --port: cannot serve at port {server.server_port}: "
    assert line.startswith(f"python -m sklin demo: {expected}")
    assert printed.out == ""


@pytest.mark.parametrize("port", ["-1", "65536", "x", "1.5"])
def test_a_bad_port_is_a_sentence(port, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["demo", f"--port={port}"])
    assert caught.value.code == 2
    assert f"expected a whole number from 0 to 65535; got {port!r}" in capsys.readouterr().err


def test_the_browser_is_opened_unless_told_otherwise(monkeypatch, capsys):
    opened, told = [], threading.Event()

    def browse(address):
        opened.append(address)
        told.set()

    def interrupted(server):
        told.wait(0.5)
        raise KeyboardInterrupt

    monkeypatch.setattr(_demo.webbrowser, "open", browse)

    monkeypatch.setattr(_demo.Server, "serve_forever", interrupted)
    assert main(["demo"]) == 0
    assert len(opened) == 1 and f"The demo is at {opened[0]}\n" in capsys.readouterr().out
    told.clear()
    assert main(["demo", "--no-browser"]) == 0
    assert len(opened) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_ctrl_c_ends_it_with_a_sentence():
    command = [sys.executable, "-m", "sklin", "demo", "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        try:
            # What follows the address on its line would be copied with it.
            address = process.stdout.readline().removeprefix("The demo is at ").removesuffix("\n")
            assert process.stdout.readline() == "Ctrl-C ends it.\n"
            port = int(address.rstrip("/").rpartition(":")[2])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
            connection.request("GET", "/options")
            assert connection.getresponse().status == 200
            connection.close()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == 0
    assert out.strip() == "The demo has ended." and err == ""

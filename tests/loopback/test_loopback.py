"""Servers and loads on loopback: started, measured, ended."""

import importlib.util
import time

import numpy as np
import pytest

from course_utils.loopback import Server, ask_on_ray, cell_of, finish_load, start_load

ECHO = """
import sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if self.path == "/echo" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def server():
    server = Server(ECHO, 3)
    yield server
    assert server.close() == 3


def test_one_request(server):
    status, headers, content = server.ask("POST", "/echo", b"[1]")
    assert (status, headers["Content-Length"], content) == (200, "3", b"[1]")
    assert server.ask("POST", "/else", b"")[0] == 404


@pytest.mark.parametrize("kind", [{"clients": 3}, {"rate": 50}])
@pytest.mark.parametrize("seconds", [0.3, 1e-9], ids=["enough", "a machine too busy"])
def test_load_returns_each_answer_with_its_question(server, kind, seconds):
    if "rate" in kind:
        kind = {"rate": 15 / seconds}
    load = start_load(server.port, "/echo", ["[0]", "[1]"], seconds=seconds, **kind)
    found = finish_load(load)
    assert [answer[0] for answer in found.answer] == found.index.tolist()
    assert set(found.index.tolist()) == {0, 1}
    assert np.all(found.status == 200)
    assert np.all(found.answered >= found.sent)
    assert len(found.sent) == 15 if "rate" in kind else len(found.sent) >= 3


def test_a_load_without_an_end_goes_on_until_it_is_finished(server):
    with start_load(server.port, "/echo", ["[0]"], clients=2) as load:
        before = time.perf_counter()  # the same clock in all processes of a machine
        time.sleep(0.1)
        assert load.poll() is None
        found = finish_load(load)
    assert found.answered.max() > before


def test_faults_are_told(server):
    with pytest.raises(RuntimeError, match="broke off"):
        finish_load(start_load(server.port, "/echo", [], seconds=0.1, clients=1))
    with pytest.raises(RuntimeError, match=r"(?s)did not start.*NameError"):
        Server("nonsense")


def test_cell_of_a_function_is_all_of_its_file():
    assert cell_of(test_one_request).startswith('"""Servers and loads on loopback')


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_sentence_of_serve_is_passed_on(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"never opened")
    with pytest.raises(RuntimeError, match=r"did not start:\nerror: --ray needs Ray Serve"):
        ask_on_ray(tmp_path / "model.keras", 2, b"{}")

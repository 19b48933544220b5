"""`serve` as a process: what it prints, answers and refuses over real HTTP, and how it ends."""

import concurrent.futures
import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

import keras
import numpy as np
import psutil
import pytest

from course_utils.service.audit import verify
from course_utils.service.keys import KeyStore
from course_utils.service.vault import read_secret, seal
from tests import HANG
from tests.service.server import COMMAND, ROOT, Server, image, put_digits
from tests.setup.planted import AT_THE_START, plant

pytestmark = pytest.mark.skipif("os.name == 'nt'", reason="ends the server with POSIX signals")
PREDICT = "/v1/models/digits:predict"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    put_digits(folder)
    return folder


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    """The service in an account full of settings, none of which may change an answer."""
    variables = plant(tmp_path_factory.mktemp("home")) | AT_THE_START
    with Server(folder, variables=variables) as server:
        yield server


def good(server) -> None:
    """The server still answers, and rightly."""
    status, answer = server.ask(PREDICT, {"instances": [image(1)]})
    assert status == 200
    assert np.isclose(sum(answer["predictions"][0]), 1)


def exchange(server, data: bytes) -> tuple[bytes, dict]:
    """Send bytes over a socket; return head and JSON of what comes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=HANG) as connection:
        connection.sendall(data)
        content = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = content.partition(b"\r\n\r\n")
    return head, json.loads(body)


def test_it_prints_a_page_with_a_key_that_works(server, folder):
    assert "Model   digits: version 1 loaded, 1 answers" in server.said
    assert f"Page    {server.address}/\n" in server.said
    assert server.key not in server.said  # it is piped, as into a log
    assert (folder / "first_key.txt").stat().st_mode & 0o777 == 0o600
    assert server.address.startswith("http://127.0.0.1:")
    assert server.ask("/readyz") == (200, {"status": "ready"})
    status, answer = server.ask("/v1/models/digits")
    assert (status, answer["model_version_status"][0]["version"]) == (200, "1")
    (key,) = KeyStore(folder / "keys.json").all()
    assert key.scopes == ("predict:*", "read:*")  # not admin
    assert (folder / "keys.json").stat().st_mode & 0o777 == 0o600


def test_predictions_are_those_of_the_model(server, folder):
    images = [image(seed) for seed in range(100)]
    model = keras.models.load_model(folder / "models/digits/1/model.keras", compile=False)
    expected = model.predict(np.array(images, np.float32), verbose=0)
    status, answer = server.ask(PREDICT, {"instances": images})
    assert (status, answer["version"]) == (200, 1)
    np.testing.assert_allclose(answer["predictions"], expected, atol=1e-5)
    with concurrent.futures.ThreadPoolExecutor(16) as clients:
        answers = clients.map(lambda x: server.ask(PREDICT, {"instances": [x]})[1], images)
        got = [answer["predictions"][0] for answer in answers]
    np.testing.assert_allclose(got, expected, atol=1e-5)


REFUSED = {
    "broken JSON": (PREDICT, b'{"instances": [', 400, "not JSON"),
    "no JSON": (PREDICT, bytes(range(256)), 400, "not JSON"),
    "wrong shape": (PREDICT, {"instances": [[1, 2, 3]]}, 400, "shape [28, 28], found [3]"),
    "wrong type": (PREDICT, {"instances": [[["a"] * 28] * 28]}, 400, "found text"),
    "NaN": (PREDICT, {"instances": [[[float("nan")] * 28] * 28]}, 400, "NaN"),
    "infinity": (PREDICT, {"instances": [[[float("inf")] * 28] * 28]}, 400, "Infinity"),
    "scaled": (PREDICT, {"instances": [[[0.5] * 28] * 28]}, 400, "do not divide by 255"),
    "no instance": (PREDICT, {"instances": []}, 400, "found 0"),
    "10,001 instances": (PREDICT, {"instances": [[]] * 10_001}, 400, "found 10001"),
    "unknown model": ("/v1/models/letters:predict", {"instances": []}, 404, "no model 'letters'"),
    "unknown version": ("/v1/models/digits/versions/9:predict", b"", 404, "9 of 'digits' is not"),
    "unknown route": ("/v2/models/digits:predict", b"", 404, "is not a route"),
    "a 5 MB body": (PREDICT, b" " * 5_000_000, 413, "larger than 4,194,304 bytes"),
}


@pytest.mark.parametrize(("path", "body", "status", "words"), REFUSED.values(), ids=list(REFUSED))
def test_bad_input_gets_its_sentence_and_the_process_goes_on(server, path, body, status, words):
    found, answer = server.ask(path, body)
    assert (found, list(answer)) == (status, ["error"])
    assert words in answer["error"]
    good(server)


@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "in chunks"])
def test_a_body_of_100_mb_is_refused_without_being_kept_or_read(server, announced):
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    coding = f"Content-Length: {100 * 2**20}" if announced else "Transfer-Encoding: chunked"
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n{coding}"
    piece, sent = (b"" if announced else b"10000\r\n") + b" " * 2**16, 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=HANG) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            while sent < 100 * 2**20:
                connection.sendall(piece if announced else piece + b"\r\n")
                sent += 2**16
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, list(json.load(answer))) == (413, ["error"])
        assert answer.headers["Connection"] == "close"
    assert sent < 50 * 2**20
    assert process.memory_info().rss - before < 30 * 2**20
    good(server)


def test_bytes_that_are_not_http_are_a_400(server):
    head, answer = exchange(server, b"\x16\x03\x01 hello\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert answer == {"error": "The request is not valid HTTP."}
    good(server)


def test_a_length_of_5000_digits_is_refused(server):
    length = b"9" * 5000
    head, answer = exchange(
        server,
        b"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n"
        b"Content-Length: %s\r\n\r\n" % (PREDICT.encode(), server.key.encode(), length),
    )
    assert re.match(rb"HTTP/1.1 4(00|13) ", head)
    assert list(answer) == ["error"]
    good(server)


@pytest.mark.parametrize("key", ["", "lms_00000000_" + "0" * 64, "x" * 10_000], ids=len)
def test_a_wrong_key_is_a_401(server, key):
    assert server.ask(PREDICT, b"{}", key or " ")[0] == 401
    good(server)


def test_a_second_server_on_the_same_port_or_folder_says_so(server, folder, tmp_path):
    def start(folder, port):
        command = [*COMMAND, "serve", "--folder", str(folder), "--port", str(port)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert (result.returncode, result.stdout) == (1, "")
        return result.stderr

    assert "Address already in use" in start(tmp_path, server.port)
    assert "another process writes to" in start(folder, 0)
    good(server)


def ask_until_it_ends(server, answered: list, asked: threading.Event) -> None:
    """Send requests until the server is gone; note every answer."""
    body = json.dumps({"instances": [image(1)]})
    headers = {"Authorization": f"Bearer {server.key}"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    try:
        while True:
            connection.request("POST", PREDICT, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status in (200, 503), content
            answered.append(answer.status)
            if len(answered) > 200:
                asked.set()
    except (OSError, http.client.HTTPException):
        return


def under_load(server, end) -> list[int]:
    """Call `end` while 8 clients ask; return the statuses of all answers."""
    answered, asked = [], threading.Event()
    threads = [
        threading.Thread(target=ask_until_it_ends, args=(server, answered, asked)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    assert asked.wait(HANG)
    end()
    for thread in threads:
        thread.join()
    return answered


def logged(folder) -> int:
    return (folder / "audit.log").read_bytes().count(b'"status":200')


def test_kill_restart_and_orderly_end_under_load(tmp_path):
    put_digits(tmp_path)
    put_digits(tmp_path, version=2)
    key = KeyStore(tmp_path / "keys.json").add("load", ["predict:*"], 1, per_minute=10**9)
    with Server(tmp_path) as first:
        first.key = key
        killed = under_load(first, first.process.kill)
    secret = read_secret(tmp_path / "secret.key")
    report = verify(tmp_path / "audit.log", secret)
    assert report.problem is None
    assert logged(tmp_path) >= killed.count(200) > 200  # whatever was answered is in the log

    seal(tmp_path / "models/digits/2/model.keras", secret)
    with Server(tmp_path) as second:
        assert second.key is None  # there is a valid key
        second.key = key
        good(second)  # from the sealed file
        before = logged(tmp_path)
        ended = []
        answered = under_load(second, lambda: ended.append(second.stop()))
    ((code, out, err),) = ended
    assert (code, err) == (0, "")
    assert out.endswith("Stopped; what was accepted is answered.\n")
    assert logged(tmp_path) - before == answered.count(200)  # none was computed in vain
    assert verify(tmp_path / "audit.log", secret).ok


LITTLE = ["/bin/sh", "-c", 'ulimit -n 256; exec "$0" "$@"', *COMMAND, "serve"]  # descriptors


def test_idle_connections_shut_nobody_out_and_sigterm_lets_others_see_the_end(folder, tmp_path):
    shutil.copytree(folder / "models", tmp_path / "models")
    with Server(tmp_path, "--drain", "600", command=LITTLE) as server:
        with contextlib.ExitStack() as stack:
            for _ in range(300):
                address = ("127.0.0.1", server.port)
                stack.enter_context(socket.create_connection(address, timeout=HANG))
            good(server)
            server.process.send_signal(signal.SIGTERM)
            while server.ask("/readyz")[0] == 200:  # each over a new connection
                pass
            assert server.ask("/readyz")[0] == 503
            good(server)
        assert server.stop()[::2] == (0, "")  # a second signal ends it at once


def test_ctrl_c_ends_a_tls_server_with_0_and_a_tampered_file_is_refused(tmp_path):
    path = put_digits(tmp_path)
    with Server(tmp_path, "--tls") as server:
        assert server.address.startswith("https://")
        trusted = ssl.create_default_context(cafile=tmp_path / "tls" / "certificate.pem")
        with urllib.request.urlopen(server.address + "/healthz", context=trusted) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(server.address + "/healthz")
        assert server.stop(signal.SIGINT)[::2] == (0, "")

    sealed = seal(path, read_secret(tmp_path / "secret.key"))
    content = bytearray(sealed.read_bytes())
    content[len(content) // 2] ^= 1
    sealed.write_bytes(content)
    command = [*COMMAND, "serve", "--folder", str(tmp_path), "--port", "0"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, "Page" in result.stdout) == (1, False)
    assert result.stderr.startswith("error: Version 1 of 'digits' is refused: ")
    assert "Traceback" not in result.stderr

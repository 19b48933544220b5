"""The cause of a failed set-up is named, from what pip really prints (23.2 and 26.3)."""

import sys

import pytest

from course_utils.setup import messages
from course_utils.setup.progress import LOG, Commands, Progress

NOT_FOUND = """\
ERROR: Could not find a version that satisfies the requirement toy==1.0 (from versions: none)
ERROR: No matching distribution found for toy==1.0
"""
RETRYING = (
    "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after "
    "connection broken by "
)
OS_ERROR = "ERROR: Could not install packages due to an OSError: "

SAMPLES = {
    "disk full": (f"{OS_ERROR}[Errno 28] No space left on device\n\n", "The disk is full"),
    "memory": ('  File "/x/pip/_internal/x.py", line 1, in f\nMemoryError\n', "The memory ran out"),
    "killed": ("The command was ended by signal 9.\n", "The memory ran out, or something else"),
    "long path": (
        f"{OS_ERROR}[Errno 2] No such file or directory: 'C:\\\\Users\\\\x\\\\…\\\\a.js'\nHINT: "
        "This error might have occurred since this system does not have Windows Long Path support "
        "enabled. You can find information on how to enable this at …/enable-long-paths\n\n",
        "Move the course's folder to a place with a short path",
    ),
    "read-only": (
        f"{OS_ERROR}[Errno 30] Read-only file system: '/srv/.venv/lib/python3.11/x'\n",
        "on a file system that cannot be written",
    ),
    "hashes": (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have "
        "updated the package versions, please update the hashes. Otherwise, examine the package "
        "contents carefully; someone may have tampered with them.\n    toy==1.0 from …:\n"
        "        Expected sha256 00\n             Got        a8\n\n",
        "Empty the cache (`PYTHON -m pip cache purge`)",
    ),
    "gap in the lock": (
        "ERROR: In --require-hashes mode, all requirements must have their versions pinned with "
        "==. These do not:\n    part>=1 from … (from toy==1.0->-r requirements.lock (line 4))\n",
        "requirements.lock lacks a package that this system needs",
    ),
    "SOCKS": (
        f"{OS_ERROR}Missing dependencies for SOCKS support.\n\n",
        "names a SOCKS proxy, which pip cannot use. Name an HTTP proxy in HTTPS_PROXY, or unset",
    ),
    "no TLS": (
        "WARNING: pip is configured with locations that require TLS/SSL, however the ssl module "
        f"in Python is not available.\n{NOT_FOUND}",
        "built without TLS",
    ),
    "certificate": (
        f"{RETRYING}'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] "
        "certificate verify failed: self-signed certificate (_ssl.c:1006)'))': /simple/toy/\n"
        f"Could not fetch URL …: There was a problem confirming the ssl certificate …\n{NOT_FOUND}",
        "name that file in the variable PIP_CERT",
    ),
    "certificates missing": (
        f"{OS_ERROR}Could not find a suitable TLS CA certificate bundle, invalid path: /no.pem\n\n",
        "The file of certificates that PIP_CERT, REQUESTS_CA_BUNDLE or pip's settings name is not",
    ),
    "407, pip 23": (
        f"{RETRYING}'ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 "
        f"Proxy Authentication Required'))': /simple/toy/\n{NOT_FOUND}",
        "The proxy asks for a name and a password",
    ),
    "407, pip 26": (
        f"{RETRYING}'OSError('Tunnel connection failed: 407 Proxy Authentication Required')': "
        f"/simple/toy/\n{NOT_FOUND}",
        "The proxy asks for a name and a password",
    ),
    "403 for a file": (
        "  ERROR: HTTP error 403 while getting http://127.0.0.1:8430/toy-1.0-py3-none-any.whl\n"
        "ERROR: Could not install requirement toy==1.0 because of HTTP error 403 Client Error: "
        "Forbidden for url: http://127.0.0.1:8430/toy-1.0-py3-none-any.whl\n",
        "The package index refuses access",
    ),
    "401, wrong password": (
        "WARNING: 401 Error, Credentials not correct for http://127.0.0.1:8401/simple/toy/\n"
        f"{NOT_FOUND}",
        "The package index refuses access",
    ),
    # pip prints no more where an index answers 401, 403 or 404, or a proxy answers 407 over HTTP.
    "nothing offered": (
        NOT_FOUND,
        "shows no version of this package at all: it does not have it, ",
    ),
    "not reached, pip 23": (
        f"{RETRYING}'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection object at "
        "0x7f0929527dd0>: Failed to establish a new connection: [Errno 111] Connection refused')': "
        f"/simple/toy/\n{NOT_FOUND}",
        "The package index was not reached",
    ),
    "not reached, pip 26": (
        f"{RETRYING}'NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=9): Failed to "
        "establish a new connection: [Errno 111] Connection refused\")': /simple/toy/\n"
        f"{NOT_FOUND}",
        "The package index was not reached",
    ),
    "no such version": (
        NOT_FOUND.replace("versions: none", "versions: 0.9, 1.1"),
        "no such version for this system and this Python",
    ),
    "permission": (
        f"{OS_ERROR}[Errno 13] Permission denied: '/srv/.venv/lib'\nCheck the permissions.\n\n",
        "A file of .venv cannot be written",
    ),
}


@pytest.mark.parametrize(("output", "advice"), SAMPLES.values(), ids=SAMPLES)
def test_the_cause_of_a_failure_is_named(tmp_path, output, advice):
    log = tmp_path / LOG
    log.write_text(
        "".join(f"line {n}\n" for n in range(20)) + output + "[notice] new pip\n", "utf-8"
    )
    message = messages.pip_failed(log, "PYTHON")
    assert advice in message
    last = output.rstrip().splitlines()[-1]
    assert f"    {last}\n" in message
    assert "line 5\n" not in message
    assert "[notice]" not in message
    assert "Ignoring" not in message
    assert message.endswith(f"it goes on from here. The whole output is in {log}.")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
def test_a_command_that_is_killed_leaves_a_line_in_the_log(tmp_path):
    with (
        open(tmp_path / LOG, "wb") as log,
        open(tmp_path / "lock", "a") as lock,
        Progress(tmp_path) as progress,
    ):
        commands = Commands(log, lock, progress)
        assert not commands.run(sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    assert "ended by signal 9" in (tmp_path / LOG).read_text(encoding="utf-8")
    assert "The memory ran out" in messages.pip_failed(tmp_path / LOG, "PYTHON")


def test_a_long_list_is_shown_in_part():
    assert messages.few(["a", "b"]) == "a, b"
    assert messages.few(list("abcdefg")) == "a, b, c, d, e and 2 more"

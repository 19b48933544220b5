"""`keys` and `audit` from the command line, and what `serve` says before it serves."""

import argparse
import errno
import re
from pathlib import Path

import pytest

from course_utils.service import cli
from course_utils.service.audit import AuditLog
from course_utils.service.keys import KeyExpired, KeyStore
from course_utils.service.vault import make_secret


def call(command, *arguments):
    add_arguments, run = cli.COMMANDS[command]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(tmp_path, capsys):
    place = ("--folder", tmp_path)
    assert call("keys", "add", "--owner", "ann", "--scope", "predict:digits", *place) == 0
    text = capsys.readouterr().out.split()[0]
    key_id, secret = re.fullmatch(r"lms_(\w{8})_(\w{64})", text).groups()
    assert KeyStore(tmp_path / "keys.json").check(text, "predict", "digits").owner == "ann"

    assert call("keys", "list", *place) == 0
    listed = capsys.readouterr().out
    assert re.search(
        rf"^{key_id}  20\d\d-\d\d-\d\d \d\d:\d\d +600  predict:digits; ann$", listed, re.M
    )
    assert secret not in listed

    assert call("keys", "revoke", key_id, *place) == 0
    with pytest.raises(KeyExpired):
        KeyStore(tmp_path / "keys.json").check(text, "predict", "digits")
    capsys.readouterr()
    call("keys", "list", *place)
    assert "ann (expired or revoked)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "--scope", "read:*"], "owner"),
        (["add", "--owner", "ann"], "scopes are such as"),
        (["add", "--owner", "ann", "--scope", "all"], "found 'all'"),
        (["revoke", "00000000"], "no key has the id '00000000'"),
        (["revoke"], "no key has the id"),
    ],
)
def test_wrong_arguments_of_keys_are_refused(tmp_path, capsys, arguments, message):
    assert call("keys", *arguments, "--folder", tmp_path) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert message in output.err
    assert not KeyStore(tmp_path / "keys.json").all()


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("keys", ["add", "--days", "0"], "days, more than 0 and at most 3,650, found '0'"),
        ("keys", ["add", "--days", "nan"], "found 'nan'"),
        ("keys", ["add", "--days", "1e300"], "found '1e300'"),
        ("keys", ["add", "--per-minute", "0"], "from 1 to 1,000,000,000, found '0'"),
        ("serve", ["--port", "80800"], "a whole number from 0 to 65,535, found '80800'"),
        ("serve", ["--drain", "601"], "a whole number from 0 to 600, found '601'"),
        ("serve", ["--port", "9" * 5000], "found '" + "9" * 39 + "…'"),
        ("serve", ["--host", ""], "the name of a host"),
        ("serve", ["--host", "a" * 64], "the name of a host"),
        ("serve", ["--ray", "--replicas", "0"], "from 1 to 64, found '0'"),
        ("audit", ["verify", "--folder", ""], "the path of a folder, found ''"),
    ],
)
def test_arguments_out_of_range_are_refused(capsys, command, arguments, message):
    with pytest.raises(SystemExit) as caught:
        call(command, *arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """A course that cannot be written, in an account with a home; returns both folders."""
    root, home = tmp_path / "course", tmp_path / "home"
    make = Path.mkdir

    def refuse(path, *arguments, **options):
        if path.is_relative_to(root):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        make(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr(cli, "ROOT", root)
    return root, home


def test_in_a_read_only_course_the_keys_are_in_the_home(read_only, capsys):
    root, home = read_only
    assert call("keys", "add", "--owner", "ann", "--scope", "metrics") == 0
    folder = home / "large-models-course" / "build" / "service"
    assert capsys.readouterr().err == f"{root} cannot be written: the files are in {folder}.\n"
    assert [key.owner for key in KeyStore(folder / "keys.json").all()] == ["ann"]


def test_where_nothing_can_be_written_a_folder_is_asked_for(read_only, monkeypatch, capsys):
    root, _ = read_only
    monkeypatch.setattr(Path, "home", lambda: root / "home")
    assert call("serve") == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: neither {root / 'build/service'} nor {root / 'home'}")
    assert error.endswith("can be written. Name a folder where you may write: --folder.\n")
    assert call("keys", "list", "--folder", root / "x") == 0  # no key is no fault


def test_audit_verify(tmp_path, capsys):
    log = AuditLog(tmp_path / "audit.log", make_secret(tmp_path / "secret.key"))
    for number in range(3):
        log.append(action="predict", instances=number)
    log.close()
    assert call("audit", "verify", "--folder", tmp_path) == 0
    assert "intact: 3 lines" in capsys.readouterr().out
    content = (tmp_path / "audit.log").read_bytes()
    (tmp_path / "audit.log").write_bytes(content.replace(b'"instances":1', b'"instances":7'))
    assert call("audit", "verify", "--folder", tmp_path) == 1
    assert "line 2" in capsys.readouterr().out


def test_audit_verify_without_a_log(tmp_path, capsys):
    assert call("audit", "verify", "--folder", tmp_path) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(
    ("host", "warned"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True)],
)
def test_plain_http_beyond_this_machine_is_warned_of(host, warned, capsys):
    args = argparse.Namespace(host=host, certificate=None, private_key=None, tls=False)
    assert cli._certificate(args) == {}
    assert ("can be reached from other machines" in capsys.readouterr().err) == warned


def test_half_of_a_certificate_is_refused(tmp_path, capsys):
    assert call("serve", "--folder", tmp_path, "--certificate", "a.pem") == 1
    assert "--certificate and --private-key belong together" in capsys.readouterr().err

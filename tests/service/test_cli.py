"""`keys` and `audit` from the command line, and what `serve` says before it serves."""

import argparse
import re

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
        (["add", "--owner", "ann", "--scope", "metrics", "--days", "0"], "days"),
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

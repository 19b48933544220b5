"""What lesson 19 teaches is what the service does."""

import ast
import inspect
import json
import textwrap
from pathlib import Path

import nbformat
import pytest

from course_utils.service import access, chain, vault

PAGE = Path(__file__).parents[2] / "notebooks" / "19_securing_the_service.ipynb"
SECRET = bytes(range(32))


def cell(id: str) -> str:
    return next(c.source for c in nbformat.read(PAGE, 4).cells if c.id == id)


def without_docstrings(source: str) -> dict[str, str]:
    """Each function and class of a source, as text of its syntax tree, by name."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    named = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return {node.name: ast.unparse(node) for node in named}


@pytest.mark.parametrize(
    ("where", "taught"),
    [
        ("chain-code", chain.sign),
        ("chain-code", chain.opened),
        ("chain-code", chain.check_line),
        ("leak", access.hash_secret),
    ],
)
def test_the_definition_in_the_lesson_is_the_one_of_the_package(where, taught):
    ours = without_docstrings(textwrap.dedent(inspect.getsource(taught)))
    assert without_docstrings(cell(where))[taught.__name__] == ours[taught.__name__]


@pytest.fixture
def lesson_seal():
    source = cell("seal")
    names: dict = {}
    exec("import hmac, json, secrets", names)
    exec("from cryptography.hazmat.primitives.ciphers.aead import AESGCM", names)
    exec(source[: source.index("plain = ")], names)
    return names


def test_the_package_opens_what_the_lesson_sealed(lesson_seal, tmp_path):
    path = tmp_path / "model.keras.enc"
    path.write_bytes(lesson_seal["seal"](b"content", SECRET, "digits", 3))
    assert vault.open_sealed(path, SECRET, "digits", 3) == b"content"
    for name, version in (("digits", 4), ("other", 3)):
        with pytest.raises(vault.SealError):
            vault.open_sealed(path, SECRET, name, version)


def test_the_lesson_opens_what_the_package_sealed(lesson_seal, tmp_path):
    from cryptography.exceptions import InvalidTag

    path = tmp_path / "digits" / "3" / "model.keras"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"content")
    sealed = vault.seal(path, SECRET).read_bytes()
    assert lesson_seal["open_sealed"](sealed, SECRET, "digits", 3) == b"content"
    with pytest.raises(InvalidTag):
        lesson_seal["open_sealed"](sealed, SECRET, "digits", 4)


def verifier():
    names: dict = {"BadLine": chain.BadLine, "check_line": chain.check_line, "opened": chain.opened}
    source = cell("verify-code")
    exec("import hashlib", names)
    exec(source[: source.index("log_secret")], names)
    return names["first_bad"]


@pytest.mark.parametrize("damage", ["none", "alter", "remove", "exchange", "repeat", "cut"])
def test_both_verifiers_name_the_same_line(tmp_path, damage):
    import hashlib

    from course_utils.service.audit import AuditLog

    path = tmp_path / "audit.log"
    log = AuditLog(path, SECRET)
    for number in range(8):
        log.append(key="k", action="predict", status=200 + number)
    log.close()
    lines = path.read_bytes().splitlines(keepends=True)
    anchor = (len(lines), hashlib.sha256(lines[-1]).hexdigest())
    forged = {
        "none": lines,
        "alter": [*lines[:2], lines[2].replace(b"202", b"403"), *lines[3:]],
        "remove": lines[:3] + lines[4:],
        "exchange": [*lines[:3], lines[4], lines[3], *lines[5:]],
        "repeat": lines[:4] + lines[3:],
        "cut": lines[:-2],
    }[damage]
    path.write_bytes(b"".join(forged))
    expected = {"none": None, "alter": 3, "remove": 4, "exchange": 4, "repeat": 5, "cut": 7}[damage]
    assert chain.verify(path, SECRET).bad_line == expected
    assert verifier()(forged, chain.log_key(SECRET), anchor=anchor) == expected


def test_the_lesson_says_how_an_image_would_show_in_the_log():
    """The lesson checks that the longest line is shorter than half an image as JSON."""
    assert len(json.dumps([[0] * 28] * 28, separators=(",", ":"))) > 1 + 2 * 784

"""Which settings reach pip: the way to the index from variables and files, and no other."""

import importlib.util
import os
import sys

import pytest

from course_utils.setup import pip_settings
from course_utils.setup.messages import SetupError

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pip") is None, reason="this environment has no pip"
)


def handed_over(tmp_path, text: str, **variables: str) -> dict[str, str]:
    """Return the variables PIP_* and PYTHON* for pip, given one configuration file."""
    settings = tmp_path / "pip.conf"
    settings.write_text(text, encoding="utf-8")
    system = {n: v for n, v in os.environ.items() if not n.startswith(("PIP_", "PYTHON"))}
    found = pip_settings.for_pip(
        sys.executable, {**system, "PIP_CONFIG_FILE": str(settings), **variables}
    )
    assert found.pop("PIP_CONFIG_FILE") == os.devnull
    assert (found.pop("PYTHONUTF8"), found.pop("PYTHONNOUSERSITE")) == ("1", "1")
    return {n: v for n, v in found.items() if n.startswith(("PIP_", "PYTHON"))}


def only_ours(found: dict[str, str], *names: str) -> dict[str, str]:
    """Leave out what other configuration files of this machine add."""
    return {name: found[name] for name in names if name in found}


def test_the_way_to_the_index_is_handed_over_from_both(tmp_path):
    found = handed_over(
        tmp_path,
        "[global]\nindex-url = https://mirror.test/simple\nproxy = http://proxy.test:3128\n"
        "extra-index-url =\n    https://a.test\n    https://b.test\ntimeout = 5\n"
        "[install]\nindex_url = https://install.test/simple\n[download]\nretries = 9\n",
        PIP_CERT="/ca.pem",
        PIP_CACHE_DIR="/cache",
        PIP_DEFAULT_TIMEOUT="60",
        PIP_KEYRING_PROVIDER="subprocess",
        PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
    )
    assert found["PIP_INDEX_URL"] == "https://install.test/simple"  # [install] before [global]
    assert found["PIP_EXTRA_INDEX_URL"].split() == ["https://a.test", "https://b.test"]
    assert found["PIP_PROXY"] == "http://proxy.test:3128"
    assert found["PIP_CERT"] == "/ca.pem"
    assert found["PIP_CACHE_DIR"] == "/cache"
    assert found["PIP_KEYRING_PROVIDER"] == "subprocess"
    assert found["PYTHON_KEYRING_BACKEND"] == "keyring.backends.null.Keyring"
    assert "PIP_RETRIES" not in found
    names = list(found)  # of two names of one option, pip takes the later one
    assert names.index("PIP_TIMEOUT") < names.index("PIP_DEFAULT_TIMEOUT")


def test_a_variable_counts_before_the_file(tmp_path):
    found = handed_over(
        tmp_path,
        "[install]\nindex-url = https://file.test\n",
        PIP_INDEX_URL="https://variable.test",
    )
    assert found["PIP_INDEX_URL"] == "https://variable.test"


OTHERS = (
    *("target", "dry-run", "prefix", "root", "user", "require-virtualenv", "no-deps", "constraint"),
    *("pre", "only-binary", "no-binary", "prefer-binary", "report", "python", "upgrade", "src"),
    *("break-system-packages", "build-constraint", "requirement", "editable", "no-build-isolation"),
    *("ignore-requires-python", "require-hashes", "uploaded-prior-to", "log", "quiet", "isolated"),
)


@pytest.mark.parametrize("where", ["file", "variables"])
def test_no_other_option_of_pip_is_handed_over(tmp_path, where):
    if where == "file":
        lines = "".join(f"{option} = 1\n" for option in OTHERS)
        found = handed_over(tmp_path, f"[global]\n{lines}[install]\n{lines}")
    else:
        names = {"PIP_" + option.upper().replace("-", "_"): "1" for option in OTHERS}
        found = handed_over(tmp_path, "", **names, PYTHONPATH="/x", PYTHONHOME="/x")
    allowed = {pip_settings._variable(o) for o in (*pip_settings.KEPT, *pip_settings.KEPT_VALUES)}
    assert set(found) <= allowed


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PIP_USE_FEATURE": "fast-deps truststore"}, {"PIP_USE_FEATURE": "truststore"}),
        ({"PIP_USE_FEATURE": "fast-deps"}, {}),
        ({"PIP_USE_DEPRECATED": "legacy-certs"}, {"PIP_USE_DEPRECATED": "legacy-certs"}),
        ({"PIP_USE_DEPRECATED": "legacy-resolver"}, {}),
    ],
)
def test_of_features_only_those_about_certificates_are_handed_over(tmp_path, given, expected):
    found = handed_over(tmp_path, "", **given)
    assert only_ours(found, "PIP_USE_FEATURE", "PIP_USE_DEPRECATED") == expected


def test_a_configuration_file_that_pip_cannot_read_is_reported(tmp_path):
    with pytest.raises(SetupError, match="pip cannot read its settings") as error:
        handed_over(tmp_path, "index-url = https://no.section.test\n")
    assert "pip.conf" in str(error.value)
    assert "-m pip config debug` says where it looks" in str(error.value)

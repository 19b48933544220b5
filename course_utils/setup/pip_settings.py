"""What the set-up's commands inherit: the user's way to the package index, and nothing else.

pip takes every option from a variable `PIP_*` and from configuration files, too. Those that say
how the index is reached are the user's to set. The others (a target folder, a dry run, a
constraint, …) would change what is installed, or where, behind the set-up's back. Variables
`PYTHON*` would do the same through Python. Parses on Python 3.8.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping

from course_utils.setup.messages import SetupError

# Options that say how pip reaches an index, and where it keeps what it has fetched.
KEPT = (
    *("index-url", "pypi-url", "extra-index-url", "no-index", "find-links", "trusted-host"),
    *("proxy", "no-proxy-env", "cert", "client-cert", "keyring-provider"),
    *("timeout", "default-timeout", "retries", "resume-retries", "cache-dir", "no-cache-dir"),
)
KEYRING = "PYTHON_KEYRING_"  # how the package keyring finds the password for an index
# Options of which only one value belongs there: whose certificates are trusted.
KEPT_VALUES = {"use-feature": "truststore", "use-deprecated": "legacy-certs"}

# `pip config list` of pip 26 mixes the files' order, so that nobody can tell which value counts.
READ_FILES = """\
import json, sys
from pip._internal.configuration import Configuration
from pip._internal.exceptions import ConfigurationError
configuration = Configuration(isolated=False)
try:
    configuration.load()
except ConfigurationError as error:
    sys.exit(str(error))
found = {}
for section in ("global", "install"):
    for option in sys.argv[1:]:
        try:
            value = configuration.get_value(section + "." + option)
        except ConfigurationError:
            continue
        found.pop(option, None)
        found[option] = value
print(json.dumps(found))
"""


def bare(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` without any setting of pip or Python.

    What Python prints into the log is UTF-8, and the user's own folder of packages is not looked
    at: pip would take a package that is there for installed.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(("PIP_", "PYTHON")) or name.upper().startswith(KEYRING)
    }
    return {**kept, "PYTHONUTF8": "1", "PYTHONNOUSERSITE": "1"}


def for_pip(python: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for the pip of `python`: bare, and the user's way to the index.

    Values of pip's configuration files are handed over as variables, before those that are set,
    because a later one counts; no file is read afterwards.

    Raises SetupError when pip cannot read its configuration files.
    """
    command = [python, "-I", "-c", READ_FILES, *KEPT, *KEPT_VALUES]
    done = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise SetupError(
            f"pip cannot read its settings. {done.stderr.strip()}\n"
            f"Mend the file; `{python} -m pip config debug` says where it looks. Then repeat the "
            "command."
        )
    files = {_variable(option): value for option, value in json.loads(done.stdout).items()}
    wanted = {_variable(option) for option in KEPT}
    only = {_variable(option): value for option, value in KEPT_VALUES.items()}
    chosen = {}
    for name, value in [*files.items(), *environment.items()]:
        if name in wanted or (name in only and only[name] in value.split()):
            chosen.pop(name, None)
            chosen[name] = only.get(name, value)
    return {**bare(environment), **chosen, "PIP_CONFIG_FILE": os.devnull}


def _variable(option: str) -> str:
    return "PIP_" + option.upper().replace("-", "_")

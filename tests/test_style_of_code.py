"""Code and notebooks are formatted and free of lint, as pyproject.toml says."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from course_utils.contents import unlisted

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("command", [["check"], ["format", "--check", "--diff"]], ids=" ".join)
def test_ruff_finds_nothing(command):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    left_alone = [*settings["tool"]["ruff"]["extend-exclude"], *unlisted()]
    ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "."]
    ruff += ["--config", f"extend-exclude = {json.dumps(left_alone)}"]
    result = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout + result.stderr

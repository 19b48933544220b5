"""The locks pin what the direct dependencies need, no less and no more; seen without a network.

What the packages need is read from their metadata where they are installed: in this environment.
`python3 -m course_utils lock` renews a lock that fails here.
"""

import re
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_utils.setup import lock, pins

LOCKS = (lock.LOCK, lock.RAY_LOCK)
RAY = lock.read_project(lock.ROOT)["project"]["optional-dependencies"]["ray"]


def direct() -> list[str]:
    named = pins.read_requirements(lock.ROOT / lock.REQUIREMENTS)
    return [f"{name}=={version}" for name, version in named.items()]


def entries(name: str) -> dict[str, list[Requirement]]:
    """Return all pins of a lock, for every system: normalized name to its lines."""
    found: dict[str, list[Requirement]] = {}
    for line in (lock.ROOT / name).read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip(" \\"))
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def needed(requirements: list[str]) -> dict[str, list[Requirement]]:
    """Return what `requirements` need here, all the way down: normalized name to who asks how."""
    found: dict[str, list[Requirement]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra_of_parent = waiting.pop()
        marker = requirement.marker
        if marker is not None and not marker.evaluate({"extra": extra_of_parent}):
            continue
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append(requirement)
        for extra in {"", *requirement.extras} - {e for n, e in seen if n == name}:
            seen.add((name, extra))
            lines = metadata.requires(requirement.name) or []
            waiting += [(Requirement(line), extra) for line in lines]
    return found


def test_the_lock_pins_what_is_needed_here_and_nothing_else():
    pinned = pins.read_lock(lock.ROOT / lock.LOCK)
    wanted = needed(direct())
    assert sorted(pinned) == sorted(wanted)
    refused = [str(r) for n, rs in wanted.items() for r in rs if pinned[n] not in r.specifier]
    assert refused == []


def test_the_lock_of_the_extra_pins_what_is_needed_here_and_nothing_else():
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    pinned = pins.read_lock(lock.ROOT / lock.RAY_LOCK)
    wanted = needed(RAY)
    assert sorted(pinned) == sorted(wanted)
    refused = [str(r) for n, rs in wanted.items() for r in rs if pinned[n] not in r.specifier]
    assert refused == []


@pytest.mark.parametrize(
    ("name", "made_from"), [(lock.LOCK, direct()), (lock.RAY_LOCK, RAY)], ids=LOCKS
)
def test_a_lock_was_made_from_the_requirements_of_today(name, made_from):
    text = (lock.ROOT / name).read_text(encoding="utf-8")
    assert pins.MADE_FROM.search(text)[1] == pins.digest(made_from), f"stale: `{pins.RENEW}`"
    pinned = entries(name)
    for requirement in map(Requirement, made_from):
        lines = pinned[canonicalize_name(requirement.name)]
        assert {str(line.specifier) for line in lines} == {str(requirement.specifier)}


def test_the_extra_moves_no_package_of_the_course():
    base, ray = entries(lock.LOCK), entries(lock.RAY_LOCK)
    for name in base.keys() & ray.keys():
        assert {str(r.specifier) for r in ray[name]} <= {str(r.specifier) for r in base[name]}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_pins_and_hashes_alone(name):
    """No address of an author's index, no folder of an author's machine."""
    text = (lock.ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    lines = [line for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
    assert lines.pop(0) == "--only-binary :all:"
    shape = re.compile(r"(\S+==\S+( ; [^\\]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+)+")
    assert shape.fullmatch("\n".join(lines) + "\n")


def test_the_locks_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    names = (*LOCKS, lock.REQUIREMENTS, "pyproject.toml")
    before = {name: (lock.ROOT / name).read_bytes() for name in names}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    commands = []

    def run(command, **options):
        commands.append(command)
        if "--output-file" in command:
            output = Path(command[command.index("--output-file") + 1])
            output.write_text("a==1 \\\n", encoding="utf-8")
        return SimpleNamespace(returncode=2 if "--extra=ray" in command else 0)

    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock.subprocess, "run", run)
    assert lock.main(SimpleNamespace(upgrade=False)) == 2
    made = (tmp_path / lock.LOCK).read_text(encoding="utf-8")
    assert pins.MADE_FROM.search(made)[1] == pins.digest(direct())
    assert made.endswith("a==1 \\\n")
    assert (tmp_path / lock.RAY_LOCK).read_bytes() == before[lock.RAY_LOCK]
    assert ["uv==" in part for part in commands[0]].count(True) == 1

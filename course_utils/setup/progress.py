"""The commands of the set-up, run with a progress that the reader sees.

Standard library only, and parses on Python 3.8, as `bootstrap` does.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from course_utils.setup import pip_settings

LOG = "install.log"  # in .venv: the whole output of the commands of the last set-up
SHOWN = re.compile(
    r"\s*(Collecting|Downloading|Processing|Using cached|Building|WARNING: Retrying)"
)
PLAIN_INTERVAL = 15  # seconds between two progress lines where no terminal shows a live one


class Progress:
    """The progress of one set-up on standard error: stages, and one line that changes.

    On a terminal the line shows the last thing that pip reported and the seconds since the start.
    Elsewhere the same text is printed every `PLAIN_INTERVAL` seconds.
    """

    def __init__(self, venv: Path):
        """Start the clock of a set-up of the folder `venv`."""
        self.venv = venv
        self.live = sys.stderr.isatty()
        self.started = self.printed = time.monotonic()
        self.current = ""
        self.width = 0  # characters of the live line that stand on the terminal
        self.read_to = 0  # bytes of the log that have been read
        self.activity = ""
        self.to_install: list[str] = []  # in the order in which pip installs them
        self.before = 0  # packages that were there when pip began to install

    def __enter__(self):
        """Say that the set-up begins."""
        self._print(f"Setting up the course in {self.venv}; the first time takes some minutes")
        return self

    def __exit__(self, kind, error, trace):
        """Say how it ended."""
        self._print(
            f"Set-up done after {self._seconds()} s." if kind is None else "Set-up not finished."
        )

    def stage(self, text: str) -> None:
        """Say which stage has begun; the same stage again only moves the clock."""
        if text == self.current:
            self.update()
            return
        self.current = text
        self.activity = ""
        self.to_install = []
        log = self.venv / LOG
        self.read_to = log.stat().st_size if log.is_file() else 0
        self._print(f"  {text}")

    def update(self) -> None:
        """Show what the running command does now, from what it has written to the log."""
        self._read_log()
        text = f"    {self._seconds()} s  {self._installing() or self.activity}"
        if self.live:
            text = text[: shutil.get_terminal_size().columns - 1]
            # Spaces, not an escape sequence, wipe the longer line: old Windows consoles too.
            sys.stderr.write("\r" + text.ljust(self.width))
            sys.stderr.flush()
            self.width = len(text)
        elif time.monotonic() - self.printed >= PLAIN_INTERVAL:
            self._print(text)

    def _print(self, text: str) -> None:
        if self.width:
            sys.stderr.write("\r" + " " * self.width + "\r")
            self.width = 0
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
        self.printed = time.monotonic()

    def _seconds(self) -> int:
        return int(time.monotonic() - self.started)

    def _read_log(self) -> None:
        try:
            with open(self.venv / LOG, "rb") as log:
                log.seek(self.read_to)
                new = log.read()
        except FileNotFoundError:  # the set-up that is waited for has not begun its log
            return
        whole = new[: new.rfind(b"\n") + 1]  # the last line may be half written
        self.read_to += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            if line.startswith("Installing collected packages: "):
                self.to_install = line.split(": ")[1].split(", ")
                self.before = self._installed()
            elif SHOWN.match(line):
                self.to_install = []
                text = re.sub(r" \(from .*", "", line.strip())
                self.activity = re.sub(r"\S+/(\S+\.(whl|tar\.gz|zip))", r"\1", text)

    def _installing(self) -> str:
        """Return which package pip installs now: the biggest takes half a minute."""
        if not self.to_install:
            return ""
        number = min(self._installed() - self.before + 1, len(self.to_install))
        return f"Installing {number} of {len(self.to_install)}: {self.to_install[number - 1]}"

    def _installed(self) -> int:
        folders = ("lib/python*/site-packages", "Lib/site-packages")
        return sum(len(list(self.venv.glob(f"{f}/*.dist-info/INSTALLER"))) for f in folders)


class Commands:
    """Runs the commands of one set-up: their output goes to the log, and from it to the progress.

    `log` and `lock` are the open files. A command keeps the lock while it lives, even when this
    process is killed: no second set-up may start beside an orphaned pip.
    """

    def __init__(self, log, lock, progress: Progress):
        """Keep what every command of the set-up shares."""
        self.log = log
        self.progress = progress
        self.options = {} if os.name == "nt" else {"pass_fds": (lock.fileno(),)}

    def run(self, *command: str) -> bool:
        """Run `command` to its end and say whether it succeeded; no setting reaches it."""
        return self._run(command, pip_settings.bare(os.environ))

    def run_pip(self, python: str, *arguments: str) -> bool:
        """Run `python`'s pip and say whether it succeeded; the user's index and proxy reach it.

        Raises SetupError when pip's configuration files cannot be read.
        """
        command = (python, "-m", "pip", "--no-input", "--disable-pip-version-check", *arguments)
        return self._run(command, pip_settings.for_pip(python, os.environ))

    def _run(self, command: tuple[str, ...], environment: dict[str, str]) -> bool:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env=environment,
            **self.options,
        )
        try:
            while process.poll() is None:
                self.progress.update()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.2)
        except BaseException:  # above all Ctrl-C, which may have reached this process alone
            process.terminate()
            process.wait()
            raise
        if process.returncode < 0:
            self.log.write(f"The command was ended by signal {-process.returncode}.\n".encode())
            self.log.flush()
        return process.returncode == 0

"""A process that a test starts ends with the test, however the test ends."""

import contextlib
import subprocess

import psutil


class Started(subprocess.Popen):
    """A process that its `with` block ends at the latest, with all that it has started."""

    def __exit__(self, *error):
        self.end()
        super().__exit__(*error)

    def end(self) -> None:
        """Kill the process and its descendants, if it still runs."""
        with contextlib.suppress(psutil.Error):
            if self.poll() is None:
                for process in psutil.Process(self.pid).children(recursive=True):
                    process.kill()
        self.kill()

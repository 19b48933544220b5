"""A small copy of the course's project with toy packages, to test the set-up without a network."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import packaging

import course_utils
from course_utils.setup import bootstrap, pins
from tests.started import Started

SET_UP_FILES = (
    *("__init__.py", "__main__.py", "files.py", "setup/__init__.py"),
    *("setup/bootstrap.py", "setup/isolation.py", "setup/messages.py", "setup/pins.py"),
    *("setup/pip_settings.py", "setup/progress.py"),
)

# The toy stands in for pytest: `python3 -m course_utils test 3` ends in it, with exit code 3;
# `test` alone gives it the number of workers.
TOY = """\
import sys
from importlib import metadata
print("toy", metadata.version("toy"), "in", sys.prefix, "with", sys.argv[1:])
sys.exit(int(sys.argv[1]) if sys.argv[1].isdecimal() else 0)
"""


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str | bytes]) -> Path:
    """Write a pure Python wheel by hand and return its path."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(file, content)
    return path


def package_files(package) -> dict[str, bytes]:
    """Return the files of an installed package, for a wheel of it."""
    folder = Path(package.__file__).parent
    files = [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {p.relative_to(folder.parent).as_posix(): p.read_bytes() for p in files}


class Project:
    """A project folder with the real set-up code, its pins, and the wheels that pip may use."""

    def __init__(self, folder: Path):
        self.root = folder / "the course, 100% ü'"  # names that somebody's folder may have
        self.venv = self.root / ".venv"
        self.stamp = self.venv / bootstrap.STAMP
        self.log = self.venv / bootstrap.LOG
        self.wheels = folder / "wheels"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV"))
        }
        self.environment.update(
            PIP_CONFIG_FILE=os.devnull,
            PIP_NO_CACHE_DIR="1",
            PIP_NO_INDEX="1",
            PIP_FIND_LINKS=str(self.wheels),
        )

    @classmethod
    def create(cls, folder: Path) -> "Project":
        """Make a project that pins toy 1.0 and has nothing set up."""
        project = cls(folder)
        package = project.root / "course_utils"
        for path in (package / "setup", project.wheels):
            path.mkdir(parents=True)
        for name in SET_UP_FILES:
            shutil.copy(Path(course_utils.__file__).parent / name, package / name)
        for version in ("1.0", "2.0"):
            toy = {"pytest/__init__.py": "", "pytest/__main__.py": TOY}
            write_wheel(project.wheels, "toy", version, toy)
        write_wheel(project.wheels, "packaging", packaging.__version__, package_files(packaging))
        project.pin("toy==1.0  # stands in for pytest")
        return project

    def copy(self, folder: Path) -> "Project":
        """Return a copy, `.venv` included."""
        for path in (self.root, self.wheels):
            shutil.copytree(path, folder / path.name, symlinks=True)
        return Project(folder)

    def pin(self, *lines: str) -> None:
        """Write requirements.txt, and its lock with the hashes of the wheels."""
        requirements = self.root / "requirements.txt"
        requirements.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        named = pins.read_requirements(requirements)
        digest = pins.digest(f"{name}=={version}" for name, version in named.items())
        lock = f"# SHA-256 of what it was made from: {digest}\n--only-binary :all:\n"
        for name, version in {**named, "packaging": packaging.__version__}.items():
            wheel = self.wheels / f"{name}-{version}-py3-none-any.whl"
            content = wheel.read_bytes() if wheel.is_file() else b""
            sha256 = hashlib.sha256(content).hexdigest()
            lock += f"{name}=={version} \\\n    --hash=sha256:{sha256}\n"
        lock += "toy==9 ; sys_platform == 'of somebody else' \\\n    --hash=sha256:00\n"
        (self.root / bootstrap.PINS).write_text(lock, encoding="utf-8")

    def hide(self, *modules: str) -> Path:
        """Hide modules of Python from `.venv`, and return a Python outside that lacks them, too.

        Both environments are made here, without pip.
        """
        outer = self.root.with_name("outer")
        for venv in (outer, self.venv):
            make = [sys.executable, "-m", "venv", "--without-pip", str(venv)]
            subprocess.run(make, check=True)
            (folder,) = (p for p in map(Path, bootstrap._site_packages(venv)) if p.is_dir())
            code = f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
            (folder / "hide.pth").write_text(code, encoding="utf-8")
        return bootstrap.venv_python(outer)

    def files(self) -> set[Path]:
        """Return all paths in the project's folder except byte code."""
        return {p for p in self.root.rglob("*") if "__pycache__" not in p.parts}

    def site_packages(self) -> Path:
        """Return `.venv`'s folder of installed packages."""
        (folder,) = (p for p in map(Path, bootstrap._site_packages(self.venv)) if p.is_dir())
        return folder

    def run(self, *arguments: str, python=sys.executable, **options) -> subprocess.CompletedProcess:
        """Run a command of the course to its end."""
        return subprocess.run(
            [python, "-m", "course_utils", *arguments],
            **{"cwd": self.root, "env": self.environment, **options},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def start(self, *arguments: str) -> Started:
        """Start a command of the course in a session of its own; Ctrl-C works in it."""
        options = {}
        if os.name != "nt":  # an ignored SIGINT would be inherited from a test run in background
            options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        return Started(
            [sys.executable, "-m", "course_utils", *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )


class SlowIndex:
    """Serves a project's wheels on the loopback interface, and holds each file back until told."""

    def __init__(self, project: Project):
        self.requested = threading.Event()  # pip is in the middle of a download
        self.release = threading.Event()
        self.downloads = 0
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.strip("/")
                if name:
                    index.downloads += 1
                    index.requested.set()
                    index.release.wait()
                    body = (project.wheels / name).read_bytes()
                else:
                    wheels = (path.name for path in project.wheels.iterdir())
                    body = "".join(f'<a href="{name}">{name}</a>' for name in wheels).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/zip" if name else "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):  # a killed pip does not take its answer
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        port = self.server.server_address[1]
        project.environment["PIP_FIND_LINKS"] = f"http://127.0.0.1:{port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

"""What a kernel, a server and a test of the course inherit: this module alone decides.

What a lesson computes and shows must not depend on settings of the reader's own. A process that
the course starts therefore inherits the variables that a system needs to run a program (PASSED),
the course's own values, and nothing else; its settings files are those of `settings_folder`. A
process that is the reader's, too (JupyterLab, a kernel that JupyterLab started), loses only
variables that are known to change results (SETTINGS).

Standard library only, and parses on Python 3.8, as `bootstrap` does.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import time
from pathlib import Path

from course_utils.setup import bootstrap
from course_utils.setup.messages import SetupError

ROOT = Path(__file__).resolve().parents[2]
MARK = "COURSE_ISOLATED"  # holds the process that became the one with this environment
WEEK = 7 * 24 * 3600  # seconds
LOOPBACK = ("localhost", "127.0.0.1", "::1")

# About what tox passes to the programs that it starts. OpenBLAS's and NVPL's variables are no
# taste: some machines compute wrongly when the library takes their processor for another.
PASSED = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP", "TZ"),
        *("TERM", "COLORTERM", "NO_COLOR"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "NIX_LD", "NIX_LD_LIBRARY_PATH"),
        *("DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
        *("APPDATA", "LOCALAPPDATA", "COMSPEC", "MSYSTEM", "NUMBER_OF_PROCESSORS", "PATHEXT"),
        *("PROCESSOR_ARCHITECTURE", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)"),
        *("SYSTEMDRIVE", "SYSTEMROOT", "USERNAME", "USERPROFILE", "WINDIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY"),
        *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy"),
        *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NVPL_BLAS_DEBUG_CPU_TYPE"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED", "PYTHONSAFEPATH"),
        *("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_XDIST_WORKER"),  # pytest sets them
        *("PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"),
        "LMS_SECRET_KEY",
    )
)
# Beginnings of names that Keras, TensorFlow and its kernels, NumPy, SciPy, scikit-learn, thread
# pools, Matplotlib, Python, IPython, progress bars and rich read.
SETTINGS = (
    *("KERAS_", "TF_", "TF2_", "TFRT_", "TENSORFLOW_", "XLA_", "MLIR_", "AUTOGRAPH_"),
    *("ONEDNN_", "DNNL_", "CUDA_", "NVIDIA_", "HIP_", "ROCR_"),
    *("NPY_", "NUMPY_", "SCIPY_", "SKLEARN_", "JOBLIB_", "LOKY_", "HDF5_", "NUMEXPR_"),
    *("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "VECLIB_"),
    *("MPL", "MATPLOTLIBRC", "PYTHON", "IPYTHON", "TQDM_"),
    *("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "TTY_", "COLUMNS", "LINES", "JUPYTER_COLUMNS"),
    "JUPYTER_LINES",
)
# No graphics card: its digits are others. One thread for NumPy's and SciPy's linear algebra:
# TensorFlow has two of its own, and every further pool only waits for the cores of the others.
VALUES = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    **dict.fromkeys(
        (
            *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"),
            *("VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
        ),
        "1",
    ),
    "PYTHONPATH": str(ROOT),
    "PYTHONUTF8": "1",  # files, too, on every system
    "PYTHONIOENCODING": "utf-8:replace",
}
# The settings files of the course's processes, in `settings_folder`.
FILES = {
    "keras/keras.json": '{"backend": "tensorflow", "floatx": "float32", "epsilon": 1e-07, '
    '"image_data_format": "channels_last"}\n',
    "matplotlib/matplotlibrc": "# Matplotlib's own values; course_utils.style sets the course's.\n",
    "ipython/profile_default/ipython_kernel_config.py": """\
c = get_config()
c.HistoryManager.enabled = False  # it would grow
for name in ("exec_lines", "exec_files", "extensions"):  # what the machine's /etc/ipython sets
    c.InteractiveShellApp[name] = []
""",
    # jupyter_client takes the running Python for "python". Local time is nobody's result.
    "jupyter/kernels/python3/kernel.json": """\
{"argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
 "display_name": "Python 3", "language": "python", "env": {"TZ": "UTC"}}
""",
    "jupyter_config/README": "Empty: the course's kernels know no settings of Jupyter.\n",
    "jupyter_runtime/README": "Connections of running kernels; old ones are removed.\n",
}


def environment(environ=os.environ) -> dict:
    """Return the variables for a process that is the course's alone: a kernel, a server, a test.

    Raises SetupError when the course's settings cannot be written.
    """
    folder = settings_folder()
    upper = str.upper if os.name == "nt" else str  # Windows knows no case in names
    return {
        **{name: value for name, value in environ.items() if upper(name) in PASSED},
        **VALUES,
        **_files(folder),
        **no_proxy(environ),
        "JUPYTER_PATH": str(folder / "jupyter"),  # first of all places of kernels
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter_config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter_runtime"),
        "PYTHONSAFEPATH": "1",  # a file beside a lesson is not taken for a package
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
    }


def shared_environment(environ=os.environ) -> dict:
    """Return the variables for a process that is the reader's, too, such as JupyterLab.

    It keeps what is not known to change results: theme, keys, hub, the proxies. Raises SetupError.
    """
    proxies = any(name.lower().endswith("_proxy") for name in environ)
    return {
        **{name: value for name, value in environ.items() if not is_setting(name)},
        **VALUES,
        **_files(settings_folder()),
        **(no_proxy(environ) if proxies else {}),
    }


def jupyterlab_environment(environ=os.environ) -> dict:
    """Return the variables for JupyterLab, whose kernels are this environment's. SetupError."""
    own, other = os.path.join(sys.prefix, "share", "jupyter"), environ.get("JUPYTER_PATH")
    return {
        **shared_environment(environ),
        "JUPYTER_PATH": os.pathsep.join([own, other] if other else [own]),
    }


def is_setting(name: str) -> bool:
    """Say whether a variable is known to change what is computed or shown."""
    return name.upper().startswith(SETTINGS) and name.upper() not in PASSED - {"NO_COLOR"}


def isolate(arguments: list) -> None:
    """Return if this process has `environment()`; else become `-m course_utils` with it."""
    wanted = environment()
    if os.environ.get(MARK) in (str(os.getpid()), str(os.getppid())):  # the parent, on Windows
        return
    if wanted != dict(os.environ):
        command = [sys.executable, "-m", "course_utils", *arguments]
        bootstrap.become(command, {**wanted, MARK: str(os.getpid())})


def isolate_this_process() -> None:
    """Give a process that somebody else may have started, such as pytest's, `environment()`."""
    wanted = {**environment(), "TZ": "UTC"}
    os.environ.clear()
    os.environ.update(wanted)


def use_utf8() -> None:
    """Let both outputs of this process write UTF-8, and `?` for what that cannot hold."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def no_proxy(environ=os.environ) -> dict:
    """Return the variables that keep this machine's own addresses from going through a proxy."""
    entries = []
    for name in ("NO_PROXY", "no_proxy"):
        entries += [entry.strip() for entry in environ.get(name, "").split(",") if entry.strip()]
    value = "*" if "*" in entries else ",".join(dict.fromkeys([*entries, *LOOPBACK]))
    return dict.fromkeys(("NO_PROXY",) if os.name == "nt" else ("NO_PROXY", "no_proxy"), value)


def settings_folder() -> Path:
    """Return the folder of the course's own settings, with FILES in it as they should be.

    It is the same for all processes of one account, so that nothing grows. Raises SetupError.
    """
    user = str(os.getuid()) if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir(), f"course_utils-{user}".rstrip("-"))
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if user and (not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid()):
            raise PermissionError("it belongs to somebody else")
        if user and found.st_mode & 0o022:
            raise PermissionError("others may write there")
        _write_files(folder)
    except OSError as error:
        raise SetupError(
            f"the course's settings cannot be written to {folder}: {error}. Remove that folder, or "
            "set the variable TMPDIR to a folder in which only you may write."
        ) from error
    return folder


def _write_files(folder: Path) -> None:
    from course_utils.files import write_atomically  # late: its annotations need Python 3.10

    for name, text in FILES.items():
        path = folder / name
        with contextlib.suppress(OSError):
            if path.read_text(encoding="utf-8") == text:
                continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    for path in (folder / "jupyter_runtime").glob("*.json"):  # of kernels that were killed
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > WEEK:
                path.unlink()


def _files(folder: Path) -> dict:
    return {
        "KERAS_HOME": str(folder / "keras"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "MATPLOTLIBRC": str(folder / "matplotlib" / "matplotlibrc"),
        "IPYTHONDIR": str(folder / "ipython"),
    }

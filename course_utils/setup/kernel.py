"""What a lesson does about its reader's settings in a kernel that is already running.

`run`, `execute` and `test` start their kernels with `isolation.environment`; here is what can still
be done where JupyterLab, papermill or a hosted notebook has started one. What cannot be taken away
is named. Standard library only; what the kernel has loaded is reached through `sys.modules`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from pathlib import Path

from course_utils.setup import isolation

INLINE = "module://matplotlib_inline.backend_inline"  # figures under their cell
LAB = "`python3 -m course_utils lab`"
# What lessons import beside the standard library and the course.
IMPORTED = {"tensorflow", "keras", "numpy", "matplotlib", "sklearn", "scipy", "pandas", "IPython"}
_left: dict[str, str] = {}  # what could not be taken away → what to do; filled at the first start


def take_settings_away() -> None:
    """Take away what can be taken from this process; `left` tells the rest. Raises SetupError."""
    before = dict(os.environ)
    wanted = isolation.shared_environment(before)
    os.environ.update(wanted)
    for name in before.keys() - wanted.keys():
        del os.environ[name]
    _note_what_python_has_read(before)
    _reset_warnings()
    if shell := _shell():
        os.environ["MPLBACKEND"] = INLINE
        _note_code_before_the_lesson(shell, before)
        _reset_shell(shell)
    if "numpy" in sys.modules:  # its threads have started
        with contextlib.suppress(ImportError):
            import threadpoolctl  # comes with scikit-learn

            threadpoolctl.threadpool_limits(1, user_api="blas")


def left() -> dict[str, str]:
    """Return what of the reader's settings still can change results, each with what to do."""
    found = dict(_left)
    if sys.flags.optimize:
        found["PYTHONOPTIMIZE or -O: Python skips `assert`"] = (
            f"unset PYTHONOPTIMIZE, start JupyterLab again ({LAB}) and restart the kernel"
        )
    return found


def _note_what_python_has_read(before: dict[str, str]) -> None:
    """Note what packages, already imported, have read, and modules that hide others."""
    if "tensorflow" in sys.modules:
        ours = isolation.VALUES
        names = ("TF_", "XLA_", "ONEDNN_", "DNNL_", "TENSORFLOW_", "CUDA_VISIBLE_DEVICES")
        read = [n for n, v in before.items() if n.startswith(names) and v != ours.get(n)]
        if read:
            _left[f"{', '.join(sorted(read))}: TensorFlow was imported before the setup cell"] = (
                "restart the kernel and run the setup cell first"
            )
    for entry in filter(None, before.get("PYTHONPATH", "").split(os.pathsep)):
        with contextlib.suppress(OSError):
            stems = {path.name.partition(".")[0] for path in Path(entry).iterdir()}
            hidden = stems & (sys.stdlib_module_names | IMPORTED)
            if hidden and not os.path.samefile(entry, isolation.ROOT):
                _left[f"PYTHONPATH: {entry} hides {', '.join(sorted(hidden))}"] = (
                    f"unset PYTHONPATH, start JupyterLab again ({LAB}) and restart the kernel"
                )


def _note_code_before_the_lesson(shell, before: dict[str, str]) -> None:
    """Note IPython's start-up files, lines and extensions: what they did cannot be undone."""
    from IPython.core.application import ENV_CONFIG_DIRS, SYSTEM_CONFIG_DIRS

    folders = [shell.profile_dir.startup_dir]
    folders += [os.path.join(p, "startup") for p in (*ENV_CONFIG_DIRS, *SYSTEM_CONFIG_DIRS)]
    files = (path for folder in folders for path in sorted(Path(folder).glob("*")))
    ran = [str(path) for path in files if path.suffix in (".py", ".ipy")]
    if before.get("PYTHONSTARTUP"):
        ran.append(before["PYTHONSTARTUP"])
    config = shell.config
    for section in ("InteractiveShellApp", "IPKernelApp"):
        for name in ("exec_lines", "exec_files", "extensions", "code_to_run", "pylab"):
            if section in config and config[section].get(name):
                ran.append(f"{section}.{name}")
    if ran:
        _left[f"IPython ran before the lesson: {', '.join(ran)}"] = (
            f"take it out of IPython's settings, or start the course with {LAB}"
        )


def _shell():
    """Return the kernel's shell; None outside of a kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if hasattr(shell, "kernel") else None


def _reset_shell(shell) -> None:
    """Give the shell and its formatters IPython's own values for all that a file has set."""
    formatter = shell.display_formatter
    for each in (shell, formatter, *formatter.formatters.values()):
        for section in (cls.__name__ for cls in type(each).__mro__):
            for name in each.config.get(section, ()):
                if each.has_trait(name) and each.trait_metadata(name, "config"):
                    setattr(each, name, each.trait_defaults(name))
    shell.call_pdb = False


def _reset_warnings() -> None:
    """Give `warnings` the filters that Python has without PYTHONWARNINGS and -W."""
    if not sys.warnoptions:
        return
    sys.warnoptions.clear()
    warnings.resetwarnings()
    warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category, append=True)

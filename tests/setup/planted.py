"""A reader's home and variables full of settings, none of which may reach a lesson."""

import json
import os
from pathlib import Path

from course_utils.setup import isolation

FILES = {
    ".keras/keras.json": '{"image_data_format": "channels_first", "floatx": "float16", '
    '"epsilon": 0.1, "backend": "torch"}',
    ".config/matplotlib/matplotlibrc": "text.usetex: True\naxes.facecolor: red\nbackend: QtAgg\n",
    ".ipython/profile_default/ipython_config.py": """\
c.InteractiveShell.ast_node_interactivity = "all"
c.InteractiveShell.pdb = True
c.PlainTextFormatter.float_precision = "%.1f"
c.InteractiveShellApp.exec_lines = ["planted = 1"]
""",
    ".ipython/profile_default/startup/00.py": "planted = 2\n",
    ".jupyter/jupyter_config.json": '{"KernelManager": {"kernel_cmd": ["false"]}}',
    ".local/share/jupyter/kernels/python3/kernel.json": json.dumps(
        {"argv": ["false"], "display_name": "Python 3", "language": "python"}
    ),
    "path/keras.py": "raise SystemExit('planted')\n",
    "other path/wave.py": "",  # a module of Python which the page does not import
}
NOWHERE = "http://127.0.0.1:9"  # the port that nobody listens on
VARIABLES = {
    "KERAS_BACKEND": "torch",
    "KERAS_MAX_EPOCHS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_XLA_FLAGS": "--no_such_flag",
    "XLA_FLAGS": "--no_such_flag",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "NPY_PROMOTION_STATE": "legacy",
    "OPENBLAS_NUM_THREADS": "7",
    "MPLBACKEND": "TkAgg",
    "PYTHONWARNINGS": "error",
    "PYTHONHASHSEED": "1",
    "COLUMNS": "30",
    "FORCE_COLOR": "1",
    "HTTP_PROXY": NOWHERE,
    "http_proxy": NOWHERE,
    "ALL_PROXY": NOWHERE,
}
# What only a process that is not yet running can be spared.
AT_THE_START = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONUTF8": "0",
    "PYTHONIOENCODING": "ascii",
    "PYTHONINTMAXSTRDIGITS": "640",
    "LC_ALL": "tr_TR.ISO-8859-9",
    "TZ": "Asia/Kathmandu",
    "JUPYTER_PREFER_ENV_PATH": "0",
    "JPY_SESSION_NAME": "planted",
    "JPY_PARENT_PID": "1",
    "PYTEST_ADDOPTS": "--no-such-option",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "UNKNOWN_TO_ALL": "planted",
}


def bare() -> dict[str, str]:
    """Return this process's variables without those that the course has given it."""
    passed = {name for name in isolation.PASSED if not name.startswith("PYTHON")}
    return {name: value for name, value in os.environ.items() if name in passed}


def plant(home: Path) -> dict[str, str]:
    """Write the files into `home` and return the variables of a process in that account."""
    for name, text in FILES.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {
        **bare(),
        **VARIABLES,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "PYTHONPATH": str(home / "path"),
        "PYTHONSTARTUP": str(home / ".ipython/profile_default/startup/00.py"),
    }

"""For all tests, notebooks included: kernels and servers that a test starts find the course."""

import os
from pathlib import Path

from tests.pairing import pytest_xdist_make_scheduler  # noqa: F401
from tests.patience import pytest_configure, pytest_itemcollected  # noqa: F401

os.environ["PYTHONPATH"] = str(Path(__file__).parent)

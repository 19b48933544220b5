"""For all tests, notebooks included: kernels and servers that a test starts find the course."""

import os
from pathlib import Path

os.environ["PYTHONPATH"] = str(Path(__file__).parent)

"""For all tests, notebooks included: no setting of the user's reaches them or what they start."""

from course_utils.setup import isolation
from tests.pairing import pytest_xdist_make_scheduler  # noqa: F401
from tests.patience import pytest_configure, pytest_itemcollected  # noqa: F401
from tests.unlisted import pytest_ignore_collect, pytest_terminal_summary  # noqa: F401

isolation.isolate_this_process()

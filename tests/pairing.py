"""Which of the two workers runs what: the first takes the notebooks, the second the light tests.

A lesson fills 1.8 of two cores, so two lessons side by side gain little, while most other tests
wait for processes and servers. Each worker begins at its own end of the queue; the one that is
done first helps the other.
"""

import pytest
from xdist.scheduler.loadfile import LoadFileScheduling

FIRST = "gw0"
# The files whose tests execute lessons; the tests of the last one may be run apart.
LESSONS = ("notebooks/", "tests/lessons/test_notebooks.py")


class PairedScheduling(LoadFileScheduling):
    """A file at a time for a worker; lessons from the front, light tests from the back."""

    def _split_scope(self, nodeid):
        return nodeid if nodeid.startswith(LESSONS[1]) else super()._split_scope(nodeid)

    def _assign_work_unit(self, node):
        heavy = [scope for scope in self.workqueue if scope.startswith(LESSONS)]
        light = [scope for scope in self.workqueue if scope not in heavy]
        mine, others = (heavy, light) if node.gateway.id == FIRST else (light, heavy)
        self.workqueue.move_to_end((mine or others)[0], last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)  # `-p no:xdist` has no such hook
def pytest_xdist_make_scheduler(config, log):
    return PairedScheduling(config, log)

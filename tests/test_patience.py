"""nbval waits for a slow cell, and not for a dead kernel."""

from queue import Empty

import pytest

from tests.patience import await_reply


class Kernel:
    """Answers like nbval's kernel: what `said` lists, one after another; then it is dead."""

    def __init__(self, *said):
        self.said = list(said)

    def get_message(self, stream, timeout):
        if not self.said or self.said[0] is None:
            self.said = self.said[1:]
            raise Empty
        return {"parent_header": {"msg_id": self.said.pop(0)}}

    def is_alive(self):
        return bool(self.said)


def test_a_slow_cell_is_waited_for():
    kernel = Kernel(*[None] * 1000, "another", None, "mine", "next")
    await_reply(kernel, "mine", timeout=1)
    assert kernel.said == ["next"]


def test_a_dead_kernel_is_not():
    with pytest.raises(RuntimeError, match="the kernel died"):
        await_reply(Kernel("another", None), "mine")


def test_cells_are_told():
    from nbval.kernel import RunningKernel

    assert RunningKernel.await_reply is await_reply

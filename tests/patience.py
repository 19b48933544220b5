"""A cell may take as long as it takes: nbval waits for it while its kernel lives.

nbval itself has a limit for each cell, which a busy machine reaches, and waits for all of it when
the kernel has died. What hangs is ended by CI's limit for everything.
"""

from queue import Empty

from nbval.kernel import RunningKernel

from tests import HANG

LOOK = 5  # seconds between two looks at whether the kernel lives


def await_reply(kernel, msg_id: str, timeout: float | None = None) -> None:
    """Wait for the reply to a message, whatever `timeout` says; RuntimeError if the kernel died."""
    while True:
        try:
            message = kernel.get_message(stream="shell", timeout=LOOK)
        except Empty:
            if not kernel.is_alive():
                raise RuntimeError("the kernel died; was the memory exhausted?") from None
            continue
        if message["parent_header"].get("msg_id") == msg_id:
            return


def pytest_configure():
    RunningKernel.await_reply = await_reply


def pytest_itemcollected(item):
    if hasattr(item, "output_timeout"):  # a cell; by itself it waits five seconds for an output
        item.output_timeout = HANG

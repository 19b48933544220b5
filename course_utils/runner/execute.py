"""Executes the committed notebooks in place, for authors: `python3 -m course_utils execute`.

The same notebook executed twice gives the same file: no run times, no widget state, no version
numbers in the metadata.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
TIMING = ("execution", "papermill", "ExecuteTime")  # written by JupyterLab, papermill, extensions


class ExecutionError(Exception):
    """A cell failed, its kernel died, or the file cannot be written; it was left as it was."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "lessons", nargs="*", metavar="LESSON", help="06, or a range as 04-09 (default: all)"
    )


def main(args: argparse.Namespace, root: Path = ROOT) -> int:
    """Execute the lessons that `args.lessons` names, then renew README's table and the glossary.

    Returns the exit code: 0, or 1 if a notebook could not be executed, or 2 for a wrong lesson or
    a fault in course.toml or README.md.
    """
    from course_utils.contents import (
        ContentsError,
        read_contents,
        select,
        unlisted_note,
        update_readme,
    )
    from course_utils.runner.glossary import update_glossary

    failed = False
    contents = root / "notebooks" / "course.toml"
    try:
        if note := unlisted_note(contents):
            print(note)
        for lesson in select(read_contents(contents), args.lessons):
            start = time.monotonic()
            try:
                execute_notebook(root / "notebooks" / lesson.file)
            except ExecutionError as error:
                failed = True
                print(f"{lesson.file}: {error}. The file is as it was.", file=sys.stderr)
            else:
                print(f"{lesson.file}: executed in {time.monotonic() - start:.0f} s", flush=True)
        update_readme(root)
        update_glossary(root / "notebooks")
    except ContentsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


def execute_notebook(path: Path) -> None:
    """Execute a notebook from top to bottom and write its outputs into it.

    The kernel is `python3`, the working directory the notebook's folder.

    Raises:
        ExecutionError: a cell failed or the kernel died (names the cell and the error), or the
            file cannot be written.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    from course_utils.files import write_atomically
    from course_utils.runner.execution import OUTPUT_TIMEOUT, START_TIMEOUT

    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        for key in TIMING:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        timeout=None,
        startup_timeout=START_TIMEOUT,
        iopub_timeout=OUTPUT_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    # Not client.execute(): its handler of Ctrl-C makes a dead kernel of it.
    # The null device takes the kernel's own log; what cells write to stderr is an output.
    with client.setup_kernel(stderr=subprocess.DEVNULL):
        for index, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                what = f"{error.ename}: {error.evalue}".partition("\n")[0]
                raise ExecutionError(f"cell '{cell.id}' failed: {what}") from None
            except DeadKernelError:
                raise ExecutionError(f"the kernel died in cell '{cell.id}'") from None
    try:
        write_atomically(path, nbformat.writes(notebook) + "\n")
    except OSError as error:
        raise ExecutionError(f"{path} cannot be written: {error.strerror}") from None

"""A run of a study, in build/studies/NAME: each arm is a job of the batch runner."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from course_utils.runner.orchestrate import Run
from course_utils.runner.plan import Job, Plan
from course_utils.runner.results import Result, read_results, running_process
from course_utils.studies.declare import Study, StudyError
from course_utils.studies.fingerprint import fingerprint
from course_utils.studies.table import describe_packages, write_table
from course_utils.studies.worker import read_rows


@dataclass(frozen=True)
class StudyPlan(Plan):
    """A run of a study: the code and the versions that all of its rows must share."""

    code: str
    packages: str


class StudyRun(Run):
    """A run of the arms of a study."""

    kind = "Study"
    worker = "course_utils.studies.worker"
    counts_worker = True
    plan: StudyPlan

    def __init__(
        self, study: Study, module: Path, root: Path, plan: StudyPlan, results: list[Result]
    ):
        """Prepare to run the arms whose result is not ok."""
        super().__init__(plan, root / "build" / "studies" / study.name, results)
        self.study, self.module, self.root = study, module, root
        self.overview = self.folder / "summary.json"
        self.again = f"python3 -m course_utils study {study.name}"

    def describe(self, job: Job) -> dict:
        """Return what the worker must know of an arm."""
        return {
            "study": self.study.name,
            "module": str(self.module),
            "root": str(self.root),
            "code": self.plan.code,
            "arm": job.parameters,
        }

    def make_folder(self, folder: Path) -> None:
        """Make the folder of an arm; rows that are there already stay."""
        folder.mkdir(exist_ok=True)

    def rows(self) -> list[dict]:
        """Return the rows of all arms so far, in the order of the arms."""
        return [
            row
            for job in self.plan.jobs
            for row in read_rows(self.folder / job.folder / "rows.json")
        ]

    def write(self, path: Path, rows: list[dict]) -> None:
        """Write the study's file."""
        header = {"module": self.module.name, "code": self.plan.code}
        write_table(path, self.study, header | {"packages": self.plan.packages}, rows)


def prepare(study: Study, module: Path, root: Path) -> StudyRun:
    """Return the run of a study: one that was begun with the same code, or a new one.

    Raises StudyError if the study is running already, or if its declaration is not found.
    """
    try:
        code, packages = fingerprint(module, study.name, root)
    except LookupError as error:
        raise StudyError(f"{module.name}: {error}") from None
    jobs = [
        Job(
            folder="__".join(f"{name}={quote(str(value), safe='')}" for name, value in arm.items()),
            number=study.name[:2],
            title=study.name[3:],
            file=module.name,
            parameters=arm,
            given=list(arm),
            varied=list(arm),
        )
        for arm in study.arms
    ]
    plan = StudyPlan(study.name, jobs, code, describe_packages(packages))
    folder = root / "build" / "studies" / study.name
    if pid := running_process(folder):
        raise StudyError(f"study {study.name} is being run (process {pid}); wait or stop it first")
    if not _same_plan(folder, plan):
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    return StudyRun(study, module, root, plan, read_results(folder, jobs))


def _same_plan(folder: Path, plan: StudyPlan) -> bool:
    """Whether the rows in `folder` were computed by this code and these versions."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        return (summary["code"], summary["packages"]) == (plan.code, plan.packages)
    except (FileNotFoundError, ValueError, KeyError):
        return False

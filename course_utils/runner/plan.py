"""The plan of a run: which lessons, each with which parameters. All of it is checked here."""

import difflib
import itertools
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from course_utils.contents import Course, Lesson
from course_utils.files import write_atomically
from course_utils.runner.parameters import (
    Parameter,
    ParameterError,
    check_value,
    parse_value,
    read_parameters,
)

PROFILES = ("default", "smoke", "full")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,98}[A-Za-z0-9_-]|[A-Za-z0-9]")


class PlanError(ValueError):
    """What was asked for cannot be run; nothing was started."""


@dataclass(frozen=True)
class Job:
    """One lesson, or one arm of a study, with one set of parameter values."""

    folder: str  # its name in the run's folder
    number: str  # of the lesson
    title: str
    file: str  # the notebook, or the module of the study
    parameters: dict  # the value of every parameter
    given: list[str]  # those not left at their default: set by the profile, -p or --grid
    varied: list[str]  # those set by --grid
    expected: int = 0  # seconds, so that the longest can start first; 0: not known

    @property
    def stem(self) -> str:
        """File name of the notebook without .ipynb."""
        return self.file.removesuffix(".ipynb")

    @property
    def label(self) -> str:
        """Number, title and what the grid varies, for progress lines."""
        varied = " ".join(f"{name}={self.parameters[name]}" for name in self.varied)
        return f"{self.number} {self.title} {varied}".rstrip()


@dataclass(frozen=True)
class Plan:
    """A run: its name and its jobs, in the order of the course."""

    name: str
    jobs: list[Job]


@dataclass(frozen=True)
class LessonPlan(Plan):
    """A run of lessons."""

    profile: str
    timeout: float | None  # seconds for each lesson


def make_plan(
    name: str,
    lessons: list[Lesson],
    notebooks: Path,
    *,
    assignments: list[str],
    grid: list[str],
    profile: str,
    timeout: float | None,
) -> LessonPlan:
    """Return the plan for `lessons`, whose files stand in the folder `notebooks`.

    assignments: texts "name=value" (-p); grid: texts "name=value1,value2" (--grid), of which the
    product runs; profile: one of PROFILES, weaker than both.
    Raises PlanError for an unknown parameter, and for a value of the wrong type or out of range.
    """
    if not NAME.fullmatch(name):
        raise PlanError(
            f"'{name[:99]}' is not a name for a run: use letters, digits and . _ -, at most 100"
        )
    fixed = _split(assignments, "-p")
    axes = {key: text.split(",") for key, text in _split(grid, "--grid").items()}
    for key in fixed.keys() & axes.keys():
        raise PlanError(f"parameter {key} is set by both -p and --grid; keep one of them")
    jobs = []
    for lesson in lessons:
        jobs += _jobs(lesson, notebooks, fixed, axes, profile)
    return LessonPlan(name, jobs, profile, timeout)


def write_plan(plan: LessonPlan, path: Path) -> None:
    """Write the plan as JSON."""
    write_atomically(path, json.dumps(asdict(plan), indent=2, ensure_ascii=False) + "\n")


def read_plan(path: Path) -> LessonPlan:
    """Read a plan that `write_plan` wrote. Raises PlanError if it is missing or damaged."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return LessonPlan(**fields | {"jobs": [Job(**job) for job in fields["jobs"]]})
    except FileNotFoundError:
        raise PlanError(f"there is no run {path.parent.name}: {path} is missing") from None
    except (ValueError, TypeError, KeyError) as error:
        raise PlanError(f"{path} is damaged ({error}); start a new run") from None


def check_plan(plan: LessonPlan, course: Course, notebooks: Path) -> None:
    """Check an old plan against the lessons as they are now. Raises PlanError if one changed."""
    lessons = {lesson.file: lesson for lesson in course.lessons}
    for job in plan.jobs:
        if job.file not in lessons:
            raise PlanError(f"lesson {job.number} ({job.file}) is gone; start a new run")
        parameters = _read(lessons[job.file], notebooks)
        for name in job.given:
            _value(lessons[job.file], parameters, name, job.parameters[name])


def _jobs(lesson: Lesson, notebooks: Path, fixed: dict, axes: dict, profile: str) -> list[Job]:
    """Return the jobs of one lesson: one for each point of the grid."""
    parameters = _read(lesson, notebooks)
    values = {parameter.name: parameter.default for parameter in parameters}
    of_profile = {"default": {}, "smoke": lesson.smoke, "full": lesson.full}[profile]
    try:
        for name, value in of_profile.items():
            values[name] = _value(lesson, parameters, name, value)
    except PlanError as error:
        raise PlanError(f"course.toml, {profile}: {error}") from None
    for name, text in fixed.items():
        values[name] = _value(lesson, parameters, name, text, parse_value)
    points = {
        name: [_value(lesson, parameters, name, text, parse_value) for text in texts]
        for name, texts in axes.items()
    }
    for name, point in points.items():
        if len(set(point)) < len(point):
            raise PlanError(f"--grid {name}={','.join(axes[name])} names a value twice")
    chosen = [
        dict(zip(points, combination, strict=True))
        for combination in itertools.product(*points.values())
    ]
    stem = lesson.file.removesuffix(".ipynb")
    return [
        Job(
            folder="__".join([stem, *(f"{k}={_file_name(v)}" for k, v in point.items())]),
            number=lesson.number,
            title=lesson.title,
            file=lesson.file,
            parameters=values | point,
            given=[name for name in values if name in of_profile | fixed | axes],
            varied=list(point),
            expected=lesson.seconds,
        )
        for point in chosen
    ]


def _read(lesson: Lesson, notebooks: Path) -> list[Parameter]:
    path = notebooks / lesson.file
    try:
        return read_parameters(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ParameterError) as error:
        raise PlanError(f"lesson {lesson.number} ({lesson.file}): {error}") from None
    except (ValueError, KeyError, TypeError):
        raise PlanError(f"lesson {lesson.number}: {path} is not a notebook") from None


def _value(lesson: Lesson, parameters: list[Parameter], name: str, value, check=check_value):
    """Return `value` checked (or, as text, parsed) for the parameter `name` of `lesson`."""
    names = [parameter.name for parameter in parameters]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean '{near[0]}'? It has" if near else "it has"
        raise PlanError(
            f"lesson {lesson.number} has no parameter '{name}'; {hint}: {', '.join(names)}"
        )
    try:
        return check(parameters[names.index(name)], value)
    except ParameterError as error:
        raise PlanError(f"lesson {lesson.number}, {error}") from None


def _split(texts: list[str], option: str) -> dict[str, str]:
    """Split each "name=value"; refuse a text without "=" and a name given twice."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise PlanError(f"{option} {text}: expected name=value, for example epochs=5")
        if name in pairs:
            raise PlanError(f"parameter {name} is set twice by {option}; keep one of them")
        pairs[name] = value
    return pairs


def _file_name(value: object) -> str:
    """Write a value so that it can be part of a file name on every system."""
    return quote(str(value), safe="")

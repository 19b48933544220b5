import pytest

from tests.reading.small_course import SmallCourse


@pytest.fixture
def course(tmp_path):
    return SmallCourse(tmp_path / "Großer Kurs 课程")

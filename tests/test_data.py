"""Data files are read only when they are whole; each way to be otherwise has its own message."""

import hashlib
import importlib.util
import io
import re
import shutil

import numpy as np
import pytest

from course_utils import data

NAME = "digits.bin"
CONTENT = bytes(range(200))


@pytest.fixture
def folder(tmp_path):
    """A data folder with one small file."""
    (tmp_path / NAME).write_bytes(CONTENT)
    (tmp_path / data.CHECKSUMS).write_text(
        f'["{NAME}"]\nbytes = 200\nsha256 = "{hashlib.sha256(CONTENT).hexdigest()}"\n'
    )
    return tmp_path


def message(folder, name=NAME):
    with pytest.raises(data.DataError) as caught:
        data.read_checked(name, folder)
    return str(caught.value)


def test_a_whole_file_is_read(folder):
    assert data.read_checked(NAME, folder) == CONTENT
    assert data.data_files(folder) == [NAME]


def flip(path):
    content = bytearray(CONTENT)
    content[117] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (lambda path: path.unlink(), "is missing; expected a file of 200 bytes."),
        (
            lambda path: path.write_bytes(CONTENT[:-1]),
            "is truncated: expected 200 bytes, found 199.",
        ),
        (lambda path: path.write_bytes(b""), "is truncated: expected 200 bytes, found 0."),
        (lambda path: path.write_bytes(CONTENT * 6), "too long: expected 200 bytes, found 1,200."),
        (flip, f"was altered: expected SHA-256 {hashlib.sha256(CONTENT).hexdigest()}, found "),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read: "),
    ],
    ids=["missing", "truncated", "empty", "too long", "one byte flipped", "a folder"],
)
def test_a_damaged_file_is_named_with_what_to_do(folder, damage, finding):
    damage(folder / NAME)
    text = message(folder)
    assert text.startswith(str(folder / NAME))
    assert finding in text
    assert text.endswith(
        "Restore it from the course's repository (delete the file, then in the course's folder: "
        f"`git checkout -- data/{NAME}`) or copy it from another machine that has the course."
    )


def test_line_ends_of_windows_are_named(tmp_path):
    expected = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    (tmp_path / NAME).write_bytes(b"a,b\r\n1,2\r\n")
    (tmp_path / data.CHECKSUMS).write_text(
        f'["{NAME}"]\nbytes = 8\nsha256 = "{expected}"\n',
        encoding="utf-8-sig",  # with a byte order mark, as some editors write
    )
    text = message(tmp_path)
    assert text.startswith(f"{tmp_path / NAME} has line ends of Windows (CRLF), expected LF")
    assert "delete the file, then in the course's folder: `git checkout --" in text


def test_a_name_without_checksum_is_refused(folder):
    (folder / "other.bin").write_bytes(b"1")
    text = message(folder, "other.bin")
    assert text == f"{folder / 'other.bin'} has no entry in checksums.toml; known: {NAME}."


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (None, "is missing; it lists size and SHA-256 of every data file."),
        ('["digits.bin"\n', "is not valid TOML: "),
        (b"\xff\xfe", "is not valid TOML: "),
        (
            '["digits.bin"]\nbytes = 200\n',
            "expected `bytes` (a whole number) and `sha256` (a text)",
        ),
        ('["digits.bin"]\nbytes = "200"\nsha256 = "a"\n', "found {'bytes': '200', 'sha256': 'a'}"),
        ('"digits.bin" = 200\n', "digits.bin: expected `bytes`"),
    ],
    ids=["missing", "not TOML", "not UTF-8", "no sha256", "bytes not a number", "no table"],
)
def test_the_list_of_checksums_is_checked_too(folder, text, finding):
    path = folder / data.CHECKSUMS
    path.unlink()
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = message(folder)
    assert found.startswith(str(path))
    assert finding in found
    assert found.endswith("`git checkout -- data/checksums.toml`).")


def test_mnist_has_the_documented_arrays_and_they_cannot_be_written():
    (x_train, y_train), (x_test, y_test) = data.load_mnist()
    assert [a.shape for a in (x_train, y_train)] == [(60_000, 28, 28), (60_000,)]
    assert [a.shape for a in (x_test, y_test)] == [(10_000, 28, 28), (10_000,)]
    for array in (x_train, y_train, x_test, y_test):
        assert array.dtype == np.uint8
        before = array.flat[0]
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
        assert array.flat[0] == before
    assert (x_train.min(), x_train.max()) == (0, 255)
    assert set(y_train) == set(y_test) == set(range(10))
    assert (x_train / 255).flags.writeable


def test_a_damaged_mnist_is_not_loaded(tmp_path):
    shutil.copy(data.DATA_FOLDER / data.CHECKSUMS, tmp_path)
    content = bytearray((data.DATA_FOLDER / "mnist.npz").read_bytes())
    content[5_000_000] ^= 1
    (tmp_path / "mnist.npz").write_bytes(content)
    with pytest.raises(data.DataError, match=r"mnist\.npz was altered"):
        data.load_mnist(tmp_path)


def test_ink_and_width_are_those_of_the_images():
    ink, width, digits = data.load_ink_and_width(rows=4, columns=2, number=50)
    (images, labels), _ = data.load_mnist()
    np.testing.assert_array_equal(digits, labels[:50])
    for image, cells, columns in zip(images, ink, width, strict=False):
        assert cells[2] == image[9:14, 4:14].mean()  # second row, first column
        dark = [c for c in range(28) if (image[:, c] > 127).any()]
        assert columns == dark[-1] - dark[0] + 1
    assert ink.shape == (50, 8)


def test_a_grid_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="divisors of 20, found 3 rows and 1 columns"):
        data.load_ink_and_width(rows=3)


def test_ratings_have_the_documented_columns():
    ratings = data.load_ratings()
    values = {name: (len(np.unique(v)), v.min(), v.max()) for name, v in ratings.items()}
    assert values == {
        "student": (2972, 0, 2971),
        "lecturer": (1128, 0, 1127),
        "student_age": (4, 2, 8),
        "lecture_age": (6, 1, 6),
        "service": (2, 0, 1),
        "department": (14, 1, 15),
        "rating": (5, 1, 5),
    }
    assert {len(v) for v in ratings.values()} == {73_421}
    pairs = set(zip(ratings["student"].tolist(), ratings["lecturer"].tolist(), strict=True))
    assert len(pairs) == 73_421  # nobody rated a lecturer twice


def test_the_ratings_are_made_again_from_a_table_of_the_package(monkeypatch):
    monkeypatch.syspath_prepend(str(data.DATA_FOLDER))
    script = load_script("make_insteval")
    text = data.gzip.decompress(data.read_checked("insteval.csv.gz")).decode()
    rows = [line.split(",") for line in text.splitlines()]
    assert rows[0] == list(script.COLUMNS.values())
    table = dict(zip(script.COLUMNS, zip(*rows[1:], strict=True), strict=True))  # texts, as there
    assert data.gzip.decompress(script.to_csv(table)).decode() == text


def test_mortgages_have_the_documented_columns():
    mortgages = data.load_mortgages()
    readme = (data.DATA_FOLDER / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## hmda.csv.gz")[2].partition("\n## ")[0]
    named = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", "".join(named))) == set(mortgages)
    assert {len(values) for values in mortgages.values()} == {2_380}
    counts = {name: int(mortgages[name].sum()) for name in ("denied", "black", "insurance_denied")}
    assert counts == {"denied": 285, "black": 339, "insurance_denied": 48}
    assert set(mortgages["consumer_credit"]) == set(range(1, 7))


def test_the_mortgages_are_made_again_from_a_table_of_the_package(monkeypatch):
    monkeypatch.syspath_prepend(str(data.DATA_FOLDER))
    script = load_script("make_hmda")
    text = data.gzip.decompress(data.read_checked("hmda.csv.gz")).decode()
    rows = [line.split(",") for line in text.splitlines()]
    assert rows[0] == list(script.COLUMNS.values())
    table = {}
    for name, *column in zip(script.COLUMNS, *rows[1:], strict=True):
        two = set(column) <= {"0", "1"}
        table[name] = [("no", "yes")[int(v)] if two else np.float32(v) for v in column]
    assert data.gzip.decompress(script.to_csv(table)).decode() == text


def test_files_checksums_and_readme_agree():
    """Whatever data file is added: it has a checksum, and README states the same one."""
    files = {p.name for p in data.DATA_FOLDER.glob("[!.]*") if p.is_file()}
    others = {"README.md", data.CHECKSUMS, *(path.name for path in data.DATA_FOLDER.glob("*.py"))}
    assert files - others == set(data.data_files())
    readme = (data.DATA_FOLDER / "README.md").read_text(encoding="utf-8")
    for name, entry in data.read_checksums().items():
        content = data.read_checked(name)
        assert entry == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        section = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", readme, re.M | re.S)
        assert section, f"data/README.md has no section {name}"
        assert f"SHA-256: `{entry['sha256']}` ({entry['bytes']:,} bytes)" in section[1]
        assert re.search(r"^- Licence: \S", section[1], re.M)
        assert re.search(r"^- Origin: \S", section[1], re.M)


# data/make_mnist.py: the original IDX files are made from the arrays, to the byte.


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, data.DATA_FOLDER / f"{name}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


make_mnist = load_script("make_mnist")


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture(scope="module")
def idx_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("idx")
    with np.load(io.BytesIO(data.read_checked("mnist.npz"))) as arrays:
        for array, (name, _, _) in make_mnist.PARTS.items():
            (folder / name).write_bytes(idx(arrays[array]))
    return folder


def test_the_arrays_are_those_of_the_original_release(idx_folder):
    readme = (data.DATA_FOLDER / "README.md").read_text(encoding="utf-8")
    for name, md5, _ in make_mnist.PARTS.values():
        assert hashlib.md5((idx_folder / name).read_bytes()).hexdigest() == md5
        assert f"`{md5}`" in readme


def test_the_archive_is_made_again(idx_folder, tmp_path, capsys):
    packed = tmp_path / "packed"
    shutil.copytree(idx_folder, packed)
    labels = packed / "t10k-labels-idx1-ubyte"
    (packed / f"{labels.name}.gz").write_bytes(make_mnist.gzip.compress(labels.read_bytes()))
    labels.unlink()
    output = tmp_path / "made.npz"
    assert make_mnist.main([str(packed), str(output)]) == 0
    made, ours = output.read_bytes(), data.read_checked("mnist.npz")
    verdict = capsys.readouterr().out.splitlines()[1]
    # Another zlib packs the same arrays into other bytes; the script must say which it is.
    assert verdict.startswith(
        "This equals checksums.toml." if made == ours else "checksums.toml has"
    )
    with np.load(io.BytesIO(made)) as a, np.load(io.BytesIO(ours)) as b:
        assert a.files == b.files
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])


def test_another_result_than_the_listed_one_is_named(idx_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(np, "savez_compressed", lambda file, **arrays: file.write(b"other bytes"))
    assert make_mnist.main([str(idx_folder), str(tmp_path / "made.npz")]) == 0
    said = capsys.readouterr().out
    assert data.read_checksums()["mnist.npz"]["sha256"] in said
    assert "The course accepts the listed file alone." in said


def spoil_packed(path):
    packed = make_mnist.gzip.compress(path.read_bytes())
    path.with_name(f"{path.name}.gz").write_bytes(packed[:100] + bytes(100) + packed[200:])
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (
            lambda p: p.unlink(),
            "holds neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz",
        ),
        (
            lambda p: p.write_bytes(p.read_bytes()[:-1]),
            "expected MD5 27ae3e4e09519cfbb04c329615203637",
        ),
        (lambda p: p.rename(f"{p}.gz"), "t10k-labels-idx1-ubyte.gz cannot be unpacked: "),
        (spoil_packed, "t10k-labels-idx1-ubyte.gz cannot be unpacked: "),
    ],
    ids=["missing", "altered", "not gzip", "damaged gzip"],
)
def test_a_wrong_original_writes_nothing(idx_folder, tmp_path, capsys, damage, finding):
    folder = tmp_path / "idx"
    shutil.copytree(idx_folder, folder)
    damage(folder / "t10k-labels-idx1-ubyte")
    assert make_mnist.main([str(folder), str(tmp_path / "made.npz")]) == 1
    assert finding in capsys.readouterr().err
    assert not (tmp_path / "made.npz").exists()

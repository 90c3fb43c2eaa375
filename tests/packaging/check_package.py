"""`make package`: builds sdist and wheel into dist/, and checks them as those who install them would.

    python tests/packaging/check_package.py

It needs `build`, `twine` and `trove-classifiers` in the environment that runs it.
"""

from __future__ import annotations

import email
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from environments import PROJECT, ROOT, Environment, run
from trove_classifiers import classifiers

DIST = ROOT / "dist"
SOURCES = (ROOT / "keras_front", *sorted((ROOT / "backends").glob("keras_front_*")))
CACHES = {".pyc", ".pyo"}
ROOT_FILES = {
    "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "README.md", "SECURITY.md",
    "keras.json.example", "pyproject.toml",
}  # fmt: skip
MADE = {"PKG-INFO", "setup.cfg"}  # what setuptools adds to an sdist


def packaged() -> set[PurePosixPath]:
    """Every file of the packages, as it is named in a wheel: code, stubs, data, licences of data."""
    return {
        PurePosixPath(folder.name, *path.relative_to(folder).parts)
        for folder in SOURCES
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in CACHES
    }


def check_same(what: str, found: set, wanted: set) -> None:
    """Name what lacks and what is too much."""
    lacking, extra = sorted(map(str, wanted - found)), sorted(map(str, found - wanted))
    if lacking or extra:
        sys.exit(f"{what}: lacks {lacking}; should not have {extra}")
    print(f"{what}: {len(found)} files, none lacks, none is too much")


def check_wheel(path: Path) -> None:
    """The packages and what describes them."""
    names = {PurePosixPath(name) for name in zipfile.ZipFile(path).namelist()}
    described = {name for name in names if name.parts[0].endswith(".dist-info")}
    check_same(path.name, names - described, packaged())
    licences = {PurePosixPath(*name.parts[2:]) for name in described if name.parts[1] == "licenses"}
    check_same("licences in it", licences, set(map(PurePosixPath, PROJECT["license-files"])))


def check_sdist(path: Path) -> None:
    """The packages, and what is needed to build them again."""
    with tarfile.open(path) as archive:
        names = {PurePosixPath(*PurePosixPath(m.name).parts[1:]) for m in archive.getmembers() if m.isfile()}
    own = {name for name in names if name.parts[0] != "keras_front.egg-info" and str(name) not in MADE}
    inside = {n if n.parts[0] == "keras_front" else PurePosixPath("backends", n) for n in packaged()}
    check_same(path.name, own, inside | set(map(PurePosixPath, ROOT_FILES)))


def check_metadata(wheel: Path) -> None:
    """Classifiers that an index knows, a version that is not one of development, and what is said about Python."""
    archive = zipfile.ZipFile(wheel)
    text = archive.read(next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))).decode()
    found = email.message_from_string(text)
    unknown = set(found.get_all("Classifier")) - classifiers
    if unknown:
        sys.exit(f"no index knows the classifiers {sorted(unknown)}")
    print(run([sys.executable, "-m", "twine", "check", "--strict", *map(str, DIST.iterdir())]).strip())
    print(f"{found['Name']} {found['Version']}, Python {found['Requires-Python']}, {found['License-Expression']}")


def check_rebuilt(sdist: Path, wheel: Path, folder: Path) -> None:
    """A wheel that is built from the sdist alone has the same files, bit for bit."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    run([sys.executable, "-m", "build", "--wheel", "--outdir", str(folder / "out"), str(source)])
    (again,) = (folder / "out").iterdir()
    if _contents(again) != _contents(wheel):
        sys.exit(f"the wheel from {sdist.name} differs from {wheel.name}")
    print(f"a wheel from {sdist.name} alone is the same")


def _contents(wheel: Path) -> dict[str, int]:
    return {i.filename: i.CRC for i in zipfile.ZipFile(wheel).infolist()}


def check_installed(wheel: Path, folder: Path) -> None:
    """In a fresh environment: NumPy and h5py come along and nothing else, and it trains, saves and loads."""
    fresh = Environment(folder)
    fresh.install(str(wheel))
    print(fresh.pip("check").strip())
    listed = {line.split("==")[0].lower() for line in fresh.pip("list", "--format=freeze").splitlines()}
    check_same("installed", listed - {"pip", "setuptools"}, {"keras-front", "numpy", "h5py"})
    print(run([str(fresh.bin / "keras-front"), "--version"]).strip())
    print(fresh.python("-I", str(ROOT / "tests" / "plain.py")).strip())


def main() -> None:
    shutil.rmtree(DIST, ignore_errors=True)
    run([sys.executable, "-m", "build", "--outdir", str(DIST), str(ROOT)])
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    check_wheel(wheel)
    check_sdist(sdist)
    check_metadata(wheel)
    with tempfile.TemporaryDirectory() as folder:
        check_rebuilt(sdist, wheel, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        check_installed(wheel, Path(folder))
    print(f"good: {wheel.relative_to(ROOT)} and {sdist.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

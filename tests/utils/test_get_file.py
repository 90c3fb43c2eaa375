"""`get_file`: the cache, downloads that go on, hashes, archives that are safe to unpack; from a local server."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from keras_front import config
from keras_front.errors import ArgumentError, DownloadError, SerializationError, UnsafeFileError
from keras_front.utils import archives, get_file
from keras_front.utils.data_utils import _hash_file, validate_file

CONTENT = bytes(range(256)) * 4000  # about a megabyte


def tar(members, mode="w:gz") -> bytes:
    """A tar archive of (name, bytes) or of `TarInfo`s."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def zipped(members) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def left_over(folder: Path) -> list[str]:
    """Hidden files that a download or extraction left in the cache."""
    return [path.name for path in folder.rglob(".*")]


# The cache --------------------------------------------------------------------------------------------------


def test_a_file_is_fetched_once(file_server, keras_home, capsys):
    address = file_server.add("a.bin", CONTENT)
    path = get_file("b.bin", address)
    assert path == str(keras_home / "datasets" / "b.bin")
    assert Path(path).read_bytes() == CONTENT
    text = capsys.readouterr().out
    assert "Downloading data from" in text
    assert f"{len(CONTENT)}/{len(CONTENT)}" in text  # the progress bar
    assert get_file("b.bin", address) == path
    assert len(file_server.requests) == 1
    get_file("b.bin", address, force_download=True)
    assert len(file_server.requests) == 2
    assert left_over(keras_home) == []
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o400


def test_a_file_put_there_by_hand_is_used(keras_home):
    (keras_home / "datasets").mkdir(parents=True)
    (keras_home / "datasets" / "mine.txt").write_text("mine")
    assert Path(get_file("mine.txt", "http://nowhere.invalid/mine.txt")).read_text() == "mine"


def test_names_and_places(file_server, tmp_path, keras_home):
    address = file_server.add("folder/data.txt", b"data")
    with_query = file_server.add("folder/query.txt?version=2", b"data")
    assert get_file(origin=with_query) == str(keras_home / "datasets" / "query.txt")
    assert get_file(origin=address, cache_dir=tmp_path, cache_subdir="models") == str(tmp_path / "models" / "data.txt")
    assert get_file(Path("p.txt"), address, cache_subdir=str(tmp_path / "x")) == str(tmp_path / "x" / "p.txt")
    assert get_file(str(tmp_path / "absolute.txt"), address) == str(tmp_path / "absolute.txt")
    assert (tmp_path / "absolute.txt").read_bytes() == b"data"


def test_the_home_folder_is_the_default(monkeypatch, tmp_path, file_server):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = get_file("x", file_server.add("x", b"x"))
    assert path == str(tmp_path / ".keras" / "datasets" / "x")


def test_a_cache_that_cannot_be_written(monkeypatch, tmp_path, file_server):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    address = file_server.add("x.txt", b"x")
    path = get_file("x.txt", address)
    assert path == str(tmp_path / ".keras" / "datasets" / "x.txt")
    assert get_file("x.txt", address) == path
    assert len(file_server.requests) == 1


def test_what_cannot_be_asked_for(keras_home):
    with pytest.raises(ValueError, match='specify the "origin" argument'):
        get_file("x")
    with pytest.raises(ArgumentError, match="does not end in the name of a file"):
        get_file(origin="http://localhost/")
    with pytest.raises(ArgumentError, match="expected an address of http"):
        get_file("x", "data:text/plain,x")


def test_files_of_this_machine(tmp_path, keras_home):
    (tmp_path / "here.txt").write_text("here")
    assert Path(get_file("there.txt", (tmp_path / "here.txt").as_uri())).read_text() == "here"


# Hashes -----------------------------------------------------------------------------------------------------

MD5, SHA = hashlib.md5(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(
    "arguments",
    [
        {"md5_hash": MD5},
        {"file_hash": MD5},
        {"file_hash": SHA},
        {"file_hash": SHA, "hash_algorithm": "sha256"},
        {"file_hash": MD5.upper(), "hash_algorithm": "md5"},
    ],
)
def test_hashes(arguments, file_server, keras_home, capsys):
    address = file_server.add("a", CONTENT)
    path = Path(get_file("a", address, **arguments))
    path.write_bytes(b"changed")
    get_file("a", address, **arguments)
    assert path.read_bytes() == CONTENT
    assert "incomplete or outdated" in capsys.readouterr().out
    assert len(file_server.requests) == 2


def test_another_hash_is_an_error_and_leaves_nothing(file_server, keras_home):
    address = file_server.add("a", CONTENT)
    with pytest.raises(ValueError, match="incomplete or corrupted") as caught:
        get_file("a", address, file_hash="0" * 64)
    assert SHA in str(caught.value)
    assert not (keras_home / "datasets" / "a").exists()
    assert left_over(keras_home) == []


def test_validate_file_and_hash_file(tmp_path):
    (tmp_path / "f").write_bytes(CONTENT)
    file = str(tmp_path / "f")
    assert validate_file(file, SHA)
    assert validate_file(file, MD5, "md5")
    assert validate_file(file, MD5)
    assert not validate_file(file, SHA, "md5")
    assert not validate_file(file, MD5[:-1] + "x")
    assert (_hash_file(file), _hash_file(file, "md5", 7)) == (SHA, MD5)


# Downloads that break off -----------------------------------------------------------------------------------


def test_a_download_goes_on_where_it_stopped(file_server, keras_home):
    address = file_server.add("a", CONTENT)
    file_server.break_after = [300_000, 200_000]
    assert Path(get_file("a", address, file_hash=SHA)).read_bytes() == CONTENT
    assert [asked for _, asked in file_server.requests] == [None, "bytes=300000-", "bytes=500000-"]


def test_the_next_call_goes_on(file_server, keras_home):
    address = file_server.add("a", CONTENT)
    file_server.break_after = [100_000] * 3
    with pytest.raises(DownloadError, match="the connection ended after 300000 bytes"):
        get_file("a", address)
    assert not (keras_home / "datasets" / "a").exists()
    get_file("a", address)
    assert file_server.requests[-1][1] == "bytes=300000-"
    assert (keras_home / "datasets" / "a").read_bytes() == CONTENT
    assert left_over(keras_home) == []


def test_another_version_begins_anew(file_server, keras_home):
    address = file_server.add("a", CONTENT)
    file_server.break_after = [100_000] * 3
    with pytest.raises(DownloadError):
        get_file("a", address)
    file_server.add("a", CONTENT[::-1])
    assert Path(get_file("a", address)).read_bytes() == CONTENT[::-1]


def test_a_server_that_names_no_version_begins_anew(file_server, keras_home):
    address = file_server.add("a", CONTENT)
    file_server.tags, file_server.break_after = False, [100_000]
    assert Path(get_file("a", address)).read_bytes() == CONTENT
    assert [asked for _, asked in file_server.requests] == [None, None]


def test_a_hash_stands_in_for_a_version(file_server, keras_home):
    address = file_server.add("a", CONTENT)
    file_server.tags, file_server.break_after = False, [100_000]
    assert Path(get_file("a", address, file_hash=SHA)).read_bytes() == CONTENT
    assert [asked for _, asked in file_server.requests] == [None, "bytes=100000-"]


def test_a_rest_of_another_version_is_noticed_by_the_hash(file_server, keras_home):
    address = file_server.add("a", CONTENT[::-1])
    file_server.tags, file_server.break_after = False, [100_000] * 3
    with pytest.raises(DownloadError):
        get_file("a", address, file_hash=SHA)
    file_server.add("a", CONTENT)
    assert Path(get_file("a", address, file_hash=SHA)).read_bytes() == CONTENT
    assert [asked for _, asked in file_server.requests[3:]] == ["bytes=300000-", None]
    assert left_over(keras_home) == []


def test_a_server_that_names_no_length(file_server, keras_home, capsys):
    file_server.lengths = False
    assert Path(get_file("a", file_server.add("a", CONTENT))).read_bytes() == CONTENT


def test_two_at_once(file_server, keras_home):
    address = file_server.add("a", CONTENT)
    paths, threads = [], []
    for _ in range(4):
        threads.append(threading.Thread(target=lambda: paths.append(get_file("a", address, file_hash=SHA))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {Path(path).read_bytes() for path in paths} == {CONTENT}
    assert len(paths) == 4
    assert left_over(keras_home) == []


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9/data.bin", "http://host.invalid/data.bin"])
def test_without_a_network_the_error_says_what_to_put_where(origin, keras_home):
    with pytest.raises(DownloadError, match="URL fetch failure") as caught:
        get_file("data.bin", origin)
    assert isinstance(caught.value, OSError)
    assert str(keras_home / "datasets" / "data.bin") in str(caught.value)
    assert origin in str(caught.value)
    assert left_over(keras_home) == []


def test_a_file_that_the_server_does_not_have(file_server, keras_home):
    with pytest.raises(DownloadError, match="404"):
        get_file("a", file_server.url + "/nothing")


# Archives ---------------------------------------------------------------------------------------------------

FOLDER = [("things/a.txt", b"a"), ("./things/deep/b.txt", b"b")]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_untar(mode, file_server, keras_home):
    address = file_server.add("things.tar.gz", tar(FOLDER, mode))
    folder = Path(get_file("things", address, untar=True))
    assert folder == keras_home / "datasets" / "things"
    assert (folder / "deep" / "b.txt").read_bytes() == b"b"
    assert (keras_home / "datasets" / "things.tar.gz").exists()
    assert get_file(origin=address, untar=True) == str(folder)
    assert len(file_server.requests) == 1
    assert left_over(keras_home) == []


def test_a_folder_that_is_there_needs_no_archive(keras_home):
    (keras_home / "datasets" / "things").mkdir(parents=True)
    assert get_file("things", "http://nowhere.invalid/t", untar=True) == str(keras_home / "datasets" / "things")


@pytest.mark.parametrize("make", [tar, zipped])
def test_extract(make, file_server, keras_home):
    address = file_server.add("things.archive", make(FOLDER))
    path = get_file("things.archive", address, extract=True)
    assert path == str(keras_home / "datasets" / "things.archive")  # as in Keras 2: the archive
    assert (keras_home / "datasets" / "things" / "a.txt").read_bytes() == b"a"
    (keras_home / "datasets" / "things" / "a.txt").write_bytes(b"changed")
    get_file("things.archive", address, extract=True)
    assert (keras_home / "datasets" / "things" / "a.txt").read_bytes() == b"a"


def test_extract_as_in_keras3(file_server, keras_home):
    address = file_server.add("things.zip", zipped(FOLDER))
    with config.dialect("keras3"):
        folders = [get_file(name, address, extract=True) for name in ("things.zip", "other")]
        folders.append(get_file(origin=address, extract=True, cache_subdir="further"))
    assert [Path(folder).name for folder in folders] == ["things_extracted", "other", "things.zip"]
    for folder in folders:
        assert (Path(folder) / "things" / "a.txt").read_bytes() == b"a"


def test_archive_format(file_server, keras_home):
    address = file_server.add("t.zip", zipped(FOLDER))
    with pytest.warns(UserWarning, match="is no archive that can be unpacked") as caught:
        get_file("t.zip", address, extract=True, archive_format="tar")
    assert caught[0].filename == __file__
    assert not (keras_home / "datasets" / "things").exists()
    get_file("t.zip", address, extract=True, archive_format=["tar", "zip"])
    assert (keras_home / "datasets" / "things").exists()
    with pytest.raises(ArgumentError, match="received 'rar'"):
        get_file("t.zip", address, extract=True, archive_format="rar")


BAD_TARS = {
    "parent": [("../outside", b"x")],
    "hidden parent": [("a/../../outside", b"x")],
    "absolute": [("/tmp/keras_front_outside", b"x")],
    "symbolic link": [special("link", tarfile.SYMTYPE, "/etc/passwd")],
    "link within": [("a", b"x"), special("link", tarfile.SYMTYPE, "a")],
    "hard link": [("a", b"x"), special("link", tarfile.LNKTYPE, "../../outside")],
    "link and through it": [special("d", tarfile.SYMTYPE, ".."), ("d/outside", b"x")],
    "device": [special("device", tarfile.CHRTYPE)],
    "pipe": [special("pipe", tarfile.FIFOTYPE)],
    "windows": [("..\\outside", b"x")],
    "drive": [("C:outside", b"x")],
}


@pytest.mark.parametrize("name", BAD_TARS)
def test_hostile_tars(name, tmp_path):
    (tmp_path / "t.tar").write_bytes(tar([("good", b"x"), *BAD_TARS[name]], "w"))
    with pytest.raises(UnsafeFileError):
        archives.extract(tmp_path / "t.tar", tmp_path / "in" / "side")
    assert os.listdir(tmp_path / "in" / "side") == []
    assert sorted(os.listdir(tmp_path)) == ["in", "t.tar"]
    assert not os.path.exists("/tmp/keras_front_outside")


def zip_link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "member", [("../outside", "x"), ("/outside", "x"), ("a/../../outside", "x"), (zip_link(), "/etc/passwd")]
)
def test_hostile_zips(member, tmp_path):
    (tmp_path / "z.zip").write_bytes(zipped([("good", "x"), member]))
    with pytest.raises(UnsafeFileError):
        archives.extract(tmp_path / "z.zip", tmp_path / "inside")
    assert os.listdir(tmp_path / "inside") == []
    assert not (tmp_path / "outside").exists()


def test_an_archive_larger_than_the_disk(tmp_path, monkeypatch):
    (tmp_path / "z.zip").write_bytes(zipped([("zeros", bytes(10_000_000))]))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=9_000_000))
    with pytest.raises(UnsafeFileError, match="more bytes than the disk has free"):
        archives.extract(tmp_path / "z.zip", tmp_path / "inside")
    assert os.listdir(tmp_path / "inside") == []


@pytest.mark.parametrize("make", [tar, zipped])
def test_a_damaged_archive_leaves_nothing(make, tmp_path):
    content = make([("a", os.urandom(100_000)), ("b", os.urandom(100_000))])
    broken = content[:60_000] + bytes(10_000) + content[70_000:] if make is zipped else content[:60_000]
    (tmp_path / "t").write_bytes(broken)
    with pytest.raises(SerializationError, match="damaged or incomplete"):
        archives.extract(tmp_path / "t", tmp_path / "inside")
    assert os.listdir(tmp_path / "inside") == []


def test_nothing_is_written_through_links_that_are_there(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir(), outside.mkdir()
    (inside / "things").symlink_to(outside)
    (tmp_path / "t").write_bytes(tar(FOLDER))
    assert archives.extract(tmp_path / "t", inside)
    assert os.listdir(outside) == []
    assert (inside / "things" / "a.txt").read_bytes() == b"a"


def test_what_is_no_archive(tmp_path):
    (tmp_path / "t.gz").write_bytes(gzip.compress(b"no tar"))
    assert not archives.extract(tmp_path / "t.gz", tmp_path / "inside")
    assert not archives.extract(tmp_path / "t.gz", tmp_path / "inside", None)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "..", ".", "a\0b"])
def test_a_name_that_leads_out_of_the_cache_is_refused(name, keras_home):
    with pytest.raises(ArgumentError, match="a file inside the cache"):
        get_file(name, "file:///x")
    with pytest.raises(ArgumentError, match=r"a file inside the cache"):
        get_file(None, "http://127.0.0.1:9/a/..")


def test_an_archive_that_unpacks_to_far_more_is_a_bomb(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(1 << 25))
    with pytest.raises(UnsafeFileError, match="it is a bomb"):
        archives.extract(tmp_path / "a.zip", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []

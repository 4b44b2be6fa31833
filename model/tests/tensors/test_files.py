# SPDX-License-Identifier: Apache-2.0
"""Outputs that are links, devices, pipes, or cannot be written.

No test goes near a device of the machine: as root, a mistake would replace it.
"""

import errno
import os
import resource
import stat
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from model.tensors.files import descriptor_of, write_whole

NOBODY = 65_534


@pytest.fixture
def open_folder():
    """A folder that every user can reach and write into."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@contextmanager
def without_privileges():
    """As a user who is not root, whom permissions mean nothing to."""
    if os.geteuid() != 0:
        yield
        return
    os.setresgid(NOBODY, NOBODY, 0)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


def test_parts_become_one_file_with_the_usual_permissions(tmp_path):
    umask = os.umask(0o027)
    try:
        write_whole(tmp_path / "x", [b"ab", memoryview(b"cd"), b""])
    finally:
        os.umask(umask)
    assert (tmp_path / "x").read_bytes() == b"abcd"
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target"
    target.write_bytes(b"old")
    old = target.open("rb")
    (tmp_path / "second").symlink_to("folder/target")
    (tmp_path / "first").symlink_to(tmp_path / "second")
    write_whole(tmp_path / "first", [b"new"])
    assert (tmp_path / "first").is_symlink() and (tmp_path / "second").is_symlink()
    assert not target.is_symlink() and target.read_bytes() == b"new"
    assert old.read() == b"old", "the file was written in place, not replaced"
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    old.close()


def test_a_link_to_nothing_makes_its_target(tmp_path):
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", [b"new"])
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_bytes() == b"new"


def test_a_link_to_itself_and_one_into_no_folder_are_named(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "astray").symlink_to("nowhere/target")
    for name, number in (("loop", errno.ELOOP), ("astray", errno.ENOENT)):
        with pytest.raises(OSError) as caught:
            write_whole(tmp_path / name, [b"new"])
        assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / name))
        assert (tmp_path / name).is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_permissions_of_the_file_before_are_kept(tmp_path, mode):
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "x").chmod(mode)
    before = (tmp_path / "x").stat()
    write_whole(tmp_path / "x", [b"new"])
    after = (tmp_path / "x").stat()
    assert stat.S_IMODE(after.st_mode) == mode
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino, "the file was written in place, not replaced"


def test_a_file_keeps_its_owner(open_folder):
    if os.geteuid() != 0:
        pytest.skip("only root can write the file of another user as its own")
    (open_folder / "x").write_bytes(b"old")
    os.chown(open_folder / "x", NOBODY, NOBODY)
    write_whole(open_folder / "x", [b"new"])
    assert (open_folder / "x").stat().st_uid == NOBODY


def test_a_file_with_two_names_keeps_both(tmp_path):
    (tmp_path / "one").write_bytes(b"old and longer")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    write_whole(tmp_path / "two", [b"new"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() == b"new"
    assert (tmp_path / "one").samefile(tmp_path / "two")


@pytest.mark.parametrize("linked", [False, True])
def test_a_fifo_is_written_into(tmp_path, linked):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_bytes()))
    reader.start()
    write_whole(tmp_path / ("link" if linked else "fifo"), [b"new" * 50_000, b"!"])
    reader.join()
    assert got == [b"new" * 50_000 + b"!"]
    assert (tmp_path / "fifo").is_fifo() and (tmp_path / "link").is_symlink()


def test_a_character_device_is_written_into(tmp_path):
    # Nothing can be created in the folder of terminals, so that nothing can be replaced there.
    ours, theirs = os.openpty()
    device = Path(os.ttyname(theirs))
    try:
        (tmp_path / "link").symlink_to(device)
        for path in (device, tmp_path / "link"):
            write_whole(path, [b"new"])
            assert os.read(ours, 9) == b"new"
        assert device.is_char_device() and (tmp_path / "link").is_symlink()
    finally:
        os.close(ours)
        os.close(theirs)


def test_devices_stay_devices_for_root(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can make devices, and replace them")
    for name, minor in (("null", 3), ("full", 7)):
        try:
            os.mknod(tmp_path / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
            with (tmp_path / name).open("rb"):
                pass
        except PermissionError:
            pytest.skip("no devices can be made or opened here")
    write_whole(tmp_path / "null", [b"new"])
    with pytest.raises(OSError) as caught:
        write_whole(tmp_path / "full", [b"new"])
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "full"))
    assert all((tmp_path / name).is_char_device() for name in ("null", "full"))


@pytest.mark.parametrize("way", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
def test_an_open_file_is_written_where_it_is(tmp_path, way):
    with (tmp_path / "x").open("wb") as file:
        file.write(b"before ")
        file.flush()
        path = Path(way.format(file.fileno()))
        if way == "link":
            path = tmp_path / "link"
            path.symlink_to(f"/dev/fd/{file.fileno()}")
        assert descriptor_of(path) == file.fileno()
        write_whole(path, [b"new"])
        file.write(b" after")
    assert (tmp_path / "x").read_bytes() == b"before new after"


def test_standard_streams_have_their_numbers(tmp_path):
    (tmp_path / "link").symlink_to("/dev/stdout")
    assert descriptor_of(Path("/dev/stdout")) == descriptor_of(tmp_path / "link") == 1
    assert descriptor_of(Path("/dev/stderr")) == 2
    for path in ("1", "x", "/dev/null", "/dev/fd/x", "/dev/fd", "fd/1"):
        assert descriptor_of(Path(path)) is None, path


def test_a_number_that_is_not_open_is_an_error():
    with pytest.raises(OSError) as caught:
        write_whole(Path("/dev/fd/987"), [b"new"])
    assert caught.value.errno == errno.EBADF


def test_a_folder_is_an_error(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, [b"new"])


def test_a_read_only_file_is_refused_and_left(open_folder):
    with without_privileges():
        (open_folder / "x").write_bytes(b"old")
        (open_folder / "x").chmod(0o444)
        with pytest.raises(PermissionError) as caught:
            write_whole(open_folder / "x", [b"new"])
        assert caught.value.filename == str(open_folder / "x")
        assert (open_folder / "x").read_bytes() == b"old"
        assert len(list(open_folder.iterdir())) == 1


def test_a_read_only_folder_takes_no_new_file_but_lets_old_ones_change(open_folder):
    with without_privileges():
        folder = open_folder / "folder"
        folder.mkdir()
        (folder / "old").write_bytes(b"old and longer")
        folder.chmod(0o555)
        try:
            with pytest.raises(PermissionError) as caught:
                write_whole(folder / "new", [b"new"])
            assert caught.value.filename == str(folder / "new")
            write_whole(folder / "old", [b"new"])
            assert [path.name for path in folder.iterdir()] == ["old"]
            assert (folder / "old").read_bytes() == b"new"
        finally:
            folder.chmod(0o777)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError) as caught:
            write_whole(tmp_path / "x", [bytes(500), bytes(5000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    (tmp_path / "x").write_bytes(b"old")

    def parts():
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "x", parts())
    assert (tmp_path / "x").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1

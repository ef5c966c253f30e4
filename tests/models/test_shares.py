from pathlib import PurePosixPath

import pytest

from console.models import schema, shares
from console.models.schema import CannotOpen
from console.models.shares import kind_of_file_system, lies_elsewhere

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:44 / /home rw,nosuid shared:2 - nfs4 files.coop.example:/home rw,vers=4.2
31 22 0:45 / /mnt/front\040office rw - cifs //files/office rw
32 30 8:9 / /home/local rw master:3 - xfs /dev/sdb1 rw
33 22 0:46 / /data rw - ext4 /dev/sdc1 rw
34 22 0:47 / /data rw - fuse.sshfs office@files:/data rw
half a line
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/var/lib/coop/office.db", "ext4"),
        ("/home/pat/office.db", "nfs4"),
        ("/homes/pat/office.db", "ext4"),
        ("/mnt/front office/office.db", "cifs"),
        ("/home/local/office.db", "xfs"),
        ("/data/office.db", "fuse.sshfs"),
    ],
)
def test_the_deepest_mount_tells_on_what_a_file_lies(file, kind):
    assert kind_of_file_system(PurePosixPath(file), MOUNTS) == kind


def test_an_empty_table_tells_nothing():
    assert kind_of_file_system(PurePosixPath("/x"), "") == ""


def test_this_machines_own_folder_is_not_elsewhere(tmp_path):
    assert not lies_elsewhere(tmp_path / "office.db")


@pytest.fixture
def share(tmp_path, monkeypatch):
    """A folder that the table of mounts tells to be another machine's."""
    folder = tmp_path / "front office"
    folder.mkdir()
    table = tmp_path / "mountinfo"
    point = str(folder).replace(" ", r"\040")
    table.write_text(f"31 22 0:45 / {point} rw - cifs //files/office rw\n")
    monkeypatch.setattr(shares, "_MOUNTS", table)
    return folder


@pytest.mark.parametrize("written", ["{}/office.db", "file:{}/office.db?uri=true&mode=rwc"])
def test_a_database_on_a_share_is_neither_made_nor_opened(share, written):
    with pytest.raises(CannotOpen, match=r"another machine's disk.+Keep it on this machine, or"):
        schema.open_records(f"sqlite:///{written.format(share)}")
    assert list(share.iterdir()) == []


def test_a_link_does_not_hide_a_share(share, tmp_path):
    (tmp_path / "office.db").symlink_to(share / "office.db")
    with pytest.raises(CannotOpen, match="another machine's disk"):
        schema.open_records(f"sqlite:///{tmp_path / 'office.db'}")


def test_beside_the_share_a_database_is_made(share, tmp_path):
    schema.open_records(f"sqlite:///{tmp_path / 'office.db'}").close()


def test_links_that_lead_nowhere_are_said(tmp_path):
    (tmp_path / "one.db").symlink_to(tmp_path / "two.db")
    (tmp_path / "two.db").symlink_to(tmp_path / "one.db")
    with pytest.raises(CannotOpen):
        schema.open_records(f"sqlite:///{tmp_path / 'one.db'}")

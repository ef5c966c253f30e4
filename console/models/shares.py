"""Tell whether a file lies on another machine, where SQLite's locks cannot be trusted."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_REMOTE: Final = frozenset(
    {
        "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph", "fuse.ceph-fuse",
        "fuse.curlftpfs", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.gvfsd-fuse",
        "fuse.juicefs", "fuse.kio-fuse", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs",
        "fuse.vmhgfs-fuse", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
        "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf",
    }
)  # fmt: skip
"""Kinds of file system that other machines reach too (sqlite.org/useovernet.html).

A virtual machine's own disk may be 9p or virtiofs, which nobody else writes to: these are let be.
"""
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_DRIVE_REMOTE: Final = 4
"""GetDriveType's word for a drive of another machine."""


def lies_elsewhere(file: Path) -> bool:
    """Tell whether a file, or where it would be, is reached over a network.

    Where the system does not tell, such as on macOS, it is taken for one of this machine.
    """
    if sys.platform == "win32":
        return _is_remote_drive(file)
    place = PurePosixPath(os.path.realpath(file))
    with suppress(OSError):
        os.stat(place.parent)  # a share that is mounted at its first use is in no table before
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return kind_of_file_system(place, mounts) in _REMOTE


def kind_of_file_system(file: PurePosixPath, mounts: str) -> str:
    """Read from a table of mounts, as Linux tells it, on what kind of file system a file lies."""
    kind, deepest = "", -1
    for line in mounts.splitlines():
        told, _, about = line.partition(" - ")
        fields = told.split(" ")
        if len(fields) < 5 or not about:
            continue
        point = PurePosixPath(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4]))
        # What was mounted later at the same place hides what was there.
        if file.is_relative_to(point) and len(point.parts) >= deepest:
            kind, deepest = about.split(" ")[0], len(point.parts)
    return kind


def _is_remote_drive(file: Path) -> bool:
    if file.drive.startswith("\\\\"):
        return True
    import ctypes

    library = getattr(ctypes, "windll", None)
    root = f"{Path(os.path.realpath(file)).drive}\\"
    return library is not None and library.kernel32.GetDriveTypeW(root) == _DRIVE_REMOTE

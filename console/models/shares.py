"""Tell whether a file lies on another machine, where SQLite's locks cannot be trusted."""

from __future__ import annotations

import re
import sys
from pathlib import Path, PurePosixPath
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_REMOTE: Final = frozenset(
    {
        "afs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.davfs2", "fuse.glusterfs",
        "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs", "fuse.vmhgfs-fuse", "glusterfs",
        "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "gfs2", "smb3", "smbfs", "vboxsf",
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
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return kind_of_file_system(PurePosixPath(file.resolve()), mounts) in _REMOTE


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
    root = f"{file.resolve().drive}\\"
    return library is not None and library.kernel32.GetDriveTypeW(root) == _DRIVE_REMOTE

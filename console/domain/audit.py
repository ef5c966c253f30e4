"""The seal of the audit trail: each row carries the hash of all it says and of the row before."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

SEALED: Final = (
    "chain", "seq", "at", "staff", "workstation", "action", "subject", "row_key", "member_id",
    "account_number", "call_id", "detail", "before", "after", "previous",
)  # fmt: skip
"""What the hash of a row covers, in this order; `at` as UTC `YYYY-MM-DDTHH:MM:SS.ffffffZ`."""


def canonical(fields: Sequence[str | int | None]) -> str:
    """Write the fields of a row so that no two different rows are written alike."""
    return ",".join("-" if field is None else _with_size(str(field)) for field in fields)


def seal(fields: Sequence[str | int | None]) -> str:
    """Answer the hash of a row: lower-case hex SHA-256 over its canonical text."""
    return sha256(canonical(fields).encode("utf-8", "surrogatepass")).hexdigest()


def _with_size(text: str) -> str:
    return f"{len(text.encode('utf-8', 'surrogatepass'))}:{text}"

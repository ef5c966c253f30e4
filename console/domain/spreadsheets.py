"""Cells of a CSV file that no spreadsheet takes for a formula."""

from __future__ import annotations

from typing import Final

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> str:
    """Write a value so that a spreadsheet shows it and runs nothing; nothing at all for None."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text

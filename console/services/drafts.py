"""What a colleague has typed and not saved yet, kept on this workstation through lock and crash."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from sqlalchemy import select

from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.texts import holds_card_number
from console.models.members import Member
from console.services.desk import Desk
from console.settings import data_folder

KEPT_FOR: Final = timedelta(days=14)
_WRITING: Final = threading.Lock()
_NEWEST: dict[Path, int] = {}
"""The stroke that each draft was last kept or forgotten at: workers may come out of turn."""


@dataclass(frozen=True)
class Draft:
    """The fields of one form as they were left; never a password, never a card number."""

    name: str
    """The form and what it is about, such as “note 17”."""
    words: str
    """What it is, as staff say it: “a note”."""
    member_id: int | None
    fields: Mapping[str, str]
    written_at: datetime


@dataclass(frozen=True)
class Unfinished:
    """A draft that waits to be gone on with, and whom it is about."""

    name: str
    """What it is kept under."""
    member_id: int
    member_name: str
    words: str
    written_at: datetime


def keep(desk: Desk, draft: Draft, stroke: int) -> None:
    """Keep a draft; one without any words is forgotten.

    `stroke` grows with every change at this workstation, so that an older one never wins. Raises
    ConsoleError when this machine's disk does not take it.
    """
    fields = {name: value for name, value in draft.fields.items() if not holds_card_number(value)}
    if not any(value.strip() for value in fields.values()):
        forget(desk, draft.name, stroke)
        return
    told = {
        "name": draft.name,
        "words": draft.words,
        "member_id": draft.member_id,
        "fields": fields,
        "written_at": draft.written_at.isoformat(),
    }
    file = _file(desk, draft.name)
    with _WRITING:
        if _NEWEST.get(file, -1) >= stroke:
            return
        _NEWEST[file] = stroke
        try:
            _write(file, json.dumps(told, ensure_ascii=False))
        except OSError as error:
            raise ConsoleError(
                "What you are typing cannot be kept on this machine in case it fails. Save it soon."
            ) from error


def recall(desk: Desk, name: str) -> Draft | None:
    """Answer a draft as it was left; None when there is none, or it is too old."""
    return _read(desk, _file(desk, name))


def forget(desk: Desk, name: str, stroke: int) -> None:
    """Forget a draft: it was saved, or given up."""
    file = _file(desk, name)
    with _WRITING:
        _NEWEST[file] = max(stroke, _NEWEST.get(file, -1))
        with suppress(OSError):
            file.unlink(missing_ok=True)


def unfinished(desk: Desk) -> tuple[Unfinished, ...]:
    """List what this colleague left half done at this workstation, newest first."""
    folder = _folder(desk)
    if not folder.is_dir():
        return ()
    found = [draft for file in folder.glob("*.json") if (draft := _read(desk, file)) is not None]
    about = {draft.member_id for draft in found if draft.member_id is not None}
    if not about:
        return ()
    with desk.records.read() as db:
        asked = select(Member.id, Member.given_names, Member.name).where(Member.id.in_(about))
        names = {row.id: display_name(row.given_names, row.name) for row in db.execute(asked)}
    return tuple(
        Unfinished(
            draft.name, draft.member_id, names[draft.member_id], draft.words, draft.written_at
        )
        for draft in sorted(found, key=lambda draft: draft.written_at, reverse=True)
        if draft.member_id is not None and draft.member_id in names
    )


def _folder(desk: Desk) -> Path:
    # Of one colleague at one database: nobody finds another's words, nor training's in the office.
    url = desk.records.engine.url.render_as_string(hide_password=True)
    return data_folder() / "drafts" / _short(f"{desk.colleague.login}\n{url}")


def _file(desk: Desk, name: str) -> Path:
    return _folder(desk) / f"{_short(name)}.json"


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:24]


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = file.with_suffix(".new")
    # For nobody else's eyes from its first byte on.
    with open(
        os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as out:
        out.write(text)
    beside.replace(file)


def _read(desk: Desk, file: Path) -> Draft | None:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        draft = Draft(
            str(told["name"]),
            str(told["words"]),
            told["member_id"],
            {str(name): str(value) for name, value in told["fields"].items()},
            datetime.fromisoformat(told["written_at"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # none, or half of one that a dying machine left
    if desk.now() - draft.written_at > KEPT_FOR:
        with suppress(OSError):
            file.unlink(missing_ok=True)
        return None
    return draft

"""The courier: carries each errand to the portal exactly once, whatever dies and whenever."""

from __future__ import annotations

import json
import random
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import String, func, or_, select, type_coerce, update
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from console.domain.courier import (
    LEASE,
    LONGEST_WAIT,
    ErrandKind,
    ErrandState,
    Way,
    is_hopeless,
    next_pause,
)
from console.domain.texts import clean_text
from console.models.audit import AuditEntry
from console.models.base import change_where, touch
from console.models.courier import Errand
from console.models.problems import DatabaseBusy, DatabaseTrouble, again_if_crossed
from console.models.registration import registration_for
from console.services import audit, carrying
from console.services.audit import Action
from console.services.carrying import Done, End, Job, Later, NotDone
from console.services.desk import Desk

_OPEN = (ErrandState.WAITING, ErrandState.SENDING)
_BY_MAIL = tuple(kind for kind in ErrandKind if kind.way is Way.MAIL)
_MAIL_MISSED_AFTER: Final = timedelta(minutes=1)
"""Time enough for a courier that can send e-mails to take them."""


@dataclass(frozen=True)
class Round:
    """What one round of the courier did."""

    carried: int
    waiting: int
    trouble: str = ""
    """What kept it from some errands, in words without anything personal."""
    mail_away: bool = False
    """Whether the mail server takes nothing just now."""


def make_round(desk: Desk, limit: int = 20, ways: tuple[Way, ...] = tuple(Way)) -> Round:
    """Claim what is due, carry it, and write down what came of it; one bad errand stops no other.

    A desk that may not carry only counts what waits for the courier.
    """
    if not desk.carries:
        return Round(0, _waiting(desk))
    carried = 0
    trouble: list[str] = []
    silent: set[Way] = set()
    for way in ways:
        for errand_id in _due(desk, way, limit):
            try:
                ended, away = _carry(desk, errand_id, only_if_due=True)
            except DatabaseBusy:
                continue  # somebody else holds this row; it is still due in the next round
            except DatabaseTrouble:
                raise
            except Exception as problem:  # whatever it is, the other errands are none the worse
                trouble.append(_failed(problem))
                continue
            carried += ended
            if away:
                silent.add(way)
                if way is Way.MAIL:  # of the portal's silence its news tell
                    trouble.append(away)
                break  # what goes the same way would only wait for the same silence
    if Way.MAIL in ways:
        with desk.records.read() as db:
            trouble.append(mail_trouble(db, desk))
    words = " ".join(dict.fromkeys(word for word in trouble if word))
    return Round(carried, _waiting(desk), words, Way.MAIL in silent)


def _due(desk: Desk, way: Way, limit: int) -> Sequence[str]:
    # What is of no known kind goes with the portal's, so that somebody sets it aside.
    goes = Errand.kind.in_(_BY_MAIL) if way is Way.MAIL else Errand.kind.not_in(_BY_MAIL)
    with desk.records.read() as db:
        now = desk.office_time(db)
        wanted = [_is_due(now), goes]
        if way is Way.MAIL and desk.no_mail:
            # Left for a courier that has a mail server, until it is given up.
            wanted.append(Errand.asked_at <= now - LONGEST_WAIT)
        return db.scalars(
            select(Errand.id).where(*wanted).order_by(Errand.next_try_at, Errand.id).limit(limit)
        ).all()


def mail_trouble(db: Session, desk: Desk) -> str:
    """Say that e-mails wait where none can be sent, and nobody else has taken them."""
    if not desk.no_mail:
        return ""
    missed = desk.office_time(db) - _MAIL_MISSED_AFTER
    left = (
        Errand.kind.in_(_BY_MAIL)
        & (Errand.state == ErrandState.WAITING)
        & (Errand.next_try_at <= missed)
    )
    many = db.scalar(select(func.count()).select_from(Errand).where(left)) or 0
    if not many:
        return ""
    noun = "One e-mail" if many == 1 else f"{many} e-mails"
    verb = "waits" if many == 1 else "wait"
    return f"{noun} to members {verb}. {desk.no_mail}"


def _failed(problem: BaseException, what: str = "an errand") -> str:
    return f"The courier failed at {what} ({traced(problem)}); tell whoever looks after it."


def in_turn(
    ids: Iterable[str],
    carry: Callable[[str], bool],
    what: str,
    held_up: Callable[[], str] = lambda: "",
) -> Round:
    """Bring each of these a step further; one that fails stops no other.

    `what` names one of them. When `held_up` says after one what keeps all of them, the rest wait
    for the next round.
    """
    ended = 0
    trouble: list[str] = []
    for one in ids:
        try:
            ended += carry(one)
        except DatabaseBusy:
            continue  # somebody else holds this row; it is still due in the next round
        except DatabaseTrouble:
            raise
        except Exception as problem:  # whatever it is, the others are none the worse
            trouble.append(_failed(problem, what))
        if words := held_up():
            trouble.append(words)
            break
    return Round(ended, 0, " ".join(dict.fromkeys(trouble)))


def traced(problem: BaseException) -> str:
    """Name what failed and where, and nothing of what was in hand."""
    frames = traceback.extract_tb(problem.__traceback__)
    if not frames:
        return type(problem).__name__
    return f"{type(problem).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"


def _waiting(desk: Desk) -> int:
    with desk.records.read() as db:
        asked = select(func.count()).select_from(Errand).where(Errand.state.in_(_OPEN))
        return db.scalar(asked) or 0


def carry(desk: Desk, errand_id: str) -> bool:
    """Carry one errand now if nobody else has it in hand; answer whether it came to an end.

    A desk that may not carry leaves it to the courier, who hears of it at once.
    """
    return desk.carries and _carry(desk, errand_id, only_if_due=False)[0]


def _carry(desk: Desk, errand_id: str, *, only_if_due: bool) -> tuple[bool, str]:
    """Carry one errand; answer whether it ended, and what is said where its server is silent."""
    try:
        job = again_if_crossed(lambda: _claim(desk, errand_id, only_if_due=only_if_due))
    except (ValueError, LookupError, RecursionError, DataError):
        return again_if_crossed(lambda: _set_aside(desk, errand_id)), ""
    if job is None:
        return _has_ended(desk, errand_id), ""
    if is_hopeless(job.tries - 1, job.asked_at, job.taken_at):
        return again_if_crossed(lambda: _give_up(desk, job)), ""

    def settle_on(registration_id: str) -> bool:
        return again_if_crossed(lambda: _settle_on(desk, job, registration_id))

    try:
        end = carrying.carry(desk, job, settle_on)
        ended = again_if_crossed(lambda: _settle(desk, job, end))
    except DatabaseTrouble:
        raise
    except Exception as problem:
        later = Later(_failed(problem))
        again_if_crossed(lambda: _put_back(desk, job, later))
        raise
    return ended, end.words if isinstance(end, Later) and end.away else ""


def _has_ended(desk: Desk, errand_id: str) -> bool:
    with desk.records.read() as db:
        state = db.scalar(select(type_coerce(Errand.state, String)).where(Errand.id == errand_id))
        return state is not None and state not in _OPEN


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        # What nobody has tried yet is due, whatever a desk's clock made of its first moment.
        (Errand.state == ErrandState.WAITING) & ((Errand.next_try_at <= now) | (Errand.tries == 0)),
        # Its courier died, or is as good as dead: the deadline of whoever it called is long over.
        (Errand.state == ErrandState.SENDING) & (Errand.leased_until <= now),
    )


def _claim(desk: Desk, errand_id: str, *, only_if_due: bool) -> Job | None:
    """Take an errand in hand by changing its state while it is still free.

    Raises ValueError, LookupError, RecursionError or DataError when it holds what nobody can read.
    """
    token = f"{desk.workstation[:40]}/{uuid4().hex}"
    with desk.records.begin() as db:
        now = desk.office_time(db)
        free = _is_due(now) if only_if_due else _is_due(now) | (Errand.state == ErrandState.WAITING)
        took = change_where(
            db,
            update(Errand)
            .where(Errand.id == errand_id, free)
            .values(
                state=ErrandState.SENDING,
                leased_by=token,
                leased_until=now + LEASE,
                tries=Errand.tries + 1,
                version=Errand.version + 1,
            ),
        )
        if not took:
            return None
        errand = db.get_one(Errand, errand_id)
        if not isinstance(json.loads(errand.payload), dict):
            raise ValueError("what an errand carries is a JSON object")
        _name_registration(db, errand)
        _touch(db, errand)
        return Job(
            id=errand.id,
            kind=errand.kind,
            account_number=errand.account_number,
            member_id=errand.member_id,
            asked_by=errand.asked_by,
            asked_at=errand.asked_at,
            tries=errand.tries,
            payload=errand.payload,
            token=token,
            taken_at=now,
        )


def _set_aside(desk: Desk, errand_id: str) -> bool:
    """Refuse an errand that cannot be read, without reading more of it than plain columns."""
    this = Errand.id == errand_id
    with desk.records.begin() as db:
        now = desk.office_time(db)
        row = db.execute(
            select(
                type_coerce(Errand.kind, String).label("kind"),
                Errand.account_number,
                Errand.member_id,
                Errand.asked_by,
            ).where(this)
        ).one()
        known = ErrandKind(row.kind) if row.kind in tuple(ErrandKind) else None
        what = known.words if known else "An errand of an unknown kind"
        words = f"{what} could not be understood, so it was not carried. Ask again for it."
        free = (
            (Errand.state == ErrandState.WAITING)
            | Errand.leased_until.is_(None)
            | (Errand.leased_until <= now)
        )
        # In the two steps which the database allows, and with a moment that can be shown.
        taken = change_where(
            db,
            update(Errand)
            .where(this, Errand.state.in_(_OPEN), free)
            .values(
                state=ErrandState.SENDING,
                leased_by="",
                leased_until=None,
                next_try_at=now,
                version=Errand.version + 1,
            ),
        )
        if not taken:
            return False
        change_where(
            db,
            update(Errand)
            .where(this)
            .values(
                state=ErrandState.REFUSED,
                answer=words,
                finished_at=now,
                version=Errand.version + 1,
            ),
        )
        touch(db, "Errand", f"member:{row.member_id}", f"account:{row.account_number}")
        db.add(
            AuditEntry(
                at=now,
                staff=desk.colleague.login,
                workstation=desk.workstation[:80],
                action=carrying.refusal_of(known) if known else Action.ERRAND_NOT_UNDERSTOOD,
                member_id=row.member_id,
                account_number=row.account_number,
                detail=json.dumps({"errand": errand_id, "asked_by": row.asked_by, "answer": words}),
            )
        )
        return True


def _name_registration(db: Session, errand: Errand) -> None:
    """Write down for which registration this is, so that every try is for the same one."""
    if errand.kind not in (ErrandKind.RESEND, ErrandKind.CORRECT_EMAIL):
        return
    payload = json.loads(errand.payload)
    registration = registration_for(db, errand.account_number)
    if not payload.get("registration_id") and registration is not None and registration.portal_id:
        errand.payload = json.dumps({**payload, "registration_id": registration.portal_id})
        db.flush()


def _settle_on(desk: Desk, job: Job, registration_id: str) -> bool:
    payload = json.dumps({**json.loads(job.payload), "registration_id": registration_id})
    with desk.records.begin() as db:
        return bool(change_where(db, update(Errand).where(_in_hand(job)).values(payload=payload)))


def _in_hand(job: Job) -> ColumnElement[bool]:
    return (
        (Errand.id == job.id)
        & (Errand.state == ErrandState.SENDING)
        & (Errand.leased_by == job.token)
    )


def _settle(desk: Desk, job: Job, end: End) -> bool:
    """Write down what came of it, unless another courier has taken it over meanwhile."""
    match end:
        case Done():
            return _finish(desk, job, ErrandState.DONE, end.words, end.action, end)
        case NotDone():
            return _finish(desk, job, ErrandState.REFUSED, end.words, end.action)
        case Later():
            if is_hopeless(job.tries, job.asked_at, job.taken_at):
                return _give_up(desk, job, end.words)
            _put_back(desk, job, end)
            return False


def _give_up(desk: Desk, job: Job, last_words: str = "") -> bool:
    if job.kind.way is Way.MAIL:
        unknown = "Perhaps nobody there knows of the change: tell the member another way."
    elif job.tries <= 1 and not last_words:
        unknown = "It was never sent. Ask again if it is still wanted."
    else:
        unknown = "Look at what the portal shows before you ask again: it may have been done."
    words = f"{job.kind.words} was given up after waiting too long. {last_words} {unknown}"
    return _finish(
        desk, job, ErrandState.GAVE_UP, " ".join(words.split()), carrying.refusal_of(job.kind)
    )


def _finish(
    desk: Desk,
    job: Job,
    state: ErrandState,
    words: str,
    action: Action,
    done: Done | None = None,
) -> bool:
    with desk.records.begin() as db:
        settled = change_where(
            db,
            update(Errand)
            .where(_in_hand(job))
            .values(
                state=state,
                answer=clean_text(words, 500),
                finished_at=desk.office_time(db),
                leased_by="",
                leased_until=None,
                version=Errand.version + 1,
            ),
        )
        if not settled:
            return False
        if done is not None:
            done.learn(db)
        _touch(db, db.get_one(Errand, job.id))
        audit.record(
            db,
            desk,
            action,
            member_id=job.member_id,
            account_number=job.account_number,
            errand=job.id,
            asked_by=job.asked_by,
            tries=job.tries,
            answer=words,
        )
        return True


def _put_back(desk: Desk, job: Job, end: Later) -> None:
    pause = (
        next_pause(job.tries, random.random())  # noqa: S311  # spreads tries, guards nothing
        if end.wait_seconds is None
        else timedelta(seconds=min(max(end.wait_seconds, 1.0), 3600.0))
    )
    with desk.records.begin() as db:
        put_back = change_where(
            db,
            update(Errand)
            .where(_in_hand(job))
            .values(
                state=ErrandState.WAITING,
                answer=clean_text(end.words, 500),
                next_try_at=desk.office_time(db) + pause,
                leased_by="",
                leased_until=None,
                version=Errand.version + 1,
            ),
        )
        if put_back:
            _touch(db, db.get_one(Errand, job.id))


def _touch(db: Session, errand: Errand) -> None:
    touch(db, *errand.touches())

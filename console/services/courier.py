"""The courier: carries each errand to the portal exactly once, whatever dies and whenever."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from console.domain.courier import LEASE, ErrandKind, ErrandState, is_hopeless, next_pause
from console.domain.texts import clean_text
from console.models.base import change_where, touch
from console.models.courier import Errand
from console.models.problems import again_if_crossed
from console.models.registration import registration_for
from console.services import audit, carrying
from console.services.audit import Action
from console.services.carrying import Done, End, Job, Later, NotDone
from console.services.desk import Desk

_OPEN = (ErrandState.WAITING, ErrandState.SENDING)


@dataclass(frozen=True)
class Round:
    """What one round of the courier did."""

    carried: int
    waiting: int


def make_round(desk: Desk, limit: int = 20) -> Round:
    """Claim what is due, carry it to the portal, and write down what came of it.

    A desk that may not carry only counts what waits for the courier.
    """
    if not desk.carries:
        return Round(0, _waiting(desk))
    with desk.records.read() as db:
        due = db.scalars(
            select(Errand.id).where(_is_due(desk)).order_by(Errand.next_try_at).limit(limit)
        ).all()
    carried = 0
    for errand_id in due:
        ended, away = _carry(desk, errand_id, only_if_due=True)
        carried += ended
        if away:
            break  # the others would only wait for the same silence
    return Round(carried, _waiting(desk))


def _waiting(desk: Desk) -> int:
    with desk.records.read() as db:
        asked = select(func.count()).select_from(Errand).where(Errand.state.in_(_OPEN))
        return db.scalar(asked) or 0


def carry(desk: Desk, errand_id: str) -> bool:
    """Carry one errand now if nobody else has it in hand; answer whether it came to an end.

    A desk that may not carry leaves it to the courier, who hears of it at once.
    """
    return desk.carries and _carry(desk, errand_id, only_if_due=False)[0]


def _carry(desk: Desk, errand_id: str, *, only_if_due: bool) -> tuple[bool, bool]:
    job = again_if_crossed(lambda: _claim(desk, errand_id, only_if_due=only_if_due))
    if job is None:
        with desk.records.read() as db:
            errand = db.get(Errand, errand_id)
            return errand is not None and not errand.state.is_open, False
    if is_hopeless(job.tries - 1, job.asked_at, desk.now()):
        return again_if_crossed(lambda: _give_up(desk, job)), False

    def settle_on(registration_id: str) -> bool:
        return again_if_crossed(lambda: _settle_on(desk, job, registration_id))

    end = carrying.carry(desk, job, settle_on)
    ended = again_if_crossed(lambda: _settle(desk, job, end))
    return ended, isinstance(end, Later) and end.away


def _is_due(desk: Desk) -> ColumnElement[bool]:
    now = desk.now()
    return or_(
        (Errand.state == ErrandState.WAITING) & (Errand.next_try_at <= now),
        # Its courier died, or is as good as dead: the portal's deadline is long over.
        (Errand.state == ErrandState.SENDING) & (Errand.leased_until <= now),
    )


def _claim(desk: Desk, errand_id: str, *, only_if_due: bool) -> Job | None:
    """Take an errand in hand by changing its state while it is still free."""
    now, token = desk.now(), f"{desk.workstation[:40]}/{uuid4().hex}"
    free = _is_due(desk) if only_if_due else _is_due(desk) | (Errand.state == ErrandState.WAITING)
    with desk.records.begin() as db:
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
        )


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
            if is_hopeless(job.tries, job.asked_at, desk.now()):
                return _give_up(desk, job, end.words)
            _put_back(desk, job, end)
            return False


def _give_up(desk: Desk, job: Job, last_words: str = "") -> bool:
    unknown = (
        "It was never sent. Ask again if it is still wanted."
        if job.tries <= 1 and not last_words
        else "Look at what the portal shows before you ask again: it may have been done."
    )
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
                finished_at=desk.now(),
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
                next_try_at=desk.now() + pause,
                leased_by="",
                leased_until=None,
                version=Errand.version + 1,
            ),
        )
        if put_back:
            _touch(db, db.get_one(Errand, job.id))


def _touch(db: Session, errand: Errand) -> None:
    touch(db, *errand.touches())

"""The outbox for e-mails about payments: a row in the transaction they belong to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from console.domain.courier import ErrandKind, ErrandState
from console.models.courier import Errand
from console.services.desk import Desk


@dataclass(frozen=True)
class Concerns:
    """The payment an e-mail is about, and whose it is."""

    payment_id: str
    member_id: int
    account_number: str


def leave(
    db: Session,
    desk: Desk,
    kind: ErrandKind,
    concerns: Concerns,
    to: str,
    now: datetime,
    id: str = "",
) -> None:
    """Leave an e-mail about a payment for the courier; `id` is the click's, if it was asked for."""
    db.add(
        Errand(
            id=id or str(uuid4()),
            kind=kind,
            state=ErrandState.WAITING,
            account_number=concerns.account_number,
            member_id=concerns.member_id,
            payload=json.dumps({"payment": concerns.payment_id, "to": to}),
            asked_by=desk.colleague.login,
            asked_at=now,
            next_try_at=now,
        )
    )

"""Who is on the line of the colleague at this desk, and what may be done for them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from console.models.calls import Call
from console.services.desk import Desk


def own_call(
    db: Session, desk: Desk, call_id: str | None, *, even_over: bool = False
) -> Call | None:
    """Find a call of this colleague that goes on, or one that is over if that will do too."""
    call = db.get(Call, call_id) if call_id else None
    if call is None or call.staff != desk.colleague.login:
        return None
    return call if even_over or call.ended_at is None else None


def is_verified(call: Call | None, member_id: int) -> bool:
    """Tell whether somebody was verified in a call who may speak for a member."""
    return call is not None and call.member_id == member_id and call.verified_at is not None


def why_not(
    db: Session,
    desk: Desk,
    member_id: int,
    call_id: str | None,
    *,
    no_call: str,
    we_rang: str,
    not_verified: str,
) -> str:
    """Say why what wants a verified caller who rang us cannot be done, or nothing when it can.

    The co-op never asks for money, a card or a bank account in a call that it began.
    """
    call = own_call(db, desk, call_id)
    if call is None:
        return no_call
    if not call.member_began:
        return we_rang
    return "" if is_verified(call, member_id) else not_verified

"""The audit trail: every act and every look names who it was."""

from __future__ import annotations

import json
from enum import StrEnum

from sqlalchemy.orm import Session

from console.models.audit import AuditEntry
from console.services.desk import Desk


class Action(StrEnum):
    """What can be done, as subject:verb."""

    STAFF_SIGNED_IN = "staff:signed_in"
    STAFF_REFUSED = "staff:refused"
    STAFF_SIGNED_OUT = "staff:signed_out"
    MEMBER_OPENED = "member:opened"
    NAME_READ_OUT = "name:read_out"
    NAME_CORRECTED = "name:corrected"
    NAME_CORRECTION_UNDONE = "name:correction_undone"
    NAME_PUBLISHED = "name:published"
    REGISTRATION_CHECKED = "registration:checked"
    REGISTRATION_ASSIGNED = "registration:assigned"
    EMAIL_RESEND_ASKED = "verification_email:resend_asked"
    EMAIL_RESENT = "verification_email:resent"
    EMAIL_CORRECTED = "verification_email:address_corrected"
    PASSWORD_RULE_READ_OUT = "password_rule:read_out"  # noqa: S105  # an action, not a password
    CALL_BEGUN = "call:begun"
    CALLER_VERIFIED = "caller:verified"
    CALL_WRAPPED_UP = "call:wrapped_up"
    NOTE_WRITTEN = "note:written"
    NOTE_REMOVED = "note:removed"
    ALERT_RAISED = "alert:raised"
    ALERT_CLEARED = "alert:cleared"


def record(
    db: Session,
    desk: Desk,
    action: Action,
    *,
    member_id: int | None = None,
    account_number: str | None = None,
    call_id: str | None = None,
    **detail: object,
) -> None:
    """Add one line to the trail, in the caller's transaction."""
    db.add(
        AuditEntry(
            at=desk.now(),
            staff=desk.colleague.login,
            workstation=desk.workstation,
            action=action,
            member_id=member_id,
            account_number=account_number,
            call_id=call_id,
            detail=json.dumps(detail, ensure_ascii=False, default=str),
        )
    )

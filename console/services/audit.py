"""The audit trail: every act and every look names who it was."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from console.models.audit import AuditEntry
from console.services.desk import Desk


class Action(StrEnum):
    """What can be done, as subject:verb."""

    STAFF_SIGNED_IN = "staff:signed_in"
    STAFF_REFUSED = "staff:refused"
    STAFF_ENROLLED = "staff:enrolled"
    STAFF_ROLE_CHANGED = "staff:role_changed"
    STAFF_RENAMED = "staff:renamed"
    STAFF_PASSWORD_GIVEN = "staff:password_given"  # noqa: S105  # an action, not a password
    STAFF_PASSWORD_CHANGED = "staff:password_changed"  # noqa: S105  # an action, not a password
    STAFF_DISMISSED = "staff:dismissed"
    STAFF_SIGNED_OUT = "staff:signed_out"
    MEMBER_OPENED = "member:opened"
    CONTACT_SHOWN = "contact:shown"
    CONTACT_CHANGED = "contact:changed"
    CONTACT_CHANGE_UNDONE = "contact:change_undone"
    OLD_CONTACT_TOLD = "contact:old_contact_told"
    OLD_CONTACT_NOT_TOLD = "contact:old_contact_not_told"
    ERRAND_NOT_UNDERSTOOD = "errand:not_understood"
    NAME_READ_OUT = "name:read_out"
    NAME_CORRECTED = "name:corrected"
    NAME_CORRECTION_UNDONE = "name:correction_undone"
    NAME_APPROVAL_GIVEN = "name:approval_given"
    NAME_APPROVAL_REFUSED = "name:approval_refused"
    NAME_PUBLISHED = "name:published"
    NAME_NOT_PUBLISHED = "name:not_published"
    REGISTRATION_CHECKED = "registration:checked"
    REGISTRATION_ASSIGNED = "registration:assigned"
    EMAIL_RESEND_ASKED = "verification_email:resend_asked"
    EMAIL_RESENT = "verification_email:resent"
    EMAIL_NOT_RESENT = "verification_email:not_resent"
    EMAIL_CORRECTION_ASKED = "verification_email:correction_asked"
    EMAIL_NOT_CORRECTED = "verification_email:address_not_corrected"
    EMAIL_CORRECTED = "verification_email:address_corrected"
    PASSWORD_RULE_READ_OUT = "password_rule:read_out"  # noqa: S105  # an action, not a password
    CALL_BEGUN = "call:begun"
    CALL_TURNED = "call:turned"
    CALLER_VERIFIED = "caller:verified"
    CALLER_NOT_VERIFIED = "caller:no_longer_verified"
    CALL_WRAPPED_UP = "call:wrapped_up"
    NOTE_WRITTEN = "note:written"
    NOTE_REMOVED = "note:removed"
    NOTE_RESTORED = "note:restored"
    ALERT_RAISED = "alert:raised"
    ALERT_CLEARED = "alert:cleared"
    ALERT_RESTORED = "alert:restored"
    DRAWER_OPENED = "drawer:opened"
    DRAWER_MOVED = "drawer:moved"
    DRAWER_COUNTED = "drawer:counted"
    DRAWER_CLOSED = "drawer:closed"
    DRAWER_PRINTED = "drawer:printed"
    PAYMENT_ASKED = "payment:asked"
    PAYMENT_CHARGED = "payment:charged"
    PAYMENT_DECLINED = "payment:declined"
    PAYMENT_NOT_KNOWN = "payment:not_known"
    PAYMENT_ABANDONED = "payment:abandoned"
    PAYMENT_CANCELLED = "payment:cancelled"
    PAYMENT_UNDER_REVIEW = "payment:under_review"
    PAYMENT_DECIDED = "payment:decided"
    PAYMENT_RETURNED = "payment:returned"
    PAYMENT_VOIDED = "payment:voided"
    PAYMENT_REFUSED = "payment:refused"
    PAGE_SHUT_ASKED = "payment:page_shut_asked"
    RECEIPT_SENT = "receipt:sent"
    RECEIPT_NOT_SENT = "receipt:not_sent"
    RECEIPT_READ_OUT = "receipt:read_out"
    RECEIPT_PRINTED = "receipt:printed"
    PAY_LINK_SENT = "pay_link:sent"
    PAY_LINK_NOT_SENT = "pay_link:not_sent"
    REFUND_ASKED = "refund:asked"
    REFUND_APPROVED = "refund:approved"
    REFUND_GIVEN = "refund:given"
    REFUND_REFUSED = "refund:refused"
    REFUND_UNDER_REVIEW = "refund:under_review"
    REFUND_CALLED_OFF = "refund:called_off"
    METHOD_ASKED = "method:asked"
    METHOD_STORED = "method:stored"
    METHOD_REMOVED = "method:removed"
    METHOD_DEFAULT_CHANGED = "method:default_changed"
    METHOD_NOT_STORED = "method:not_stored"
    ARRANGEMENT_MADE = "arrangement:made"
    ARRANGEMENT_CALLED_OFF = "arrangement:called_off"
    ARRANGEMENT_KEPT = "arrangement:kept"
    ARRANGEMENT_BROKEN = "arrangement:broken"
    AUTHORIZATION_SENT = "authorization:sent"
    AUTHORIZATION_NOT_SENT = "authorization:not_sent"
    AUTO_PAY_ENROLLED = "auto_pay:enrolled"
    AUTO_PAY_ENDED = "auto_pay:ended"
    AUTO_PAY_RUN = "auto_pay:run"
    AUTO_PAY_SKIPPED = "auto_pay:skipped"
    PREFERENCES_CHANGED = "preferences:changed"
    PREFERENCES_PUBLISHED = "preferences:published"
    PREFERENCES_NOT_PUBLISHED = "preferences:not_published"
    DAY_RECONCILED = "day:reconciled"
    MISMATCH_CLEARED = "mismatch:cleared"
    PAYMENTS_EXPORTED = "payments:exported"
    TRAIL_EXPORTED = "trail:exported"
    TRAIL_VERIFIED = "trail:verified"


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
            workstation=desk.workstation[:80],
            action=action,
            member_id=member_id,
            account_number=account_number,
            call_id=call_id,
            detail=_as_json(detail),
        )
    )


def record_at_the_door(
    db: Session,
    action: Action,
    login: str,
    workstation: str,
    at: datetime,
    /,
    **detail: object,
) -> None:
    """Add one line about somebody who is not signed in, or not yet."""
    db.add(
        AuditEntry(
            at=at,
            staff=login[:60],
            workstation=workstation[:80],
            action=action,
            detail=_as_json(detail),
        )
    )


def _as_json(detail: dict[str, object]) -> str:
    return json.dumps(detail, ensure_ascii=False, default=str)

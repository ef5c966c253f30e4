"""What a row may hold and how it may move, after all that was tried with psql."""

from __future__ import annotations

from typing import Final

from alembic import op

from console.models import row_rules
from console.models.audited import Followed, follow

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_REASONS: Final = (
    "", "registration", "verification_email", "payment", "bill", "usage", "outage", "scam",
    "change_of_details", "other",
)  # fmt: skip
_WORDS: Final = {
    ("staff", "role"): ("representative", "clerk", "supervisor", "auditor", "administrator"),
    ("account", "status"): ("active", "disconnected", "closed"),
    ("alert", "kind"): (
        "medical_necessity", "disconnect_pending", "no_cheques", "deceased", "bankruptcy",
        "legal_contact_only", "dog_on_premises", "fraud_watch",
    ),
    ("holder", "role"): ("second_holder", "authorized", "power_of_attorney"),
    ("holder", "may_act"): ("everything", "pay_and_ask", "nothing"),
    ("errand", "kind"): ("publish_name", "resend", "correct_email", "tell_old_contact"),
    ("errand", "state"): ("waiting", "sending", "done", "refused", "gave_up"),
    ("registration", "state"): ("none", "awaiting_verification", "verified", "locked"),
    ("registration", "kind"): ("refused", "waiting", "bounced", "expired", "locked", "solved"),
    ("delivery", "status"): ("queued", "sent", "delivered", "bounced", "opened"),
    ("registration_attempt", "channel"): ("web", "ios", "android"),
    ("registration_attempt", "outcome"): (
        "registered", "name_mismatch", "account_not_found", "already_registered", "locked",
    ),
    ("call", "reason"): _REASONS,
    ("call", "result"): ("", "solved", "follow_up", "call_back", "not_verified"),
    ("name_correction", "proof"): (
        "caller_verified", "bill", "identity_document", "deed", "court_paper", "old_system",
    ),
    ("contact_change", "asked"): ("caller_verified", "in_person", "in_writing"),
}  # fmt: skip
_WRITTEN: Final = (
    ("note", "text"),
    ("call", "note"),
    ("contact_change", "before"),
    ("contact_change", "after"),
    ("errand", "payload"),
)


def upgrade() -> None:
    """Follow errands on the trail; on PostgreSQL, let rows hold only what every desk can read."""
    connection = op.get_bind()
    follow(connection, Followed("errand", on=("INSERT",), account="account_number"))
    if connection.dialect.name == "postgresql":
        row_rules.check_words(connection, _WORDS)
        row_rules.check_moments(connection)
        row_rules.check_lengths(connection, _WRITTEN)
        row_rules.set_up(connection)

"""The portal's staff calls, each with its answer checked field by field.

The contract is `resources/portal-staff-api.yaml`. What a call may raise, and what it means for
whoever must know whether something happened:

* `Refused` and its kinds: the portal heard us and did nothing.
* `Unreachable`, `Unexpected`: unknown. Ask again with the same key; it will not happen twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NoReturn, TypeVar
from urllib.parse import quote

from console.clients.answers import Fields, Misfit
from console.clients.http import DEADLINE_SECONDS, Answer, Exchange, Server, Unexpected, Unreachable
from console.domain.errors import ConsoleError
from console.domain.registration import Channel, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus

__all__ = [
    "AlreadyVerified", "Attempt", "AttemptPage", "DeliveryReport", "EmailSent", "Health",
    "Message", "MessagePage", "NoticeChannel", "Portal", "PortalRegistration", "Preferences",
    "PrimaryHolder", "Refused", "RegistrationCheck", "RegistrationExpired", "RegistrationLocked",
    "ReplySent", "ReportKind", "ReportStatus", "ServiceReport", "ServiceReportPage", "Threshold",
    "ThresholdPeriod", "ThresholdUnit", "Throttled",
    "TokenRefused", "Unexpected", "UnknownAtPortal", "Unreachable", "VersionConflict",
]  # fmt: skip

T = TypeVar("T")


class Refused(ConsoleError):
    """The portal heard the request and did not do it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class AlreadyVerified(Refused):
    """The registration is verified, so there is nothing left to send or to correct."""


class RegistrationExpired(Refused):
    """The registration lapsed; the member must register again."""


class RegistrationLocked(Refused):
    """The registration is locked after wrong passwords."""


class UnknownAtPortal(Refused):
    """The portal knows no such account, registration, message or report."""


class Throttled(Refused):
    """The portal wants us to wait before the next one."""

    def __init__(self, code: str, message: str, retry_after: float) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after
        """Seconds."""


class VersionConflict(Refused):
    """The portal holds a newer version than the one we meant to replace."""

    def __init__(
        self, code: str, message: str, current_name: str | None, current_version: int
    ) -> None:
        super().__init__(code, message)
        self.current_name = current_name
        """None where the conflict is not about a name."""
        self.current_version = current_version


class TokenRefused(Unexpected):
    """The portal does not accept this workstation's token; nothing was done."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the portal answers, and its clock."""

    name: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to register, as the portal reports it."""

    id: str
    at: datetime
    account_number: str
    """As typed."""
    name: str
    """As typed."""
    email: str
    channel: Channel
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class AttemptPage:
    """Some attempts, oldest first. A page may repeat an attempt: take it once."""

    attempts: tuple[Attempt, ...]
    next: str
    """Where to go on, now or at the next poll."""
    more: bool


@dataclass(frozen=True, slots=True)
class RegistrationCheck:
    """Whether a registration would pass now."""

    passes: bool
    reason: Outcome | None
    """What it would end as; None when it passes."""


@dataclass(frozen=True, slots=True)
class PrimaryHolder:
    """The name the portal holds for an account."""

    account_number: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of one e-mail at one moment."""

    at: datetime
    email: str
    status: DeliveryStatus
    reason: str
    """The other mail server's reply; empty when it had nothing to say."""


@dataclass(frozen=True, slots=True)
class PortalRegistration:
    """Where an account stands with the portal."""

    account_number: str
    id: str | None
    """None while there is no registration."""
    state: RegistrationState
    email: str
    sent_at: datetime | None
    expires_at: datetime | None
    """When the link in the last e-mail runs out."""
    last_sign_in: datetime | None
    deliveries: tuple[DeliveryReport, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class EmailSent:
    """The verify-account e-mail went out."""

    registration_id: str
    email: str
    sent_at: datetime
    expires_at: datetime


class NoticeChannel(StrEnum):
    """How a member wants to hear of an event."""

    NONE = "none"
    EMAIL = "email"
    TEXT = "text"
    BOTH = "both"


class ThresholdUnit(StrEnum):
    """What a limit of use is counted in."""

    KWH = "kwh"
    USD = "usd"


class ThresholdPeriod(StrEnum):
    """Over what time a limit of use is counted."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit of use that tells the member when it is passed."""

    unit: ThresholdUnit
    period: ThresholdPeriod
    limit: int
    """Whole kWh, or whole dollars."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a member chose at the portal."""

    account_number: str
    version: int
    paperless: bool
    auto_pay: bool
    notices: Mapping[str, NoticeChannel]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What a member wrote by “contact us”."""

    id: str
    at: datetime
    account_number: str
    email: str
    subject: str
    text: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages, oldest first."""

    messages: tuple[Message, ...]
    next: str
    more: bool


@dataclass(frozen=True, slots=True)
class ReplySent:
    """A reply on its way to the member."""

    message_id: str
    answered_at: datetime


class ReportKind(StrEnum):
    """What a member reported."""

    OUTAGE = "outage"
    DAMAGE = "damage"
    FLICKER = "flicker"
    STREET_LIGHT = "street_light"
    METER = "meter"
    TREE = "tree"
    OTHER = "other"


class ReportStatus(StrEnum):
    """How far a reported issue has come."""

    RECEIVED = "received"
    CONFIRMED = "confirmed"
    CREW_ASSIGNED = "crew_assigned"
    RESTORED = "restored"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """An outage or issue that a member reported at the portal."""

    id: str
    at: datetime
    account_number: str
    kind: ReportKind
    text: str
    status: ReportStatus
    restoration: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceReportPage:
    """Some reports, oldest first."""

    reports: tuple[ServiceReport, ...]
    next: str
    more: bool


_ENDS_REGISTRATION: Final[Mapping[str, type[Refused]]] = {
    "already_verified": AlreadyVerified,
    "registration_expired": RegistrationExpired,
    "registration_locked": RegistrationLocked,
    "not_found": UnknownAtPortal,
}
_WORDS: Final[Mapping[str, str]] = {
    "already_verified": "The account is verified already. The member can sign in.",
    "registration_expired": "This registration lapsed. Ask the member to register again.",
    "registration_locked": "The account is locked after wrong passwords, so no e-mail was sent.",
    "not_found": "The portal does not know this account or registration.",
    "version_conflict": "The portal holds a newer version. Look at both before changing it.",
    "bad_request": "The portal does not accept what was sent. Check the entry and try again.",
    "key_reused": "The portal has seen this request with other contents. Begin again.",
}


class Portal:
    """The portal, as the staff of one workstation may call it."""

    def __init__(
        self,
        url: str,
        token: str,
        workstation: str,
        *,
        deadline: float = DEADLINE_SECONDS,
        observe: Callable[[], None] | None = None,
    ) -> None:
        self._server = Server(
            "portal",
            url,
            token,
            headers={"X-Workstation": quote(workstation, safe=" ")},
            deadline=deadline,
            observe=observe,
        )

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The last exchanges, the newest last, for the diagnostics view."""
        return self._server.exchanges

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()

    def health(self) -> Health:
        """Ask whether the portal answers."""
        answer = self._server.call("GET", "/v1/health")
        return self._read(answer, lambda f: Health(f.text("name", 100), f.instant("now")))

    def attempts(self, after: str = "", limit: int = 100, *, staff: str) -> AttemptPage:
        """Fetch the attempts after a cursor, oldest first; from the first one without a cursor."""
        answer = self._get("/v1/registration-attempts", {}, staff, _page_query(after, limit))
        return self._read(answer, _attempt_page)

    def check_registration(
        self, account_number: str, name: str, *, staff: str
    ) -> RegistrationCheck:
        """Ask whether a registration with these would pass now; it changes nothing."""
        answer = self._server.call(
            "POST",
            "/v1/registration-checks",
            body={"account_number": account_number, "name": name},
            headers=_staff(staff),
            repeatable=True,
        )
        return self._read(answer, _check)

    def publish_name(
        self, account_number: str, name: str, version: int, *, staff: str
    ) -> PrimaryHolder:
        """Bring a corrected name to the portal, replacing the version named.

        Raises VersionConflict when the portal holds a newer one with another name.
        """
        answer = self._server.call(
            "PUT",
            "/v1/accounts/{account}/primary-holder",
            {"account": account_number},
            body={"name": name, "version": version},
            headers=_staff(staff),
            repeatable=True,
        )
        return self._read(answer, _holder)

    def registration(self, account_number: str, *, staff: str) -> PortalRegistration:
        """Ask where an account stands and what became of its e-mails."""
        answer = self._get(
            "/v1/accounts/{account}/registration", {"account": account_number}, staff
        )
        return self._read(answer, _registration)

    def send_again(self, registration_id: str, *, idempotency_key: str, staff: str) -> EmailSent:
        """Send the verify-account e-mail again; one key sends one e-mail, however often it is used.

        Raises AlreadyVerified, RegistrationLocked, RegistrationExpired or Throttled.
        """
        answer = self._server.call(
            "POST",
            "/v1/registrations/{id}/verification-emails",
            {"id": registration_id},
            headers={**_staff(staff), "Idempotency-Key": idempotency_key},
            repeatable=True,
        )
        return self._read(answer, _email_sent)

    def correct_email(self, registration_id: str, email: str, *, staff: str) -> PortalRegistration:
        """Correct the address before verification; links sent to the old one die.

        Raises AlreadyVerified, RegistrationLocked or RegistrationExpired.
        """
        answer = self._server.call(
            "PATCH",
            "/v1/registrations/{id}",
            {"id": registration_id},
            body={"email": email},
            headers=_staff(staff),
            repeatable=True,  # the same address twice is the same address
        )
        return self._read(answer, _registration)

    def preferences(self, account_number: str, *, staff: str) -> Preferences:
        """Ask what the member chose at the portal."""
        answer = self._get("/v1/accounts/{account}/preferences", {"account": account_number}, staff)
        return self._read(answer, _preferences)

    def change_preferences(self, wanted: Preferences, *, staff: str) -> Preferences:
        """Replace the preferences of the version named; raises VersionConflict.

        Auto Pay is only seen by the portal, so it is not sent.
        """
        answer = self._server.call(
            "PUT",
            "/v1/accounts/{account}/preferences",
            {"account": wanted.account_number},
            body={
                "version": wanted.version,
                "paperless": wanted.paperless,
                "notices": {event: how.value for event, how in wanted.notices.items()},
                "thresholds": [
                    {"unit": t.unit.value, "period": t.period.value, "limit": t.limit}
                    for t in wanted.thresholds
                ],
            },
            headers=_staff(staff),
            repeatable=True,
        )
        return self._read(answer, _preferences)

    def messages(self, after: str = "", limit: int = 100, *, staff: str) -> MessagePage:
        """Fetch what members wrote, oldest first."""
        answer = self._get("/v1/messages", {}, staff, _page_query(after, limit))
        return self._read(answer, _message_page)

    def reply(self, message_id: str, text: str, *, idempotency_key: str, staff: str) -> ReplySent:
        """Answer a member's message."""
        answer = self._server.call(
            "POST",
            "/v1/messages/{id}/reply",
            {"id": message_id},
            body={"text": text},
            headers={**_staff(staff), "Idempotency-Key": idempotency_key},
            repeatable=True,
        )
        return self._read(
            answer, lambda f: ReplySent(f.key("message_id"), f.instant("answered_at"))
        )

    def service_reports(
        self, after: str = "", limit: int = 100, *, staff: str
    ) -> ServiceReportPage:
        """Fetch the outages and issues that members reported, oldest first."""
        answer = self._get("/v1/service-reports", {}, staff, _page_query(after, limit))
        return self._read(answer, _report_page)

    def update_service_report(
        self,
        report_id: str,
        status: ReportStatus,
        restoration: datetime | None = None,
        *,
        staff: str,
    ) -> ServiceReport:
        """Tell the member how far the work has come and when power is expected back."""
        answer = self._server.call(
            "PUT",
            "/v1/service-reports/{id}",
            {"id": report_id},
            body={
                "status": status.value,
                "restoration": _moment(restoration) if restoration else None,
            },
            headers=_staff(staff),
            repeatable=True,
        )
        return self._read(answer, _report)

    def _get(
        self,
        path: str,
        parts: Mapping[str, str],
        staff: str,
        query: Mapping[str, str | int] | None = None,
    ) -> Answer:
        return self._server.call(
            "GET", path, parts, query=query, headers=_staff(staff), repeatable=True
        )

    def _read(self, answer: Answer, form: Callable[[Fields], T]) -> T:
        try:
            fields = Fields(answer.body)
            if answer.status == 200 or answer.status == 201:
                return form(fields)
            self._refuse(answer, fields)
        except Misfit as misfit:
            self._server.misfit(answer.request_id)
            raise Unexpected(
                "The portal did not answer as expected. A part of its data is missing or not as "
                "agreed. Try again shortly; if it goes on, tell your supervisor."
            ) from misfit

    def _refuse(self, answer: Answer, fields: Fields) -> NoReturn:
        code, _ = fields.key("code"), fields.text("message", 500)
        words = _WORDS.get(code, "The portal refused this. Tell your supervisor: " + code + ".")
        match answer.status:
            case 401 | 403:
                raise TokenRefused(
                    "The portal does not accept this workstation. Tell your supervisor that its "
                    "portal token must be renewed."
                )
            case 429:
                wait = 60.0 if answer.retry_after is None else answer.retry_after
                raise Throttled(code, f"The portal asks to wait {_wait(wait)}.", wait)
            case 409 if code == "version_conflict":
                name = (
                    None if "current_name" not in answer.body else fields.text("current_name", 200)
                )
                raise VersionConflict(code, words, name, fields.whole("current_version"))
            case status if 400 <= status < 500:
                raise _ENDS_REGISTRATION.get(code, Refused)(code, words)
        raise Unexpected(
            "The portal did not answer as expected. It met a fault of its own. Try again shortly; "
            "if it goes on, tell your supervisor."
        )


def _wait(seconds: float) -> str:
    if seconds < 90:
        return "one second" if round(seconds) == 1 else f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _staff(name: str) -> dict[str, str]:
    # Header lines carry ASCII only, and names carry more.
    return {"X-Staff-Member": quote(name, safe=" ")}


def _page_query(after: str, limit: int) -> dict[str, str | int]:
    return {"limit": limit, **({"after": after} if after else {})}


def _attempt(f: Fields) -> Attempt:
    return Attempt(
        id=f.key("id"),
        at=f.instant("at"),
        account_number=f.typed("account_number", 60),
        name=f.typed("name", 200),
        email=f.typed("email", 254),
        channel=f.choice("channel", Channel),
        outcome=f.choice("outcome", Outcome),
    )


def _attempt_page(f: Fields) -> AttemptPage:
    return AttemptPage(f.each("attempts", _attempt), f.cursor("next"), f.flag("more"))


def _check(f: Fields) -> RegistrationCheck:
    check = RegistrationCheck(f.flag("passes"), f.choice_or_none("reason", Outcome))
    if check.passes != (check.reason is None):
        raise Misfit("passes and reason contradict each other")
    return check


def _holder(f: Fields) -> PrimaryHolder:
    return PrimaryHolder(f.key("account_number"), f.text("name", 200), f.whole("version"))


def _delivery(f: Fields) -> DeliveryReport:
    return DeliveryReport(
        at=f.instant("at"),
        email=f.typed("email", 254),
        status=f.choice("status", DeliveryStatus),
        reason=f.typed("reason", 300),
    )


def _registration(f: Fields) -> PortalRegistration:
    return PortalRegistration(
        account_number=f.key("account_number"),
        id=f.key_or_none("id"),
        state=f.choice("state", RegistrationState),
        email=f.typed("email", 254),
        sent_at=f.instant_or_none("sent_at"),
        expires_at=f.instant_or_none("expires_at"),
        last_sign_in=f.instant_or_none("last_sign_in"),
        deliveries=f.each("deliveries", _delivery),
    )


def _email_sent(f: Fields) -> EmailSent:
    return EmailSent(
        registration_id=f.key("registration_id"),
        email=f.typed("email", 254),
        sent_at=f.instant("sent_at"),
        expires_at=f.instant("expires_at"),
    )


def _threshold(f: Fields) -> Threshold:
    return Threshold(
        f.choice("unit", ThresholdUnit), f.choice("period", ThresholdPeriod), f.whole("limit", 1)
    )


def _preferences(f: Fields) -> Preferences:
    return Preferences(
        account_number=f.key("account_number"),
        version=f.whole("version"),
        paperless=f.flag("paperless"),
        auto_pay=f.flag("auto_pay"),
        notices=f.mapping("notices", NoticeChannel),
        thresholds=f.each("thresholds", _threshold),
    )


def _message(f: Fields) -> Message:
    return Message(
        id=f.key("id"),
        at=f.instant("at"),
        account_number=f.key("account_number"),
        email=f.typed("email", 254),
        subject=f.typed("subject", 120),
        text=f.typed("text", 4000),
        answered_at=f.instant_or_none("answered_at"),
    )


def _message_page(f: Fields) -> MessagePage:
    return MessagePage(f.each("messages", _message), f.cursor("next"), f.flag("more"))


def _report(f: Fields) -> ServiceReport:
    return ServiceReport(
        id=f.key("id"),
        at=f.instant("at"),
        account_number=f.key("account_number"),
        kind=f.choice("kind", ReportKind),
        text=f.typed("text", 2000),
        status=f.choice("status", ReportStatus),
        restoration=f.instant_or_none("restoration"),
    )


def _report_page(f: Fields) -> ServiceReportPage:
    return ServiceReportPage(f.each("reports", _report), f.cursor("next"), f.flag("more"))

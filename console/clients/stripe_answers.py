"""Reads Stripe's objects; one that is not about our reference and our amount is a misfit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from console.clients.answers import Fields, Misfit
from console.clients.gateway import (
    ChargeLine,
    ChargeStatus,
    Customer,
    Declined,
    MethodKind,
    Page,
    PageState,
    Refunded,
    RefundRefused,
    StoredMethod,
    Taken,
)
from console.clients.gateway_declines import CANCELED, decline_sentence
from console.domain.money import Money

PAYMENT: Final = "payment"
REFUND: Final = "refund"
MEMBER: Final = "member"
WAY: Final = "way"
STORED: Final = "stored"
BY_PAGE: Final = "page"
CURRENCY: Final = "usd"

Body = Mapping[str, Any]
_ID: Final = re.compile(r"[A-Za-z0-9_]{1,255}")
_CODE: Final = re.compile(r"[a-z0-9_]{1,60}")
_RETURN_CODE: Final = re.compile(r"R[0-9]{2}")
_LATEST: Final = 2**33
"""The year 2242: no moment of a payment lies behind it."""


class Status(StrEnum):
    """A payment intent's status."""

    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    CANCELED = "canceled"
    # These three are known and say nothing about the end, so they do not count.
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    REQUIRES_CAPTURE = "requires_capture"


class RefundStatus(StrEnum):
    """A refund's status."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    FAILED = "failed"
    CANCELED = "canceled"


def outcome(
    body: object, reference: str, amount: Money, *, page_ended: bool = False
) -> Taken | Declined:
    """Read what became of a payment of ours."""
    intent = _object(body, "payment_intent")
    fields = Fields(intent)
    _agree(intent, amount)
    if reference_of(intent, PAYMENT) != reference:
        raise Misfit("metadata: another reference than ours")
    status = fields.choice("status", Status)
    charge = _charge_of(intent, amount)
    if status in (Status.SUCCEEDED, Status.PROCESSING):
        return _taken(intent, reference, amount, charge, settled=status is Status.SUCCEEDED)
    if intent.get("amount_received"):
        raise Misfit("amount_received: money for a payment that was not taken")
    if status is Status.CANCELED:
        return Declined(id_of(intent), reference, CANCELED, decline_sentence(CANCELED))
    # On a page that is still open the next card may be taken: a decline there is no end.
    if status is not Status.REQUIRES_PAYMENT_METHOD or (is_by_page(intent) and not page_ended):
        raise Misfit("status: not an end")
    return _declined(intent, reference, charge)


def reference_of(body: Body, name: str) -> str:
    """Read our reference; empty where the object is not ours."""
    metadata = body.get("metadata")
    found = metadata.get(name, "") if isinstance(metadata, dict) else ""
    return found if isinstance(found, str) and len(found) <= 100 else ""


def id_of(body: object, field: str = "id") -> str:
    """Read one of Stripe's ids, which are longer than our own may be."""
    found = Fields(body).text(field, 255)
    if not _ID.fullmatch(found):
        raise Misfit(f"{field}: not an id")
    return found


def is_by_page(intent: Body) -> bool:
    """Whether a payment came about on a payment page."""
    return reference_of(intent, WAY) == BY_PAGE


def page(body: object, reference: str, amount: Money | None) -> Page:
    """Read a payment page of ours, with what became of its payment or of its saving."""
    session = _object(body, "checkout.session")
    fields = Fields(session)
    if not fields.text("client_reference_id", 100) == reference == reference_of(session, PAYMENT):
        raise Misfit("client_reference_id: another reference than ours")
    if fields.text("mode", 20) != ("setup" if amount is None else "payment"):
        raise Misfit("mode: another one than asked for")
    if amount is not None:
        _agree(session, amount, "amount_total")
    state = fields.choice("status", PageState)
    url = fields.text("url", 2000) if session.get("url") and state is PageState.OPEN else ""
    if url and not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise Misfit("url: not a secure address")
    if state is PageState.OPEN and not url:
        raise Misfit("url: missing")
    result, saved = None, None
    if state is PageState.COMPLETE and amount is not None:
        result = outcome(session.get("payment_intent"), reference, amount, page_ended=True)
        _agree_on_payment(fields.text("payment_status", 30), result)
    elif state is PageState.COMPLETE:
        setup = _object(session.get("setup_intent"), "setup_intent")
        if Fields(setup).text("status", 30) not in ("succeeded", "processing"):
            raise Misfit("setup_intent: not saved")
        saved = method(setup.get("payment_method"))
    expires = moment(session, "expires_at")
    return Page(id_of(session), reference, url, state, expires, result, saved)


def method(body: object) -> StoredMethod:
    """Read a stored method."""
    found = _object(body, "payment_method")
    stored = _method(found, id_of(found))
    if stored is None:
        raise Misfit("type: not one that is kept here")
    return stored


def customer(body: object) -> Customer:
    """Read a customer."""
    found = _object(body, "customer")
    return Customer(id_of(found), reference_of(found, MEMBER))


def refund(body: object, amount: Money | None = None, reference: str = "") -> Refunded | str:
    """Read a refund; a text says why nothing was given back."""
    found = _object(body, "refund")
    fields = Fields(found)
    if amount is not None:
        _agree(found, amount)
    if reference and reference_of(found, REFUND) != reference:
        raise Misfit("metadata: another reference than ours")
    status = fields.choice("status", RefundStatus)
    if status in (RefundStatus.FAILED, RefundStatus.CANCELED):
        return status.value
    return Refunded(
        id_of(found),
        reference_of(found, REFUND),
        Money(fields.whole("amount", 1)),
        status is RefundStatus.SUCCEEDED,
        moment(found, "created"),
    )


def refund_refused(code: str) -> RefundRefused:
    """Say why nothing was given back."""
    words = {
        "charge_already_refunded": "all of this payment was given back already",
        "charge_disputed": "the member's bank has taken the payment back",
        "amount": "it is more than is left of the payment",
    }
    return RefundRefused(
        code, f"Nothing was given back: {words.get(code, 'the bank did not take it')}."
    )


def charge_line(body: object) -> ChargeLine:
    """Read one line of the gateway's list."""
    charge = _object(body, "charge")
    fields = Fields(charge)
    if fields.text("currency", 10).lower() != CURRENCY:
        raise Misfit("currency: not ours")
    return ChargeLine(
        id_of(charge),
        id_of(charge, "payment_intent") if charge.get("payment_intent") else "",
        reference_of(charge, PAYMENT),
        Money(fields.whole("amount")),
        Money(fields.whole("amount_refunded")),
        fields.choice("status", ChargeStatus),
        charge.get("disputed") is True,
        moment(charge, "created"),
        _decline_code(charge, charge) if charge.get("status") == ChargeStatus.FAILED else "",
        _used_method(charge),
    )


def moment(body: Body, field: str) -> datetime:
    """Read a moment, which Stripe counts in seconds."""
    return datetime.fromtimestamp(Fields(body).whole(field, most=_LATEST), UTC)


def _object(body: object, kind: str) -> Body:
    if not isinstance(body, dict) or body.get("object") != kind:
        raise Misfit(f"not a {kind}")
    return body


def _agree(body: Body, amount: Money, field: str = "amount") -> None:
    fields = Fields(body)
    if fields.whole(field) != amount.cents:
        raise Misfit(f"{field}: another one than ours")
    if fields.text("currency", 10).lower() != CURRENCY:
        raise Misfit("currency: another one than ours")


def _agree_on_payment(told: str, result: Taken | Declined) -> None:
    paid = isinstance(result, Taken) and result.settled
    if told != ("paid" if paid else "unpaid"):
        raise Misfit("payment_status: the page and its payment disagree")


def _charge_of(intent: Body, amount: Money) -> Body | None:
    charge = intent.get("latest_charge")
    if charge is None or isinstance(charge, str):
        return None
    _agree(_object(charge, "charge"), amount)
    if charge.get("payment_intent") != intent.get("id"):
        raise Misfit("latest_charge: of another payment")
    return dict(charge)


def _taken(
    intent: Body, reference: str, amount: Money, charge: Body | None, *, settled: bool
) -> Taken:
    # Two objects must say the same before money counts as taken: the payment and its charge.
    wanted = ChargeStatus.SUCCEEDED if settled else ChargeStatus.PENDING
    if charge is None or Fields(charge).choice("status", ChargeStatus) is not wanted:
        raise Misfit("latest_charge: the payment and its charge disagree")
    if settled and "amount_received" in intent:
        _agree(intent, amount, "amount_received")
    return Taken(
        id_of(intent),
        id_of(charge),
        reference,
        amount,
        settled,
        moment(intent, "created"),
        _used_method(charge),
    )


def _declined(intent: Body, reference: str, charge: Body | None) -> Declined:
    error = intent.get("last_payment_error")
    if not isinstance(error, dict):
        raise Misfit("last_payment_error: nothing was tried")
    if charge is not None and charge.get("status") != ChargeStatus.FAILED:
        raise Misfit("latest_charge: the payment and its charge disagree")
    tried = error.get("payment_method")
    by_bank = isinstance(tried, dict) and tried.get("type") == MethodKind.BANK
    code = _decline_code(error, charge or {})
    return_code = str(error.get("network_decline_code", ""))
    return Declined(
        id_of(intent),
        reference,
        code,
        decline_sentence(code, by_bank=by_bank),
        by_bank,
        return_code if _RETURN_CODE.fullmatch(return_code) else "",
    )


def _decline_code(error: Body, charge: Body) -> str:
    said = charge.get("outcome")
    reason = said.get("reason") if isinstance(said, dict) else None
    for code in (error.get("decline_code"), reason, charge.get("failure_code"), error.get("code")):
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return ""


def _used_method(charge: Body) -> StoredMethod | None:
    details = charge.get("payment_method_details")
    used = charge.get("payment_method")
    if not isinstance(details, dict) or not isinstance(used, str):
        return None
    return _method(details, used)


def _method(body: Body, method_id: str) -> StoredMethod | None:
    kind = body.get("type")
    if kind not in tuple(MethodKind):
        return None
    details = body.get(kind)
    fields = Fields(details)
    last_four = fields.text("last4", 4)
    if kind == MethodKind.CARD:
        expires = fields.whole("exp_year", 2000, 9999), fields.whole("exp_month", 1, 12)
        return StoredMethod(
            method_id, MethodKind.CARD, fields.text("brand", 40), last_four, expires
        )
    bank = fields.text("bank_name", 100) if dict(details or {}).get("bank_name") else ""
    return StoredMethod(method_id, MethodKind.BANK, bank, last_four)

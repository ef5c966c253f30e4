"""The training gateway's payment pages as Stripe's checkout sessions: opened, and shut unused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from console.sandbox.gateway_forms import Fault, Params, Said, invalid
from console.sandbox.gateway_ledger import LEAST_CHARGE, Ledger
from console.sandbox.gateway_lists import METHOD_KINDS, told
from console.sandbox.gateway_store import Thing, keep, new_id

_SESSION_LIFE: Final = timedelta(hours=24)
_SHORTEST_SESSION: Final = timedelta(minutes=30)


class Sessions:
    """The calls under /v1/checkout/sessions that change something."""

    def __init__(self, base: Callable[[], str]) -> None:
        self._base = base
        """Where the payment pages are."""

    def add(self, books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
        """Open a payment page, for an amount or to save a method."""
        mode = params.choice("mode", ("payment", "setup")) or "payment"
        customer = books.customer(params.text("customer"))
        session_id = new_id("cs_test", 58)
        kinds = params.texts("payment_method_types") or ["card"]
        expires = _expiry(books, params.whole("expires_at", most=2**40))
        amount, lines = None, list[tuple[str, int]]()
        data: dict[str, Any] = {}
        if mode == "payment":
            amount, lines = _line_items(params)
            data = _intent_data(params.inner("payment_intent_data"))
        else:
            setup = params.inner("setup_intent_data")
            data = {"metadata": setup.metadata() if setup else {}}
            params.currency()
            if customer is None:
                raise invalid("`customer` is required in setup mode.", "customer")
        if any(kind not in METHOD_KINDS for kind in kinds):
            raise invalid("Invalid payment_method_types.", "payment_method_types")
        body: dict[str, Any] = {
            "id": session_id, "object": "checkout.session", "amount_subtotal": amount,
            "amount_total": amount, "cancel_url": params.text("cancel_url", 2000),
            "client_reference_id": params.text("client_reference_id", 200),
            "created": books.stamp, "currency": "usd",
            "customer": customer and customer.id,
            "customer_details": None, "customer_email": params.text("customer_email", 254),
            "expires_at": int(expires.timestamp()), "livemode": False,
            "metadata": params.metadata(), "mode": mode, "payment_intent": None,
            "payment_method_types": kinds,
            "payment_status": "unpaid" if mode == "payment" else "no_payment_required",
            "setup_intent": None, "status": "open",
            "success_url": params.need("success_url", 2000),
            "url": f"{self._base()}/pay/{session_id}", "ui_mode": "hosted",
        }  # fmt: skip
        params.anything("submit_type", "locale", "billing_address_collection", "ui_mode")
        session = Thing("checkout.session", body, customer.id if customer else None, due=expires)
        session.body["lines"] = lines
        if mode == "setup":
            session.body["setup_intent"] = keep(books.db, _setup_intent(books, session, data)).id
        else:
            # Stripe makes the payment when the page is used; what it will carry waits here.
            session.body["payment_intent_data"] = data
        return Said(200, told(keep(books.db, session)))


def expire_session(books: Ledger, ids: tuple[str, ...], _params: Params) -> Said:
    """Shut a payment page that was not used."""
    session = books.find("checkout.session", ids[0])
    if session.body["status"] != "open":
        raise Fault(
            400,
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout"
            f" Session has a status of `{session.body['status']}`.",
        )  # fmt: skip
    session.body["status"], session.due = "expired", None
    return Said(200, told(keep(books.db, session)))


def _expiry(books: Ledger, asked: int | None) -> datetime:
    if asked is None:
        return books.now + _SESSION_LIFE
    expires = datetime.fromtimestamp(asked, UTC)
    # A minute of grace: the asking takes time too.
    slack = timedelta(minutes=1)
    if not _SHORTEST_SESSION - slack <= expires - books.now <= _SESSION_LIFE + slack:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            "expires_at",
        )
    return expires


def _line_items(params: Params) -> tuple[int, list[tuple[str, int]]]:
    total, lines = 0, []
    for item in params.each("line_items"):
        price = item.inner("price_data")
        if price is None:
            raise invalid("Missing required param: line_items[0][price_data].", "line_items")
        price.currency()
        product = price.inner("product_data")
        name = product.need("name", 250) if product else "Payment"
        if product is not None:
            product.anything("description")
        cents = price.whole("unit_amount", 1) or 0
        quantity = item.whole("quantity", 1, 1000) or 1
        lines.append((name, cents * quantity))
        total += cents * quantity
    if total < LEAST_CHARGE:
        raise invalid(
            "The Checkout Session's total amount due must add up to at least $0.50 usd",
            "line_items",
            "amount_too_small",
        )
    return total, lines


def _intent_data(data: Params | None) -> dict[str, Any]:
    if data is None:
        return {"metadata": {}}
    return {
        "metadata": data.metadata(),
        "description": data.text("description"),
        "receipt_email": data.text("receipt_email"),
        "setup_future_usage": data.choice("setup_future_usage", ("on_session", "off_session")),
    }


def _setup_intent(books: Ledger, session: Thing, data: dict[str, Any]) -> Thing:
    body = {
        "id": new_id("seti"), "object": "setup_intent", "created": books.stamp,
        "customer": session.customer, "last_setup_error": None, "livemode": False,
        "metadata": data["metadata"], "payment_method": None,
        "payment_method_types": session.body["payment_method_types"],
        "status": "requires_payment_method", "usage": "off_session",
    }  # fmt: skip
    return Thing("setup_intent", body, session.customer, session.id)

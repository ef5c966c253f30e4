"""The training gateway's calls under /v1, as Stripe documents them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from console.sandbox.gateway_forms import Fault, Params, Said, invalid
from console.sandbox.gateway_ledger import LEAST_CHARGE, PAYABLE, Ledger
from console.sandbox.gateway_lists import (
    METHOD_KINDS,
    Call,
    list_customers,
    list_methods,
    list_methods_of,
    list_refunds,
    list_sessions,
    list_things,
    search,
    show,
)
from console.sandbox.gateway_rules import has_routing_check
from console.sandbox.gateway_sessions import Sessions, expire_session
from console.sandbox.gateway_store import Thing, keep, new_id

_REASONS: Final = ("duplicate", "fraudulent", "requested_by_customer")


class Calls:
    """Every call, by its method and path."""

    def __init__(self, base: Callable[[], str]) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Call]] = []
        for method, path, call in (
            ("POST", "customers", add_customer),
            ("GET", "customers", list_customers),
            ("GET", "customers/{}", show("customer")),
            ("POST", "customers/{}", change_customer),
            ("GET", "customers/{}/payment_methods", list_methods_of),
            ("POST", "payment_methods", add_method),
            ("GET", "payment_methods", list_methods),
            ("GET", "payment_methods/{}", show("payment_method")),
            ("POST", "payment_methods/{}/attach", attach),
            ("POST", "payment_methods/{}/detach", detach),
            ("POST", "payment_intents", add_intent),
            ("GET", "payment_intents", list_things("payment_intent")),
            ("GET", "payment_intents/search", search("payment_intent")),
            ("GET", "payment_intents/{}", show("payment_intent")),
            ("POST", "payment_intents/{}/confirm", confirm_intent),
            ("POST", "payment_intents/{}/cancel", cancel_intent),
            ("GET", "setup_intents/{}", show("setup_intent")),
            ("GET", "charges", list_things("charge", parent="payment_intent")),
            ("GET", "charges/search", search("charge")),
            ("GET", "charges/{}", show("charge")),
            ("POST", "refunds", add_refund),
            ("GET", "refunds", list_refunds),
            ("GET", "refunds/{}", show("refund")),
            ("GET", "disputes", list_things("dispute", parent="charge")),
            ("POST", "checkout/sessions", Sessions(base).add),
            ("GET", "checkout/sessions", list_sessions),
            ("GET", "checkout/sessions/{}", show("checkout.session")),
            ("POST", "checkout/sessions/{}/expire", expire_session),
        ):
            pattern = re.compile("/v1/" + path.replace("{}", "([A-Za-z0-9_]{1,100})"))
            self._routes.append((method, pattern, call))

    def find(self, method: str, path: str) -> tuple[Call, tuple[str, ...]]:
        """Find the call for a path, or refuse."""
        for known, pattern, call in self._routes:
            match = pattern.fullmatch(path)
            if match is not None and known == method:
                return call, match.groups()
        raise Fault(
            404,
            f"Unrecognized request URL ({method}: {path}).",
            remembered=False,
        )


def add_customer(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
    """Make a customer."""
    body: dict[str, Any] = {
        "id": new_id("cus"), "object": "customer", "created": books.stamp, "balance": 0,
        "currency": None, "delinquent": False, "livemode": False,
        "invoice_settings": {"default_payment_method": None}, **_about_customer(params),
        "metadata": params.metadata(),
    }  # fmt: skip
    return Said(200, keep(books.db, Thing("customer", body)).body)


def change_customer(books: Ledger, ids: tuple[str, ...], params: Params) -> Said:
    """Change what is kept of a customer."""
    customer = books.find("customer", ids[0])
    customer.body.update({k: v for k, v in _about_customer(params).items() if v is not None})
    customer.body["metadata"].update(params.metadata())
    settings = params.inner("invoice_settings")
    if settings is not None:
        chosen = settings.text("default_payment_method")
        customer.body["invoice_settings"]["default_payment_method"] = chosen
    return Said(200, keep(books.db, customer).body)


def _about_customer(params: Params) -> dict[str, str | None]:
    return {name: params.text(name) for name in ("name", "email", "phone", "description")}


def add_method(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
    """Take a bank account; a card is only taken on the gateway's own page."""
    kind = params.need("type")
    if kind == "card":
        raise Fault(
            402,
            "Sending credit card numbers directly to the API is generally unsafe. Use the payment"
            " page.",
            param="card",
            remembered=False,
        )
    if kind != "us_bank_account":
        raise invalid(f"Invalid type: {kind}", "type")
    billing = params.inner("billing_details")
    bank = params.inner("us_bank_account")
    if billing is None or bank is None:
        raise invalid("Missing required param: us_bank_account.", "us_bank_account")
    name = billing.need("name", 200)
    billing.anything("email", "phone", "address")
    number = bank.need("account_number", 17)
    details = {
        "routing_number": bank.need("routing_number", 9),
        "account_type": bank.choice("account_type", ("checking", "savings")) or "checking",
        "account_holder_type": bank.choice("account_holder_type", ("individual", "company")),
    }
    if not has_routing_check(details["routing_number"] or ""):
        raise invalid(
            "Invalid routing number.", "us_bank_account[routing_number]", "routing_number_invalid"
        )
    if not re.fullmatch(r"[0-9]{4,17}", number):
        raise invalid(
            "Invalid account number.", "us_bank_account[account_number]", "account_number_invalid"
        )
    method = books.new_bank_account(details, number, name)
    method.body["metadata"] = params.metadata()
    return Said(200, keep(books.db, method).body)


def attach(books: Ledger, ids: tuple[str, ...], params: Params) -> Said:
    """Save a method with a customer."""
    customer = books.find("customer", params.need("customer"), "customer")
    method = books.method(ids[0])
    return books.attach(method, customer) or Said(200, method.body)


def detach(books: Ledger, ids: tuple[str, ...], params: Params) -> Said:
    """Take a stored method away; it cannot be used again."""
    method = books.find("payment_method", ids[0])
    if method.customer is None:
        raise Fault(400, "The payment method you provided is not attached to a customer.")
    method.customer = method.body["customer"] = None
    return Said(200, keep(books.db, method).body)


def add_intent(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
    """Begin a payment, and carry it out when asked to confirm."""
    amount = params.whole("amount", LEAST_CHARGE)
    if amount is None:
        raise invalid("Missing required param: amount.", "amount", "parameter_missing")
    currency = params.currency()
    customer = books.customer(params.text("customer"))
    intent = books.new_intent(
        amount,
        currency,
        customer=customer and customer.id,
        metadata=params.metadata(),
        description=params.text("description"),
        receipt_email=params.text("receipt_email"),
        statement_descriptor_suffix=params.text("statement_descriptor_suffix", 22),
        setup_future_usage=params.choice("setup_future_usage", ("on_session", "off_session")),
        payment_method_types=params.texts("payment_method_types") or list(METHOD_KINDS),
    )
    params.choice("capture_method", ("automatic", "automatic_async"))
    params.anything("automatic_payment_methods", "payment_method_options", "return_url")
    method = params.text("payment_method")
    if params.flag("confirm"):
        return _confirm(books, intent, method, params)
    params.anything("mandate_data", "off_session", "error_on_requires_action")
    if method is not None:
        intent.body["payment_method"] = books.method(method).id
        intent.body["status"] = "requires_confirmation"
    return Said(200, keep(books.db, intent).body)


def confirm_intent(books: Ledger, ids: tuple[str, ...], params: Params) -> Said:
    """Carry out a payment that was begun."""
    intent = books.find("payment_intent", ids[0])
    params.anything("payment_method_options", "return_url", "client_secret")
    method = params.text("payment_method") or intent.body["payment_method"]
    return _confirm(books, intent, method, params)


def _confirm(books: Ledger, intent: Thing, method: str | None, params: Params) -> Said:
    off_session = params.flag("off_session") or params.flag("error_on_requires_action")
    mandate = params.inner("mandate_data")
    if mandate is not None:
        acceptance = mandate.inner("customer_acceptance")
        if acceptance is None:
            raise invalid("Missing required param: mandate_data[customer_acceptance].")
        acceptance.choice("type", ("online", "offline"))
        acceptance.anything("accepted_at", "online", "offline")
    if method is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_method",
            "parameter_missing",
        )
    found = books.method(method)
    return books.confirm(intent, found, mandated=mandate is not None, off_session=off_session)


def cancel_intent(books: Ledger, ids: tuple[str, ...], params: Params) -> Said:
    """Give up a payment that was not taken."""
    intent = books.find("payment_intent", ids[0])
    if intent.body["status"] not in (*PAYABLE, "requires_action"):
        raise Fault(
            400,
            "You cannot cancel this PaymentIntent because it has a status of"
            f" {intent.body['status']}.",
            code="payment_intent_unexpected_state",
        )
    reason = params.text("cancellation_reason")
    intent.body.update(status="canceled", canceled_at=books.stamp, cancellation_reason=reason)
    return Said(200, keep(books.db, intent).body)


def add_refund(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
    """Give money back."""
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    amount = params.whole("amount", 1)
    reason, metadata = params.choice("reason", _REASONS), params.metadata()
    if charge_id is None:
        if intent_id is None:
            raise invalid("One of the following params should be provided: payment_intent, charge.")
        charge_id = books.find("payment_intent", intent_id, "payment_intent").body["latest_charge"]
        if charge_id is None:
            raise Fault(
                400,
                f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
            )
    charge = books.find("charge", charge_id, "charge")
    return Said(200, books.refund(charge, amount, reason, metadata).body)

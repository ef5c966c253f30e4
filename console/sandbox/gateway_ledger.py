"""What the training gateway does with money: charges, declines, debits that ripen, refunds."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from console.sandbox.gateway_forms import Fault, Said, invalid, missing_object
from console.sandbox.gateway_rules import (
    BANK_TRAITS,
    CARD_TRAITS,
    TEST_ACCOUNTS,
    TEST_BANKS,
    TEST_CARDS,
    TEST_METHODS,
    BankTrait,
    CardTrait,
)
from console.sandbox.gateway_store import (
    Thing,
    children,
    due_by,
    keep,
    look_up,
    new_id,
)

PAYABLE: Final = ("requires_payment_method", "requires_confirmation")
LEAST_CHARGE: Final = 50
_BANK_REFUND: Final = timedelta(days=5)


class Ledger:
    """The gateway's books within one transaction, at one moment."""

    def __init__(self, db: sqlite3.Connection, now: datetime) -> None:
        self.db = db
        self.now = now
        self.stamp = int(now.timestamp())

    def find(self, kind: str, thing_id: str, param: str = "id") -> Thing:
        """Fetch an object, or refuse."""
        thing = look_up(self.db, thing_id, kind)
        if thing is None:
            raise missing_object(kind.replace("payment_method", "PaymentMethod"), thing_id, param)
        return thing

    def customer(self, customer_id: str | None) -> Thing | None:
        """Fetch the customer that a call names, if it names one."""
        return None if customer_id is None else self.find("customer", customer_id, "customer")

    def new_card(self, number: str, month: int, year: int, name: str = "") -> Thing:
        """Keep a card's brand, last four and expiry, and nothing else of it."""
        brand, trait = TEST_CARDS[number]
        card = {
            "brand": brand, "last4": number[-4:], "exp_month": month,
            "exp_year": year, "funding": "credit", "country": "US",
        }  # fmt: skip
        return self._new_method("card", card, trait, name)

    def new_bank_account(self, details: dict[str, Any], number: str, name: str) -> Thing:
        """Keep a bank account's last four and routing number, and nothing else of it."""
        account = {**details, "last4": number[-4:], "bank_name": "STRIPE TEST BANK"}
        return self._new_method("us_bank_account", account, TEST_ACCOUNTS.get(number, ""), name)

    def method(self, method_id: str) -> Thing:
        """Fetch a payment method; each use of a test method makes one anew, as at Stripe."""
        if method_id in TEST_METHODS:
            return keep(self.db, self.new_card(TEST_METHODS[method_id], 12, self.now.year + 4))
        if method_id in TEST_BANKS:
            details = {
                "routing_number": "110000000", "account_type": "checking",
                "account_holder_type": "individual",
            }  # fmt: skip
            return keep(self.db, self.new_bank_account(details, TEST_BANKS[method_id], "Test"))
        return self.find("payment_method", method_id, "payment_method")

    def attach(self, method: Thing, customer: Thing) -> Said | None:
        """Save a method with a customer; says why when its bank refuses that."""
        if method.customer is not None and method.customer != customer.id:
            raise Fault(400, "This payment method is attached to another customer.")
        if method.body["type"] == "card":
            trait = self._card_trait(method)
            if not trait.can_be_saved:
                return Said(402, {"error": _error(trait.code, trait.decline, trait.message)})
        method.customer = method.body["customer"] = customer.id
        keep(self.db, method)
        return None

    def authorize(self, method: Thing) -> Thing:
        """Keep the authorization to debit a bank account, for this debit and later ones."""
        body = {
            "id": new_id("mandate"), "object": "mandate", "created": self.stamp,
            "livemode": False, "payment_method": method.id, "status": "active",
            "type": "multi_use",
        }  # fmt: skip
        return keep(self.db, Thing("mandate", body, parent=method.id))

    def new_intent(self, amount: int, currency: str, **more: Any) -> Thing:
        """Begin a payment."""
        intent_id = new_id("pi")
        body = {
            "id": intent_id, "object": "payment_intent", "amount": amount,
            "amount_capturable": 0, "amount_received": 0, "canceled_at": None,
            "cancellation_reason": None, "capture_method": "automatic",
            "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
            "confirmation_method": "automatic", "created": self.stamp, "currency": currency,
            "customer": None, "description": None, "last_payment_error": None,
            "latest_charge": None, "livemode": False, "metadata": {}, "next_action": None,
            "payment_method": None, "payment_method_types": ["card"], "receipt_email": None,
            "setup_future_usage": None, "statement_descriptor_suffix": None,
            "status": "requires_payment_method", **more,
        }  # fmt: skip
        return Thing("payment_intent", body, body["customer"])

    def confirm(self, intent: Thing, method: Thing, *, mandated: bool, off_session: bool) -> Said:
        """Take the money, or say why not; a bank debit only begins here."""
        if intent.body["status"] not in PAYABLE:
            raise Fault(
                400,
                "This PaymentIntent's payment_method could not be updated because it has a status"
                f" of {intent.body['status']}.",
                code="payment_intent_unexpected_state",
            )
        if method.customer is not None and method.customer != intent.customer:
            raise Fault(
                400,
                "The provided PaymentMethod cannot be used with this customer.",
                param="payment_method",
            )
        if method.body["type"] not in intent.body["payment_method_types"]:
            raise invalid(
                f"The PaymentMethod provided ({method.body['type']}) is not allowed for this"
                " PaymentIntent.",
                "payment_method",
            )
        if method.body["type"] == "us_bank_account":
            return self._debit(intent, method, mandated)
        trait = self._card_trait(method)
        if trait.code == "authentication_required" and not off_session:
            intent.body["status"] = "requires_action"
            intent.body["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
            intent.body["payment_method"] = method.id
            return self._said(intent)
        if trait.code:
            return self._decline(intent, method, trait)
        charge = self._new_charge(intent, method, "succeeded")
        self._paid(intent, charge)
        if intent.body["setup_future_usage"] and intent.customer:
            method.customer = method.body["customer"] = intent.customer
            keep(self.db, method)
        return self._said(intent)

    def refund(self, charge: Thing, amount: int | None, reason: str | None,
               metadata: dict[str, str]) -> Thing:  # fmt: skip
        """Give money back, never more than is left."""
        body = charge.body
        if body["status"] != "succeeded":
            raise Fault(400, f"Charge {charge.id} has not succeeded, so it cannot be refunded.")
        if body["disputed"]:
            raise Fault(
                400,
                f"Charge {charge.id} has been charged back; cannot issue a refund.",
                code="charge_disputed",
            )
        left = body["amount"] - body["amount_refunded"]
        if left == 0:
            raise Fault(
                400,
                f"Charge {charge.id} has already been refunded.",
                code="charge_already_refunded",
            )
        amount = left if amount is None else amount
        if amount > left:
            raise Fault(
                400,
                f"Refund amount (${amount / 100:.2f}) is greater than unrefunded amount on charge"
                f" (${left / 100:.2f})",
                param="amount",
            )
        body["amount_refunded"] += amount
        body["refunded"] = body["amount_refunded"] == body["amount"]
        keep(self.db, charge)
        by_bank = body["payment_method_details"]["type"] == "us_bank_account"
        refund = Thing(
            "refund",
            {
                "id": new_id("re"), "object": "refund", "amount": amount,
                "balance_transaction": new_id("txn"), "charge": charge.id,
                "created": self.stamp, "currency": body["currency"], "metadata": metadata,
                "payment_intent": body["payment_intent"], "reason": reason,
                "receipt_number": None, "status": "pending" if by_bank else "succeeded",
            },
            body["customer"],
            charge.id,
            due=self.now + _BANK_REFUND if by_bank else None,
        )  # fmt: skip
        return keep(self.db, refund)

    def ripen(self) -> None:
        """Let happen what has fallen due: debits, disputes, refunds by bank, sessions' ends."""
        while True:
            waiting = due_by(self.db, self.now)
            if not waiting:
                return
            for thing in waiting:
                self._fall_due(thing)

    def _fall_due(self, thing: Thing) -> None:
        due, thing.due = thing.due, None
        if thing.kind == "refund":
            thing.body["status"] = "succeeded"
        elif thing.kind == "checkout.session":
            if thing.body["status"] == "open":
                thing.body["status"] = "expired"
        elif thing.kind == "payment_intent" and thing.body["status"] == "processing":
            self._end_debit(thing, BANK_TRAITS[thing.trait], due or self.now)
        elif thing.kind == "payment_intent" and thing.body["status"] == "succeeded":
            self._dispute(thing, due or self.now)
        keep(self.db, thing)

    def _end_debit(self, intent: Thing, trait: BankTrait, due: datetime) -> None:
        charge = self.find("charge", intent.body["latest_charge"])
        if not trait.code:
            self._paid(intent, charge)
            if trait.disputed_after is not None:
                intent.due = due + trait.disputed_after - trait.after
            return
        charge.body.update(
            status="failed", paid=False, failure_code=trait.code, failure_message=trait.message,
            outcome={
                "network_status": "declined_by_network", "reason": trait.code,
                "network_decline_code": trait.return_code, "type": "issuer_declined",
                "risk_level": "not_assessed", "seller_message": trait.message,
            },
        )  # fmt: skip
        keep(self.db, charge)
        method = self.find("payment_method", charge.body["payment_method"])
        intent.body.update(
            status="requires_payment_method",
            payment_method=None,
            last_payment_error={
                **_error(trait.code, "", trait.message), "charge": charge.id,
                "network_decline_code": trait.return_code, "payment_method": method.body,
            },
        )  # fmt: skip
        session = self._session_of(intent)
        if session is not None:
            session.body["payment_status"] = "unpaid"
            keep(self.db, session)

    def _dispute(self, intent: Thing, due: datetime) -> None:
        charge = self.find("charge", intent.body["latest_charge"])
        charge.body["disputed"] = True
        keep(self.db, charge)
        body = {
            "id": new_id("du"), "object": "dispute", "amount": charge.body["amount"],
            "charge": charge.id, "created": int(due.timestamp()), "currency": "usd",
            "livemode": False, "metadata": {}, "payment_intent": intent.id,
            "reason": "debit_not_authorized", "status": "lost",
        }  # fmt: skip
        keep(self.db, Thing("dispute", body, charge.customer, charge.id))

    def _debit(self, intent: Thing, method: Thing, mandated: bool) -> Said:
        if mandated:
            self.authorize(method)
        elif not children(self.db, "mandate", method.id):
            raise invalid(
                "To confirm this PaymentIntent with a us_bank_account PaymentMethod, provide"
                " `mandate_data` or a mandate.",
                "mandate_data",
                "payment_intent_mandate_invalid",
            )
        self._new_charge(intent, method, "pending")
        intent.body.update(status="processing", last_payment_error=None)
        intent.trait = method.trait
        intent.due = self.now + BANK_TRAITS[method.trait].after
        return self._said(intent)

    def _decline(self, intent: Thing, method: Thing, trait: CardTrait) -> Said:
        charge = self._new_charge(intent, method, "failed", trait)
        error = {**_error(trait.code, trait.decline, trait.message), "charge": charge.id}
        intent.body.update(
            status="requires_payment_method",
            payment_method=None,
            last_payment_error={**error, "payment_method": method.body},
        )
        keep(self.db, intent)
        return Said(
            402, {"error": {**error, "payment_intent": intent.body, "payment_method": method.body}}
        )

    def _paid(self, intent: Thing, charge: Thing) -> None:
        charge.body.update(
            status="succeeded", paid=True, captured=True, amount_captured=charge.body["amount"]
        )
        intent.body.update(
            status="succeeded", amount_received=charge.body["amount"], last_payment_error=None
        )
        keep(self.db, charge)
        session = self._session_of(intent)
        if session is not None:
            session.body["payment_status"] = "paid"
            keep(self.db, session)

    def _session_of(self, intent: Thing) -> Thing | None:
        return look_up(self.db, intent.parent) if intent.parent else None

    def _new_charge(
        self, intent: Thing, method: Thing, status: str, trait: CardTrait | None = None
    ) -> Thing:
        kind = method.body["type"]
        body = {
            "id": new_id("py" if kind == "us_bank_account" else "ch"), "object": "charge",
            "amount": intent.body["amount"], "amount_captured": 0, "amount_refunded": 0,
            "balance_transaction": new_id("txn"),
            "billing_details": method.body["billing_details"], "captured": False,
            "created": self.stamp, "currency": intent.body["currency"],
            "customer": intent.customer, "description": intent.body["description"],
            "disputed": False, "failure_code": trait and trait.code,
            "failure_message": trait and trait.message, "livemode": False,
            "metadata": dict(intent.body["metadata"]),
            "outcome": {
                "network_status": "declined_by_network" if trait else "approved_by_network",
                "reason": trait and trait.decline, "risk_level": "normal",
                "seller_message": "The bank declined it." if trait else "Payment complete.",
                "type": "issuer_declined" if trait else "authorized",
            },
            "paid": False, "payment_intent": intent.id, "payment_method": method.id,
            "payment_method_details": {"type": kind, kind: dict(method.body[kind])},
            "receipt_email": None, "refunded": False, "status": status,
        }  # fmt: skip
        charge = keep(self.db, Thing("charge", body, intent.customer, intent.id))
        intent.body["latest_charge"] = charge.id
        intent.body["payment_method"] = method.id
        return charge

    def _new_method(self, kind: str, details: dict[str, Any], trait: str, name: str) -> Thing:
        address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
        body = {
            "id": new_id("pm"), "object": "payment_method", "type": kind, kind: details,
            "billing_details": {
                "name": name or None, "email": None, "phone": None, "address": address
            },
            "created": self.stamp, "customer": None, "livemode": False, "metadata": {},
        }  # fmt: skip
        return Thing("payment_method", body, trait=trait)

    def _card_trait(self, method: Thing) -> CardTrait:
        card, today = method.body["card"], self.now.astimezone(UTC)
        if (card["exp_year"], card["exp_month"]) < (today.year, today.month):
            return CARD_TRAITS["expired_card"]
        return CARD_TRAITS[method.trait]

    def _said(self, intent: Thing) -> Said:
        return Said(200, keep(self.db, intent).body)


def _error(code: str, decline: str, message: str) -> dict[str, Any]:
    error = {
        "type": "card_error", "code": code, "decline_code": decline, "message": message,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
    }  # fmt: skip
    return {name: value for name, value in error.items() if value}

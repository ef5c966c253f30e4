"""The training gateway's own payment page: where a card is entered, and forgotten at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template, request, send_from_directory

from console.domain.money import Money
from console.sandbox.gateway_ledger import Ledger
from console.sandbox.gateway_rules import (
    TEST_ACCOUNTS,
    TEST_CARDS,
    has_luhn,
    has_routing_check,
)
from console.sandbox.gateway_store import GatewayStore, Thing, keep, look_up
from console.sandbox.serving import fonts

_KEPT_ON_THE_FORM: Final = ("name", "expiry", "zip", "routing")
_PRACTICE: Final = (
    ("4242 4242 4242 4242", "is paid"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 0069", "has expired"),
    ("4000 0000 0000 9987", "is reported lost"),
    ("4000 0000 0000 0127", "has a wrong security code"),
    ("4000 0000 0000 0119", "fails at the network"),
    ("4000 0000 0000 0341", "can be saved, and is declined later"),
)
_PRACTICE_BANKS: Final = (
    ("000123456789", "settles after four days"),
    ("000222222227", "comes back: insufficient funds"),
    ("000111111113", "comes back: account closed"),
    ("000333333335", "comes back: not authorized"),
    ("000555555559", "settles, and is disputed weeks later"),
)
_SENTENCES: Final = {
    "insufficient_funds": "This card does not have enough money on it.",
    "expired_card": "This card has expired.",
    "incorrect_cvc": "The security code is not right.",
    "processing_error": "The card network did not answer. Please try again.",
    "authentication_required": "The bank wants the cardholder to confirm this payment.",
}


@dataclass(frozen=True)
class _Problem:
    field: str
    words: str


class Pages:
    """The pages under /pay, each known by its session's id, which cannot be guessed."""

    def __init__(self, store: GatewayStore, coop_name: str) -> None:
        self._store = store
        self._coop_name = coop_name

    def blueprint(self) -> Blueprint:
        """Hang every page on its path."""
        pages = Blueprint("gateway_pages", __name__)
        pages.add_url_rule(
            "/pay/<session_id>", view_func=self.pay, endpoint="pay", methods=["GET", "POST"]
        )
        pages.add_url_rule("/fonts/<name>", view_func=self.font, endpoint="font")
        pages.add_url_rule("/done", view_func=self.done, endpoint="done")
        return pages

    def font(self, name: str) -> Response:
        """Serve a typeface."""
        return send_from_directory(fonts(), name)

    def done(self) -> str:
        """Say that the page can be closed: where a page leads whose owner has no web site."""
        return render_template("done.html", coop=self._coop_name)

    def pay(self, session_id: str) -> tuple[str, int]:
        """Show the page as it stands, and take what is entered."""
        problem = None
        with self._store.begin() as db:
            books = Ledger(db, self._store.now())
            books.ripen()
            session = look_up(db, session_id, "checkout.session")
            if session is None:
                abort(404)
            kind = self._kind(session)
            if request.method == "POST" and session.body["status"] == "open":
                take = _take_card if kind == "card" else _take_bank_account
                problem = take(books, session, request.form)
            intent = look_up(db, session.body["payment_intent"] or "", "payment_intent")
        status = 200 if problem is None else 422
        return self._rendered(session, kind, intent, problem), status

    def _kind(self, session: Thing) -> str:
        kinds: list[str] = session.body["payment_method_types"]
        wanted = {"bank": "us_bank_account", "card": "card"}.get(request.args.get("with", ""), "")
        return wanted if wanted in kinds else kinds[0]

    def _rendered(
        self, session: Thing, kind: str, intent: Thing | None, problem: _Problem | None
    ) -> str:
        body = session.body
        amount = body["amount_total"]
        return render_template(
            "pay.html",
            coop=self._coop_name,
            session=body,
            kind=kind,
            amount=None if amount is None else str(Money(amount)),
            lines=[(name, str(Money(cents))) for name, cents in body["lines"]],
            waiting=intent is not None and intent.body["status"] == "processing",
            problem=problem,
            form={name: request.form.get(name, "")[:100] for name in _KEPT_ON_THE_FORM},
            practice=_PRACTICE if kind == "card" else _PRACTICE_BANKS,
            back=_way_back(body),
        )


def _take_card(books: Ledger, session: Thing, form: Mapping[str, str]) -> _Problem | None:
    number = re.sub(r"[ -]", "", form.get("number", ""))
    if not has_luhn(number):
        return _Problem("number", "This card number is not right. Please check each digit.")
    if number not in TEST_CARDS:
        # A real card typed here by mistake is refused before anything of it is kept.
        return _Problem("number", "This is training: only the practice cards below are taken.")
    expiry = re.fullmatch(
        r"\s*(0?[1-9]|1[0-2])\s*/?\s*(?:20)?([0-9]{2})\s*", form.get("expiry", "")
    )
    if expiry is None:
        return _Problem("expiry", "Write the expiry as month and year, such as 04 / 29.")
    month, year = int(expiry[1]), 2000 + int(expiry[2])
    if (year, month) < (books.now.year, books.now.month):
        return _Problem("expiry", "This card has expired.")
    if not re.fullmatch(r"[0-9]{3,4}", form.get("cvc", "").strip()):
        return _Problem("cvc", "The security code has three digits, on some cards four.")
    name = form.get("name", "").strip()[:200]
    if not name:
        return _Problem("name", "Write the name on the card.")
    return _use(books, session, lambda: books.new_card(number, month, year, name), mandated=False)


def _take_bank_account(books: Ledger, session: Thing, form: Mapping[str, str]) -> _Problem | None:
    routing, number = form.get("routing", "").strip(), form.get("account", "").strip()
    if not has_routing_check(routing):
        return _Problem("routing", "This routing number is not right. Please check each digit.")
    if number not in TEST_ACCOUNTS:
        return _Problem("account", "This is training: only the practice accounts below are taken.")
    name = form.get("name", "").strip()[:200]
    if not name:
        return _Problem("name", "Write the name on the account.")
    if form.get("agreed") != "yes":
        return _Problem("agreed", "The debit must be authorized before it can be made.")
    details = {
        "routing_number": routing, "account_type": "checking", "account_holder_type": "individual"
    }  # fmt: skip
    return _use(
        books, session, lambda: books.new_bank_account(details, number, name), mandated=True
    )


def _use(
    books: Ledger, session: Thing, made: Callable[[], Thing], *, mandated: bool
) -> _Problem | None:
    method = keep(books.db, made())
    use = _pay_with if session.body["mode"] == "payment" else _save
    problem = use(books, session, method, mandated)
    if problem is None:
        session.body["status"], session.due = "complete", None
        session.body["customer_details"] = {
            "name": method.body["billing_details"]["name"],
            "email": session.body["customer_email"],
        }
    keep(books.db, session)
    return problem


def _pay_with(books: Ledger, session: Thing, method: Thing, mandated: bool) -> _Problem | None:
    body = session.body
    intent = look_up(books.db, body["payment_intent"] or "", "payment_intent")
    if intent is None:
        intent = books.new_intent(
            body["amount_total"],
            body["currency"],
            customer=body["customer"],
            payment_method_types=body["payment_method_types"],
            **body["payment_intent_data"],
        )
        intent.parent = session.id
    said = books.confirm(intent, method, mandated=mandated, off_session=True)
    body["payment_intent"] = intent.id
    if said.status == 402:
        return _refused(said.body["error"])
    body["payment_status"] = "paid" if intent.body["status"] == "succeeded" else "unpaid"
    return None


def _save(books: Ledger, session: Thing, method: Thing, mandated: bool) -> _Problem | None:
    setup = books.find("setup_intent", session.body["setup_intent"])
    said = books.attach(method, books.find("customer", session.body["customer"]))
    if said is not None:
        error = said.body["error"]
        setup.body["last_setup_error"] = error
        keep(books.db, setup)
        return _refused(error)
    if mandated:
        books.authorize(method)
    setup.body.update(status="succeeded", payment_method=method.id)
    keep(books.db, setup)
    return None


def _refused(error: Mapping[str, Any]) -> _Problem:
    code = error.get("decline_code") or error["code"]
    return _Problem("", _SENTENCES.get(code, "The bank declined this card.") + " Nothing was paid.")


def _way_back(body: Mapping[str, Any]) -> str:
    """Where the page's owner wants people to go on; only ever to a web address."""
    wanted = str(body["success_url"] if body["status"] == "complete" else body["cancel_url"] or "")
    wanted = wanted.replace("{CHECKOUT_SESSION_ID}", str(body["id"]))
    return wanted if wanted.startswith(("http://", "https://")) else ""

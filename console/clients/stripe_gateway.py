"""The payment gateway over Stripe's documented calls, each answer checked before it counts."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from console.clients import stripe_answers as read
from console.clients.answers import Fields, Misfit
from console.clients.forms import FormServer, Heard
from console.clients.gateway import (
    NOT_KNOWN,
    BankAccount,
    ChargeLine,
    Customer,
    Declined,
    GatewayBusy,
    GatewayRefused,
    KeyRefused,
    MethodKind,
    Order,
    Page,
    PageOrder,
    Refunded,
    RefundOrder,
    RefundRefused,
    StoredMethod,
    Taken,
)
from console.clients.gateway_declines import decline_sentence
from console.clients.http import DEADLINE_SECONDS, Exchange, Unexpected, Unreachable
from console.domain.money import Money

T = TypeVar("T")

API: Final = "https://api.stripe.com"
VERSION: Final = "2024-06-20"
"""The form of the answers is that of this date, whatever Stripe changes later."""
_PAGE_SIZE: Final = 100
_MOST_PAGES: Final = 500
CLOCKS_APART: Final = timedelta(hours=1)
"""How far the gateway's clock may be from ours before its lists are not believed."""
_REFUSED: Final = "The gateway did not take what was sent"


class StripeGateway:
    """Stripe, or whoever speaks as Stripe does."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        deadline: float = DEADLINE_SECONDS,
        observe: Callable[[], None] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        _check_address(url, key)
        self._clock = clock or _now
        self._live = not _is_test(key)
        self._server = FormServer(
            "payment gateway",
            url,
            key,
            headers={"Stripe-Version": VERSION},
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

    def charge(self, order: Order) -> Taken | Declined:
        """Charge a stored method; the same order may be sent again and again, and charges once."""
        form = {
            "amount": str(order.amount.cents),
            "currency": read.CURRENCY,
            "payment_method": order.method,
            "payment_method_types[0]": order.kind.value,
            "confirm": "true",
            f"metadata[{read.PAYMENT}]": order.payment_id,
            f"metadata[{read.WAY}]": read.STORED,
            "expand[0]": "latest_charge",
        }
        if order.customer:
            form["customer"] = order.customer
        if order.mandate is None:
            form["off_session"] = "true"
        else:  # who authorizes a debit is there: off_session would say the opposite
            accepted = str(int(order.mandate.accepted_at.timestamp()))
            form["mandate_data[customer_acceptance][type]"] = "offline"
            form["mandate_data[customer_acceptance][accepted_at]"] = accepted

        def read_it(answer: Heard) -> Taken | Declined:
            return self._charged(answer, order)

        with _unknown():
            answer = self._server.ask(
                "POST", "/v1/payment_intents", form=form, key=order.payment_id
            )
            return self._read(answer, read_it, order.payment_id)

    def payment(self, payment: str, reference: str, amount: Money) -> Taken | Declined:
        """Ask what became of a payment whose id at the gateway is known."""
        answer = self._server.ask(
            "GET", "/v1/payment_intents/{id}", {"id": payment}, query={"expand[0]": "latest_charge"}
        )

        def read_it(answer: Heard) -> Taken | Declined:
            found = read.outcome(answer.body, reference, amount)
            if found.id != payment:
                raise Misfit("id: another payment than asked for")
            return found

        return self._read(self._good(answer), read_it)

    def find(
        self, reference: str, amount: Money, *, since: datetime, customer: str = ""
    ) -> Taken | Declined | None:
        """Look a payment up by our reference, among those made since a moment.

        None when the gateway shows nothing, which proves nothing while a request may be under way.
        The list is asked and not the search, which by Stripe's own word lags behind.
        """
        query: dict[str, str | int] = {"expand[0]": "data.latest_charge"}
        if customer:
            query["customer"] = customer
        seen = self._since("/v1/payment_intents", query, since)
        ours = [body for body in seen if read.reference_of(body, read.PAYMENT) == reference]
        with self._misfits():
            found = [read.outcome(body, reference, amount) for body in ours]
        taken = [one for one in found if isinstance(one, Taken)]
        if len(taken) > 1:
            raise Unexpected("The gateway shows this payment twice. A supervisor must look.")
        return taken[0] if taken else found[0] if found else None

    def open_page(self, order: PageOrder) -> Page:
        """Open a payment page; the same order opens the same page."""
        if sum((cents for _, cents in order.lines), Money(0)) != order.amount:
            raise ValueError("the lines do not add up to the amount")
        ours = {read.PAYMENT: order.payment_id, read.WAY: read.BY_PAGE}
        form = {
            "mode": "payment",
            "client_reference_id": order.payment_id,
            "success_url": order.return_url,
            "expires_at": str(int(order.expires_at.timestamp())),
            **{f"metadata[{name}]": value for name, value in ours.items()},
            **{f"payment_intent_data[metadata][{name}]": value for name, value in ours.items()},
            **_kinds(order.kinds),
            **({"customer": order.customer} if order.customer else {}),
            **({"payment_intent_data[setup_future_usage]": "off_session"}
               if order.save_method else {}),
        }  # fmt: skip
        for place, (name, cents) in enumerate(order.lines):
            line = f"line_items[{place}]"
            form[f"{line}[quantity]"] = "1"
            form[f"{line}[price_data][currency]"] = read.CURRENCY
            form[f"{line}[price_data][unit_amount]"] = str(cents.cents)
            form[f"{line}[price_data][product_data][name]"] = name[:250]
        return self._open(form, order.payment_id, order.amount)

    def open_saving_page(
        self,
        reference: str,
        customer: str,
        return_url: str,
        kinds: tuple[MethodKind, ...] = (MethodKind.CARD,),
    ) -> Page:
        """Open a page that saves a method and charges nothing."""
        form = {
            "mode": "setup",
            "currency": read.CURRENCY,
            "customer": customer,
            "client_reference_id": reference,
            "success_url": return_url,
            f"metadata[{read.PAYMENT}]": reference,
            **_kinds(kinds),
        }
        return self._open(form, reference, None)

    def page(self, page: str, reference: str, amount: Money | None) -> Page:
        """Ask how far a page has come; without an amount it is one that saves."""
        answer = self._server.ask(
            "GET", "/v1/checkout/sessions/{id}", {"id": page}, query=_whole_page(amount)
        )
        found = self._page(self._good(answer), reference, amount)
        if found.id != page:
            raise self._misfit(answer)
        return found

    def find_page(self, reference: str, amount: Money | None, *, since: datetime) -> Page | None:
        """Look a page up by our reference; None when the gateway shows nothing."""
        pages = self._since("/v1/checkout/sessions", {}, since)
        ids = [p["id"] for p in pages if p.get("client_reference_id") == reference]
        if len(ids) > 1:
            raise Unexpected("The gateway shows this payment page twice. A supervisor must look.")
        return self.page(ids[0], reference, amount) if ids else None

    def shut_page(self, page: str, reference: str, amount: Money | None) -> Page:
        """Shut a page, and say how it stands then: somebody may just have paid on it."""
        answer = self._server.ask("POST", "/v1/checkout/sessions/{id}/expire", {"id": page})
        try:
            self._good(answer)
        except GatewayRefused:
            # It is not open any more; which of the two it is only the page itself can say.
            if answer.status != HTTPStatus.BAD_REQUEST:
                raise
        return self.page(page, reference, amount)

    def add_customer(self, key: str, reference: str, name: str, email: str) -> Customer:
        """Make a customer under our reference; the same key makes the same one."""
        form = {f"metadata[{read.MEMBER}]": reference, "name": name[:200], "email": email}
        answer = self._server.ask(
            "POST", "/v1/customers", form={k: v for k, v in form.items() if v}, key=key
        )

        def read_it(answer: Heard) -> Customer:
            made = read.customer(answer.body)
            if made.reference != reference:
                raise Misfit("metadata: another reference than ours")
            return made

        return self._read(self._good(answer), read_it, key)

    def customer(self, customer: str) -> Customer | None:
        """Fetch a customer; None when the gateway knows none, or none any more."""
        answer = self._server.ask("GET", "/v1/customers/{id}", {"id": customer})
        if _is_missing(answer) or (
            answer.status == HTTPStatus.OK and answer.body.get("deleted") is True
        ):
            return None
        return self._read(self._good(answer), lambda answer: read.customer(answer.body))

    def methods(
        self, customer: str, kinds: tuple[MethodKind, ...] = tuple(MethodKind)
    ) -> tuple[StoredMethod, ...]:
        """List a customer's stored methods."""
        found: list[StoredMethod] = []
        for kind in kinds:
            query: dict[str, str | int] = {"customer": customer, "type": kind.value}
            bodies = list(self._all("/v1/payment_methods", query))
            with self._misfits():
                found += [read.method(body) for body in bodies]
        return tuple(found)

    def add_bank_account(self, key: str, account: BankAccount) -> StoredMethod:
        """Give a bank account to the gateway and keep only what it is called there."""
        form = {
            "type": MethodKind.BANK.value,
            "billing_details[name]": account.name[:200],
            "us_bank_account[routing_number]": account.routing,
            "us_bank_account[account_number]": account.number,
            "us_bank_account[account_type]": "savings" if account.savings else "checking",
            "us_bank_account[account_holder_type]": "company" if account.company else "individual",
        }
        answer = self._server.ask("POST", "/v1/payment_methods", form=form, key=key)

        def read_it(answer: Heard) -> StoredMethod:
            made = read.method(answer.body)
            if made.kind is not MethodKind.BANK or made.last_four != account.number[-4:]:
                raise Misfit("us_bank_account: another account than ours")
            return made

        return self._read(self._good(answer), read_it, key)

    def save_method(self, method: str, customer: str) -> StoredMethod | Declined:
        """Keep a method with a customer; its bank may say no to that."""
        answer = self._server.ask(
            "POST", "/v1/payment_methods/{id}/attach", {"id": method}, form={"customer": customer}
        )
        if answer.status == HTTPStatus.PAYMENT_REQUIRED:
            error = _error(answer)
            code = str(error.get("decline_code") or error.get("code") or "")
            return Declined("", "", code, decline_sentence(code))

        def read_it(answer: Heard) -> StoredMethod:
            if answer.body.get("customer") != customer:
                raise Misfit("customer: another one than ours")
            return read.method(answer.body)

        return self._read(self._good(answer), read_it)

    def remove_method(self, method: str) -> None:
        """Take a stored method away; one that is gone already is as good."""
        answer = self._server.ask("POST", "/v1/payment_methods/{id}/detach", {"id": method})
        if _is_missing(answer):
            return
        try:
            self._good(answer)
        except GatewayRefused:
            answer = self._server.ask("GET", "/v1/payment_methods/{id}", {"id": method})
            if _is_missing(answer):
                return
            self._good(answer)
        if answer.body.get("customer", "") is not None:
            raise self._misfit(answer)

    def refund(self, order: RefundOrder) -> Refunded | RefundRefused:
        """Give money back; the same order may be sent again, and gives back once."""
        form = {
            _payment_param(order.payment): order.payment,
            "amount": str(order.amount.cents),
            f"metadata[{read.REFUND}]": order.refund_id,
        }

        def read_it(answer: Heard) -> Refunded | RefundRefused:
            if answer.body.get(_payment_param(order.payment)) != order.payment:
                raise Misfit("payment: another one than ours")
            found = read.refund(answer.body, order.amount, order.refund_id)
            return read.refund_refused(found) if isinstance(found, str) else found

        with _unknown():
            answer = self._server.ask("POST", "/v1/refunds", form=form, key=order.refund_id)
            no = _refund_refusal(answer)
            return no or self._read(self._good(answer), read_it, order.refund_id)

    def refunds(self, payment: str) -> tuple[Refunded, ...]:
        """List what was given back of a payment, by us or at the gateway itself."""
        bodies = list(self._all("/v1/refunds", {_payment_param(payment): payment}))
        with self._misfits():
            found = [read.refund(body) for body in bodies]
        return tuple(one for one in found if isinstance(one, Refunded))

    def find_refund(self, order: RefundOrder) -> Refunded | None:
        """Look a refund up by our reference; None when the gateway shows nothing."""
        found = [one for one in self.refunds(order.payment) if one.reference == order.refund_id]
        if len(found) > 1 or any(one.amount != order.amount for one in found):
            raise Unexpected("The gateway shows another refund than ours. A supervisor must look.")
        return found[0] if found else None

    def charges(self, since: datetime, until: datetime) -> Iterator[ChargeLine]:
        """List every charge of a time, the newest first."""
        query: dict[str, str | int] = {
            "created[gte]": int(since.timestamp()),
            "created[lt]": int(until.timestamp()),
        }
        for body in self._all("/v1/charges", query):
            with self._misfits():
                line = read.charge_line(body)
            yield line

    def _charged(self, answer: Heard, order: Order) -> Taken | Declined:
        if answer.status == HTTPStatus.PAYMENT_REQUIRED:
            error = _error(answer)
            if error.get("type") != "card_error":
                raise Misfit("error: not a decline")
            found = read.outcome(error.get("payment_intent"), order.payment_id, order.amount)
            if not isinstance(found, Declined):
                raise Misfit("error: a decline of a payment that was taken")
            return found
        found = read.outcome(self._good(answer).body, order.payment_id, order.amount)
        if not isinstance(found, Taken):
            raise Misfit("status: a decline is told by 402")
        return found

    def _open(self, form: Mapping[str, str], reference: str, amount: Money | None) -> Page:
        answer = self._server.ask("POST", "/v1/checkout/sessions", form=form, key=reference)
        opened = self._page(self._good(answer), reference, amount)
        self._check_key(answer, reference)
        return opened

    def _page(self, answer: Heard, reference: str, amount: Money | None) -> Page:
        return self._read(answer, lambda answer: read.page(answer.body, reference, amount))

    def _since(
        self, path: str, query: Mapping[str, str | int], since: datetime
    ) -> list[dict[str, Any]]:
        first = int((since - CLOCKS_APART).timestamp())
        return list(self._all(path, {**query, "created[gte]": first}, check_clock=True))

    def _all(
        self, path: str, query: Mapping[str, str | int], *, check_clock: bool = False
    ) -> Iterator[dict[str, Any]]:
        after: dict[str, str | int] = {}
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            asked = {**query, "limit": _PAGE_SIZE, **after}
            answer = self._good(self._server.ask("GET", path, query=asked))
            if check_clock:
                self._check_clock(answer)
            bodies, more = self._read(answer, _listed)
            fresh = [body for body in bodies if body["id"] not in seen]
            if more and not fresh:
                raise self._misfit(answer)
            seen.update(body["id"] for body in fresh)
            yield from fresh
            if not more:
                return
            after = {"starting_after": bodies[-1]["id"]}
        raise Unexpected("The gateway's list does not end. Ask for a shorter time.")

    def _check_clock(self, answer: Heard) -> None:
        """Refuse a list by time from a clock that is behind: what we look for may be left out."""
        try:
            told = parsedate_to_datetime(answer.headers.get("date", ""))
        except (ValueError, TypeError) as error:
            raise self._misfit(answer) from error
        if told.tzinfo is None or self._clock() - told > CLOCKS_APART:
            raise Unexpected("The gateway's clock is behind, so that its lists prove nothing.")

    def _check_key(self, answer: Heard, key: str) -> None:
        if answer.headers.get("idempotency-key", key) != key:
            raise self._misfit(answer)

    def _read(self, answer: Heard, form: Callable[[Heard], T], key: str = "") -> T:
        try:
            if any(mode is not self._live for mode in _modes(answer)):
                raise Misfit("livemode: of the other kind of key")
            value = form(answer)
        except Misfit as misfit:
            raise self._misfit(answer) from misfit
        if key:
            self._check_key(answer, key)
        return value

    def _good(self, answer: Heard) -> Heard:
        """Let only a 200 pass."""
        if answer.status == HTTPStatus.OK:
            return answer
        error = _error(answer)
        code, param = (str(error.get(name) or "")[:60] for name in ("code", "param"))
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise KeyRefused("The gateway does not accept our key. Tell your supervisor.")
        if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT):
            raise GatewayBusy(
                "The gateway is busy. It is asked again by itself.", answer.retry_after or 1.0
            )
        if not error:
            raise self._misfit(answer)
        raise GatewayRefused(f"{_REFUSED} ({code or 'no reason'}).", code, param)

    def _misfit(self, answer: Heard) -> Unexpected:
        self._server.misfit(answer.request_id)
        return Unexpected(
            "The gateway did not answer as agreed, so that the answer does not count. "
            "If it goes on, tell your supervisor."
        )

    @contextmanager
    def _misfits(self) -> Iterator[None]:
        try:
            yield
        except Misfit as misfit:
            raise Unexpected(
                "The gateway did not answer as agreed, so that the answer does not count. "
                "If it goes on, tell your supervisor."
            ) from misfit


class StripeTeller:
    """Gives a bank account told on the phone to Stripe, and can do nothing else.

    Stripe opens only this to a publishable key, so that a desk which holds one can move no money.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        deadline: float = DEADLINE_SECONDS,
        observe: Callable[[], None] | None = None,
    ) -> None:
        if not key.startswith(("pk_test_", "pk_live_")):
            raise ValueError("a desk holds only a publishable key of the gateway")
        self._gateway = StripeGateway(url, key, deadline=deadline, observe=observe)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The last exchanges, the newest last, for the diagnostics view."""
        return self._gateway.exchanges

    def close(self) -> None:
        """Let go of the connections."""
        self._gateway.close()

    def add_bank_account(self, key: str, account: BankAccount) -> StoredMethod:
        """Give a bank account to the gateway and keep only what it is called there."""
        return self._gateway.add_bank_account(key, account)


@contextmanager
def _unknown() -> Iterator[None]:
    """Whatever goes wrong while money may move, the sentence says that nothing is known."""
    try:
        yield
    except (Unreachable, Unexpected) as problem:
        problem.args = (NOT_KNOWN,)
        raise


def _listed(answer: Heard) -> tuple[list[dict[str, Any]], bool]:
    body, fields = answer.body, Fields(answer.body)
    data = body.get("data")
    if body.get("object") != "list" or not isinstance(data, list):
        raise Misfit("not a list")
    for item in data:
        read.id_of(item)
    return data, fields.flag("has_more")


def _error(answer: Heard) -> dict[str, Any]:
    error = answer.body.get("error")
    return error if isinstance(error, dict) else {}


def _modes(answer: Heard) -> Iterator[object]:
    """Whether each object told of is of the world in which money is real."""
    data = answer.body.get("data")
    for body in (
        answer.body,
        _error(answer).get("payment_intent"),
        *(data if isinstance(data, list) else ()),
    ):
        if isinstance(body, dict) and "livemode" in body:
            yield body["livemode"]


def _is_missing(answer: Heard) -> bool:
    return answer.status == HTTPStatus.NOT_FOUND and (
        _error(answer).get("code") == "resource_missing"
    )


def _refund_refusal(answer: Heard) -> RefundRefused | None:
    error = _error(answer)
    if answer.status != HTTPStatus.BAD_REQUEST or error.get("type") != "invalid_request_error":
        return None
    if error.get("code") in ("charge_already_refunded", "charge_disputed"):
        return read.refund_refused(str(error["code"]))
    # Stripe names no code for more than is left, only the parameter.
    if error.get("param") == "amount" and not error.get("code"):
        return read.refund_refused("amount")
    return None


def _payment_param(payment: str) -> str:
    return "payment_intent" if payment.startswith("pi_") else "charge"


def _kinds(kinds: tuple[MethodKind, ...]) -> dict[str, str]:
    return {f"payment_method_types[{n}]": kind.value for n, kind in enumerate(kinds)}


def _whole_page(amount: Money | None) -> dict[str, str | int]:
    wanted = "setup_intent.payment_method" if amount is None else "payment_intent.latest_charge"
    return {"expand[0]": wanted}


def _check_address(url: str, key: str) -> None:
    """Refuse an address at which the key could be read, or at which it has no business."""
    parts = urlsplit(url)
    if _is_loopback(parts.hostname or ""):
        if not _is_test(key):
            raise ValueError("a live key is not shown to a gateway on this machine")
    elif parts.scheme != "https":
        raise ValueError("a gateway is only spoken to over https")


def _is_test(key: str) -> bool:
    return key.startswith(("sk_test_", "rk_test_", "pk_test_"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _now() -> datetime:
    return datetime.now(UTC)

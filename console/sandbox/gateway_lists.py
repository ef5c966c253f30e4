"""Shows, lists and searches the training gateway's objects, as Stripe pages them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from console.sandbox.gateway_forms import Params, Said, invalid
from console.sandbox.gateway_ledger import Ledger
from console.sandbox.gateway_store import Thing, all_of, look_up, page

Call = Callable[[Ledger, tuple[str, ...], Params], Said]

_SEARCH: Final = re.compile(
    r"""\s*(?:(?P<field>customer|status|currency)|metadata\[['"](?P<meta>[^'"]{1,40})['"]\])"""
    r"""\s*:\s*['"](?P<value>[^'"]{0,500})['"]\s*"""
)
METHOD_KINDS: Final = ("card", "us_bank_account")


def told(thing: Thing) -> dict[str, Any]:
    """Say what the gateway tells of an object."""
    hidden = {"payment_intent_data", "lines"}
    return {name: value for name, value in thing.body.items() if name not in hidden}


def show(kind: str) -> Call:
    """Show one object."""

    def call(books: Ledger, ids: tuple[str, ...], _params: Params) -> Said:
        return Said(200, told(books.find(kind, ids[0])))

    return call


def list_things(kind: str, parent: str = "") -> Call:
    """List objects of a kind, the newest first."""

    def call(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
        filters: dict[str, str | int | None] = {"customer": params.text("customer")}
        if parent:
            filters["parent"] = params.text(parent)
        return _listed(books, kind, params, filters)

    return call


def list_customers(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
    """List customers, all or those with an e-mail address."""
    email = params.text("email")
    if email is None:
        return _listed(books, "customer", params, {})
    found = [c.body for c in all_of(books.db, "customer") if c.body["email"] == email]
    return Said(200, _list("/v1/customers", found[: params.whole("limit", 1, 100) or 10], False))


def list_refunds(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
    """List refunds, all or those of one charge or payment."""
    charge, intent = params.text("charge"), params.text("payment_intent")
    if intent is not None:
        charge = books.find("payment_intent", intent, "payment_intent").body["latest_charge"] or ""
    return _listed(books, "refund", params, {"parent": charge})


def list_sessions(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
    """List payment pages, all or those of one customer or payment."""
    intent = params.text("payment_intent")
    if intent is not None:
        payment = books.find("payment_intent", intent, "payment_intent")
        found = look_up(books.db, payment.parent or "", "checkout.session")
        params.anything("limit")
        return Said(200, _list("/v1/checkout/sessions", [told(found)] if found else [], False))
    return _listed(books, "checkout.session", params, {"customer": params.text("customer")})


def list_methods(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
    """List the stored methods of a customer."""
    return _methods(books, params.need("customer"), params)


def list_methods_of(books: Ledger, ids: tuple[str, ...], params: Params) -> Said:
    """List the stored methods of the customer in the path."""
    return _methods(books, ids[0], params)


def _methods(books: Ledger, customer: str, params: Params) -> Said:
    books.find("customer", customer, "customer")
    kind = params.choice("type", METHOD_KINDS)
    keeps = (lambda thing: thing.body["type"] == kind) if kind else None
    return _listed(books, "payment_method", params, {"customer": customer}, keeps)


def search(kind: str) -> Call:
    """Search by metadata and a few fields."""

    def call(books: Ledger, _ids: tuple[str, ...], params: Params) -> Said:
        wanted = []
        for clause in re.split(r"\s+AND\s+", params.need("query", 1000)):
            match = _SEARCH.fullmatch(clause)
            if match is None:
                raise invalid("We were unable to parse your search query.", "query")
            wanted.append((match["field"], match["meta"], match["value"]))
        limit = params.whole("limit", 1, 100) or 10
        skip = params.whole("page", 0, 10**9) or 0

        def fits(body: dict[str, Any]) -> bool:
            return all(
                (body.get(field) if field else body["metadata"].get(meta)) == value
                for field, meta, value in wanted
            )

        found = [t.body for t in all_of(books.db, kind) if fits(t.body)]
        more = len(found) > skip + limit
        return Said(
            200,
            {
                "object": "search_result", "url": f"/v1/{kind}s/search", "has_more": more,
                "data": found[skip : skip + limit],
                "next_page": str(skip + limit) if more else None,
            },
        )  # fmt: skip

    return call


def expand(books: Ledger, body: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Put whole objects where ids stand, as `expand[]` asks."""
    for path in paths:
        _expand(books, body, path.split("."))
    return body


def _expand(books: Ledger, found: Any, steps: list[str]) -> None:
    if isinstance(found, list):
        for one in found:
            _expand(books, one, steps)
    elif isinstance(found, dict) and steps:
        value = found.get(steps[0])
        if isinstance(value, str):
            thing = look_up(books.db, value)
            found[steps[0]] = told(thing) if thing else value
        _expand(books, found.get(steps[0]), steps[1:])


def _listed(
    books: Ledger,
    kind: str,
    params: Params,
    filters: dict[str, str | int | None],
    keeps: Callable[[Thing], bool] | None = None,
) -> Said:
    limit = params.whole("limit", 1, 100) or 10
    created = params.inner("created")
    if created is not None:
        for name, field, step in (
            ("gte", "least", 0), ("gt", "least", 1), ("lte", "most", 0), ("lt", "most", -1)
        ):  # fmt: skip
            bound = created.whole(name, most=2**40)
            if bound is not None:
                filters[field] = bound + step
    for name, field in (("starting_after", "after"), ("ending_before", "before")):
        place = params.text(name)
        if place is not None:
            filters[field] = books.find(kind, place, name).id
    found, more = page(books.db, kind, 10_000 if keeps else limit, filters=filters)
    if keeps is not None:
        fitting = [thing for thing in found if keeps(thing)]
        found, more = fitting[:limit], len(fitting) > limit
    path = kind.replace(".", "/")
    return Said(200, _list(f"/v1/{path}s", [told(thing) for thing in found], more))


def _list(url: str, data: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    return {"object": "list", "url": url, "has_more": more, "data": data}

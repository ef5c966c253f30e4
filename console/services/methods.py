"""Stored methods: have the gateway keep a card, choose the usual one, take one away.

A desk writes a wish down; whoever carries sees to it at the gateway. A card is only ever typed on
the gateway's own page, and what it is called there only whoever carries may read.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Final
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.clients import gateway
from console.clients.gateway import (
    GatewayBusy,
    GatewayRefused,
    Page,
    PageState,
    PaymentGateway,
    Stumbled,
    Unexpected,
    Unreachable,
)
from console.domain import times
from console.domain.courier import LEASE, is_hopeless, next_pause
from console.domain.errors import ConsoleError
from console.domain.members import display_name
from console.domain.methods import (
    MethodKind,
    RequestKind,
    RequestState,
    expiry_words,
    has_expired,
    method_words,
)
from console.domain.payments import SENDS_BEFORE_LOOKING
from console.domain.texts import clean_text
from console.models.base import change_where, touch
from console.models.methods import (
    GatewayCustomer,
    MethodRequest,
    MethodToken,
    StoredMethod,
    auto_pays_with,
    customer_of,
    is_being_charged,
    methods_of,
    open_adding_of,
    request_is_due,
    requests_of,
    token_of,
)
from console.models.problems import (
    DatabaseCrossed,
    again_if_crossed,
)
from console.models.staff import names_of_staff
from console.services import audit, caller, members
from console.services.audit import Action
from console.services.courier import Round, in_turn
from console.services.desk import Desk, check_may_change

PAGE_OPEN_FOR: Final = timedelta(hours=1)
"""How long a caller has for the gateway's page; after that it is shut."""
OPENED_WITHIN: Final = timedelta(minutes=30)
"""A page that could not be opened by then is given up: the caller is long gone."""
_LATELY: Final = timedelta(minutes=10)
"""What was not stored within this time is still told of."""
_NOT_GONE: Final = timedelta(days=7)
"""What the gateway did not take away is told of for longer: somebody must do it there."""
_SOONEST_LOOK: Final = timedelta(seconds=1)
_LATEST_LOOK: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_MOST_STUMBLES: Final = 6
_CLOCKS_APART: Final = timedelta(minutes=5)
_RETURN_PAGE: Final = "https://example.invalid/stored"


class NotStored(ConsoleError):
    """A method cannot be stored here and now."""


class NoSuchMethod(ConsoleError):
    """The method is not on file any more."""


class InUse(ConsoleError):
    """Something still pays with this method."""


@dataclass(frozen=True)
class StoredRow:
    """A card or bank account that the gateway keeps for a member."""

    id: str
    kind: MethodKind
    words: str
    """“Visa ending in 4242”"""
    expires: str
    """“04/29”; empty for a bank account."""
    has_expired: bool
    is_default: bool
    added: str
    """When and by whom it was stored, in words."""
    why_kept: str
    """Why it cannot be taken away just now, in words; empty when it can."""


@dataclass(frozen=True)
class RequestRow:
    """A wish for a member's methods, and how far it has come."""

    id: str
    kind: RequestKind
    state: RequestState
    words: str
    page_url: str
    """Where the card is typed; empty unless the page is open."""
    may_shut: bool


@dataclass(frozen=True)
class MethodsSheet:
    """What is stored for a member, and what is under way."""

    member_id: int
    methods: tuple[StoredRow, ...]
    requests: tuple[RequestRow, ...]
    """Under way, or not stored lately; the newest first."""
    why_not_add: str
    """Why nothing can be stored here and now, in words; empty when it can."""


# At the desk


def of_member(desk: Desk, member_id: int, call_id: str | None = None) -> MethodsSheet:
    """Answer what is stored for a member, what is under way, and whether more can be stored."""
    with desk.records.read() as db:
        members.find(db, member_id)
        staff = names_of_staff(db)
        now = desk.office_time(db)
        return MethodsSheet(
            member_id,
            tuple(_row(db, desk, one, staff) for one in methods_of(db, member_id)),
            tuple(
                _request_row(db, one)
                for one in requests_of(db, member_id, now - _NOT_GONE)
                if _is_told(one, now)
            ),
            _why_not_here(desk) or _why_not_in_call(db, desk, member_id, call_id),
        )


def add(
    desk: Desk, request_id: str, member_id: int, call_id: str | None, *, make_default: bool = False
) -> MethodsSheet:
    """Ask for the gateway's page on which a card is stored, once, however often it is pressed.

    Raises NotStored where it cannot be: tokens are kept in an office's PostgreSQL only, and a
    method is stored in a call that the member began, for a verified caller.
    """
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            if db.get(MethodRequest, request_id) is not None:
                return
            members.find(db, member_id)
            why_not = _why_not_here(desk) or _why_not_in_call(db, desk, member_id, call_id)
            if why_not:
                raise NotStored(why_not)
            other = open_adding_of(db, member_id)
            if other is not None and other.id == request_id:
                return  # the same press came between the two questions
            if other is not None:
                raise NotStored(
                    "A page for this member’s card is open already. Finish it, or call it off "
                    "first."
                )
            now = desk.office_time(db)
            db.add(
                MethodRequest(
                    id=request_id,
                    member_id=member_id,
                    kind=RequestKind.ADD,
                    state=RequestState.WAITING,
                    make_default=make_default,
                    call_id=call_id,
                    asked_by=desk.colleague.login,
                    asked_at=now,
                    next_try_at=now,
                )
            )
            audit.record(
                db,
                desk,
                Action.METHOD_ASKED,
                member_id=member_id,
                call_id=call_id,
                request=request_id,
            )

    again_if_crossed(in_one_go)
    return of_member(desk, member_id, call_id)


def shut(desk: Desk, request_id: str) -> None:
    """Call a page off; a card that was typed there just before is stored all the same."""
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            request = db.get(MethodRequest, request_id)
            if request is None or request.kind is not RequestKind.ADD or not request.state.is_open:
                return
            request.state = RequestState.SHUT
            request.answer = "It was called off."

    again_if_crossed(in_one_go)


def remove(desk: Desk, click_id: str, method_id: str) -> None:
    """Take a method away: nobody can pay with it from now on, and the gateway forgets it.

    Raises InUse while Auto Pay or a payment on its way uses it.
    """
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            if db.get(MethodRequest, click_id) is not None:
                return
            method = _find(db, method_id)
            if method.removed_at is not None:
                return
            if why := _why_kept(db, method):
                raise InUse(why)
            now = desk.office_time(db)
            was_default = method.is_default
            method.is_default = False
            method.removed_by, method.removed_at = desk.colleague.login, now
            db.flush()
            rest = methods_of(db, method.member_id)
            if was_default and rest:
                rest[0].is_default = True
            db.add(
                MethodRequest(
                    id=click_id,
                    member_id=method.member_id,
                    kind=RequestKind.REMOVE,
                    state=RequestState.WAITING,
                    method_id=method_id,
                    asked_by=desk.colleague.login,
                    asked_at=now,
                    next_try_at=now,
                )
            )
            audit.record(
                db,
                desk,
                Action.METHOD_REMOVED,
                member_id=method.member_id,
                method=method_words(method.brand, method.last_four),
            )

    again_if_crossed(in_one_go)


def set_default(desk: Desk, method_id: str) -> None:
    """Make a method the one that is offered first."""
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            method = _find(db, method_id)
            if method.removed_at is not None:
                raise NoSuchMethod("This method was taken away. Choose another one.")
            if method.is_default:
                return
            _unset_default(db, method.member_id)
            method.is_default = True
            audit.record(
                db,
                desk,
                Action.METHOD_DEFAULT_CHANGED,
                member_id=method.member_id,
                method=method_words(method.brand, method.last_four),
            )

    again_if_crossed(in_one_go)


def _find(db: Session, method_id: str) -> StoredMethod:
    method = db.get(StoredMethod, method_id)
    if method is None:
        raise NoSuchMethod("This method is not on file. Look at the list again.")
    return method


def _unset_default(db: Session, member_id: int) -> None:
    for one in methods_of(db, member_id):
        one.is_default = False
    db.flush()  # two defaults at a time are refused by the database


def _why_not_here(desk: Desk) -> str:
    """Say why nothing is stored on this database; nothing where it is."""
    on_sqlite = desk.records.engine.dialect.name == "sqlite"
    if on_sqlite and not desk.settings.training:
        return (
            "Cards and bank accounts are only stored where the office shares a PostgreSQL server, "
            "which lets nobody but the courier read what they are called at the gateway. Here, "
            "take a card on the gateway’s page each time."
        )
    if on_sqlite and desk.gateway is None:
        return "No payment gateway is set up here, so no card can be stored."
    return ""


def _why_not_in_call(db: Session, desk: Desk, member_id: int, call_id: str | None) -> str:
    return caller.why_not(
        db,
        desk,
        member_id,
        call_id,
        no_call="Begin the call first: a card is only stored for a verified caller.",
        we_rang="A card is only stored in a call that the member began. If we rang them, ask them "
        "to call us back at the number on their bill.",
        not_verified="Verify the caller first: then a card can be stored.",
    )


def _why_kept(db: Session, method: StoredMethod) -> str:
    accounts = auto_pays_with(db, method.id)
    words = method_words(method.brand, method.last_four)
    if accounts:
        some = ("account " if len(accounts) == 1 else "accounts ") + ", ".join(accounts)
        return f"Auto Pay of {some} uses {words}. End it or give it another method first."
    if is_being_charged(db, method.id):
        return f"A payment with {words} is on its way. Wait until it is known, then take it away."
    return ""


def _row(db: Session, desk: Desk, method: StoredMethod, staff: dict[str, str]) -> StoredRow:
    now = desk.office_time(db)
    when = times.when(method.added_at, now, desk.settings.zone)
    return StoredRow(
        method.id,
        method.kind,
        method_words(method.brand, method.last_four),
        expiry_words(method.expires),
        has_expired(method.expires, times.day_of(now, desk.settings.zone)),
        method.is_default,
        f"stored {when} by {staff.get(method.added_by, method.added_by)}",
        _why_kept(db, method),
    )


def _is_told(request: MethodRequest, now: datetime) -> bool:
    if request.finished_at is None:
        return True
    if request.state is RequestState.DONE:
        return False  # the list of methods says that already
    return request.kind is RequestKind.REMOVE or now - request.finished_at < _LATELY


def _request_row(db: Session, request: MethodRequest) -> RequestRow:
    going = request.state.is_open
    return RequestRow(
        request.id,
        request.kind,
        request.state,
        _request_words(db, request),
        request.page_url if request.state is RequestState.OPEN else "",
        going and request.kind is RequestKind.ADD,
    )


def _request_words(db: Session, request: MethodRequest) -> str:
    if request.kind is RequestKind.REMOVE:
        method = db.get_one(StoredMethod, request.method_id)
        words = method_words(method.brand, method.last_four)
        if not request.state.is_open:
            return f"{words}: {request.answer}"
        return " ".join((f"{words} is being taken away at the gateway.", request.answer)).strip()
    if request.state is RequestState.WAITING:
        return " ".join(("Asking the gateway for its page…", request.answer)).strip()
    if request.state is RequestState.OPEN:
        return " ".join(
            ("Type the card on the gateway’s page while the caller reads it out.", request.answer)
        ).strip()
    if request.finished_at is None:
        return "It was called off. The page is being shut."
    return request.answer


# The courier


@dataclass(frozen=True)
class _Held:
    """A wish in hand: what to ask the gateway, the same words every time."""

    id: str
    member_id: int
    kind: RequestKind
    lease: str
    """Shows that the lease is ours."""
    tries: int
    asked_at: datetime
    taken_at: datetime
    called_off: bool
    page: str
    customer: str
    name: str
    email: str
    token: str
    """What the gateway calls the method that goes."""

    @property
    def age(self) -> timedelta:
        """How long ago it was asked for."""
        return self.taken_at - self.asked_at


@dataclass(frozen=True)
class _Open:
    """The page is open and waits for the card."""

    page: Page


@dataclass(frozen=True)
class _Kept:
    """The gateway keeps the card."""

    method: gateway.StoredMethod


@dataclass(frozen=True)
class _End:
    """It came to an end, and nothing was stored."""

    state: RequestState
    words: str


@dataclass(frozen=True)
class _Later:
    """Nothing is known; the same is asked again."""

    words: str
    wait: timedelta | None = None


_Heard = _Open | _Kept | _End | _Later


def make_round(desk: Desk, limit: int = 20) -> Round:
    """Bring every wish that is due a step further; one that fails stops no other."""
    if desk.gateway is None or not desk.carries:
        return Round(0, 0)
    return in_turn(_due(desk, limit), partial(carry, desk), "a stored method")


def carry(desk: Desk, request_id: str) -> bool:
    """Bring one wish a step further now, if this desk carries; answer whether it came to an end."""
    if desk.gateway is None or not desk.carries:
        return False
    held = again_if_crossed(lambda: _claim(desk, request_id))
    if held is None:
        return False
    heard = _ask(desk, desk.gateway, held)
    return again_if_crossed(lambda: _write_down(desk, held, heard))


def _due(desk: Desk, limit: int) -> Sequence[str]:
    with desk.records.read() as db:
        return db.scalars(
            select(MethodRequest.id)
            .where(request_is_due(desk.office_time(db)))
            .order_by(MethodRequest.next_try_at, MethodRequest.id)
            .limit(limit)
        ).all()


def _claim(desk: Desk, request_id: str) -> _Held | None:
    """Take a wish in hand by compare-and-set while nobody else has it."""
    lease = f"{desk.workstation[:40]}/{uuid4().hex[:32]}"
    with desk.records.begin() as db:
        now = desk.office_time(db)
        row = db.scalar(
            select(MethodRequest).where(MethodRequest.id == request_id, request_is_due(now))
        )
        if row is None:
            return None
        taken: dict[str, object] = {
            "leased_by": lease,
            "leased_until": now + LEASE,
            "next_try_at": now + LEASE,
            "tries": row.tries + 1,
        }
        waits = row.kind is RequestKind.REMOVE and is_being_charged(db, row.method_id or "")
        if waits:  # a payment with it was asked for in the same moment
            taken = {"next_try_at": now + timedelta(seconds=5), "tries": row.tries + 1}
        took = change_where(
            db,
            update(MethodRequest)
            .where(MethodRequest.id == request_id, MethodRequest.version == row.version)
            .values(**taken, version=row.version + 1),
        )
        if not took or waits:
            return None
        member = members.find(db, row.member_id)
        return _Held(
            row.id,
            row.member_id,
            row.kind,
            lease,
            row.tries + 1,
            row.asked_at,
            now,
            row.state is RequestState.SHUT,
            row.page_id,
            customer_of(db, row.member_id),
            display_name(member.given_names, member.name),
            member.email,
            token_of(db, row.method_id) if row.method_id else "",
        )


def _ask(desk: Desk, till: PaymentGateway, held: _Held) -> _Heard:
    """Say it to the gateway; an answer that does not count is asked for again."""
    try:
        if held.kind is RequestKind.REMOVE:
            return _take_away(till, held)
        return _look_at_page(desk, till, held)
    except GatewayBusy as busy:
        return _Later(str(busy), timedelta(seconds=min(max(busy.retry_after, 1.0), 600.0)))
    except (Unreachable, Unexpected) as problem:
        words = str(problem)
    hopeless = is_hopeless(held.tries, held.asked_at, held.taken_at)
    if held.kind is RequestKind.REMOVE and hopeless:
        return _End(
            RequestState.REFUSED,
            "The gateway did not take it away. Nobody can pay with it from here; tell your "
            "supervisor to remove it at the gateway.",
        )
    return _Later(words)


def _take_away(till: PaymentGateway, held: _Held) -> _End:
    if held.token:
        till.remove_method(held.token)
    return _End(RequestState.DONE, "The gateway has forgotten it.")


def _look_at_page(desk: Desk, till: PaymentGateway, held: _Held) -> _Heard:
    """Open the page, ask how far it has come, or shut it."""
    page = _page(desk, till, held)
    if isinstance(page, _End):
        return page
    if page is None:
        return _End(RequestState.SHUT, "It was called off. Nothing was stored.")
    if page.state is PageState.OPEN:
        return _Open(page)
    if page.method is not None:
        return _Kept(page.method)
    words = "It was called off." if held.called_off else "The page ran out unused."
    return _End(RequestState.SHUT, f"{words} Nothing was stored.")


def _page(desk: Desk, till: PaymentGateway, held: _Held) -> Page | _End | None:
    since = held.asked_at - _CLOCKS_APART
    if held.called_off and held.tries == 1:
        return None  # the gateway never heard of it
    if not held.page and held.called_off:
        # It may have been opened by a courier that died before it could say so.
        found = till.find_page(held.id, None, since=since)
        return found and till.shut_page(found.id, held.id, None)
    if not held.page and held.age >= OPENED_WITHIN:
        # Where a page is was never known to anybody, so nothing can have been typed on one.
        return _End(
            RequestState.REFUSED,
            "The gateway’s page could not be opened in time. Nothing was stored; ask once more "
            "when the member calls.",
        )
    try:
        if held.page:
            over = held.called_off or held.age >= PAGE_OPEN_FOR
            look = till.shut_page if over else till.page
            return look(held.page, held.id, None)
        customer = held.customer or _make_customer(desk, till, held)
        return till.open_saving_page(held.id, customer, _RETURN_PAGE, (gateway.MethodKind.CARD,))
    except Stumbled:
        # It says the same to this key for ever; only a look tells whether the page is there.
        if held.page or held.tries < SENDS_BEFORE_LOOKING:
            raise
        found = till.find_page(held.id, None, since=since)
        if found is None and held.tries < _MOST_STUMBLES:
            raise  # it may only have been down for a moment
        return found or _End(
            RequestState.REFUSED,
            "The gateway had an error of its own. Nothing was stored; add the card once more.",
        )
    except GatewayRefused as refusal:
        if held.page and refusal.code != "resource_missing":
            raise
        return _End(
            RequestState.REFUSED,
            f"{refusal} Nothing was stored. Ask once more; if it goes on, tell your supervisor.",
        )


def _make_customer(desk: Desk, till: PaymentGateway, held: _Held) -> str:
    """Make the member known at the gateway, once, and keep what they are called there."""
    reference = f"member-{held.member_id}"
    # A key takes no other words than the first time, and one that stumbled says so for a day: with
    # a new name, and after some tries, it is another key. Should the first have been heard all the
    # same, a customer without anything stays behind, which harms nobody.
    afresh = held.id if held.tries >= SENDS_BEFORE_LOOKING else ""
    said = "\n".join((reference, held.name, held.email, afresh))
    key = f"customer-{sha256(said.encode()).hexdigest()[:40]}"
    made = till.add_customer(key, reference, held.name, held.email)

    def keep() -> str:
        with desk.records.begin() as db:
            known = customer_of(db, held.member_id)
            if not known:
                db.add(GatewayCustomer(member_id=held.member_id, customer=made.id))
            return known or made.id

    return again_if_crossed(keep)


def _write_down(desk: Desk, held: _Held, heard: _Heard) -> bool:
    """Write down what was heard; answer whether the wish has come to its end.

    What the gateway has done is written down whether or not the lease is still ours, and once:
    whatever is finished stays as it is.
    """
    with desk.records.begin() as db:
        row = db.get_one(MethodRequest, held.id)
        if row.finished_at is not None:
            return True
        now = desk.office_time(db)
        match heard:
            case _Kept():
                _store(db, desk, row, heard.method, now)
            case _End():
                _finish(row, heard.state, heard.words, now)
                if row.kind is RequestKind.ADD:
                    audit.record(
                        db,
                        desk,
                        Action.METHOD_NOT_STORED,
                        member_id=row.member_id,
                        call_id=row.call_id,
                        answer=row.answer,
                        asked_by=row.asked_by,
                    )
            case _Open():
                _keep_page(db, row, held, heard.page, now)
                return False
            case _Later():
                _put_back(db, row, held, heard, now)
                return False
        return True


def _store(
    db: Session, desk: Desk, row: MethodRequest, kept: gateway.StoredMethod, now: datetime
) -> None:
    """Write a method down under the id of the wish for it, so that it is there once."""
    is_default = row.make_default or not any(
        one.is_default for one in methods_of(db, row.member_id)
    )
    if is_default:
        _unset_default(db, row.member_id)
    year, month = kept.expires or (None, None)
    db.add(
        StoredMethod(
            id=row.id,
            member_id=row.member_id,
            kind=MethodKind(kept.kind),
            brand=clean_text(kept.brand, 40),
            last_four=kept.last_four[-4:],
            expires_year=year,
            expires_month=month,
            is_default=is_default,
            added_by=row.asked_by,
            added_at=now,
        )
    )
    db.add(MethodToken(id=row.id, token=kept.id))
    db.flush()
    words = method_words(kept.brand, kept.last_four)
    row.method_id = row.id
    if row.state is RequestState.SHUT:  # which stays so; the card was quicker
        told = f"{words} was typed just before the page was called off, so it is stored."
        _finish(row, RequestState.SHUT, told, now)
    else:
        _finish(row, RequestState.DONE, f"{words} is stored.", now)
    audit.record(
        db,
        desk,
        Action.METHOD_STORED,
        member_id=row.member_id,
        call_id=row.call_id,
        method=words,
        asked_by=row.asked_by,
    )


def _finish(row: MethodRequest, state: RequestState, words: str, now: datetime) -> None:
    row.state, row.answer, row.finished_at = state, clean_text(words, 500), now
    row.page_url, row.leased_by, row.leased_until = "", "", None


def _keep_page(db: Session, row: MethodRequest, held: _Held, page: Page, now: datetime) -> None:
    """Write down where the page is, and look at it again soon; less often as it grows old."""
    wait = min(max(held.age / 60, _SOONEST_LOOK), _LATEST_LOOK)
    values: dict[str, object] = {"page_id": page.id, "page_url": page.url, "answer": ""}
    if row.state is RequestState.WAITING:
        values["state"] = RequestState.OPEN
    if row.state is RequestState.SHUT:
        values["answer"], wait = row.answer, _SOONEST_LOOK
    _leave(db, row, held, values, now + wait)


def _put_back(db: Session, row: MethodRequest, held: _Held, later: _Later, now: datetime) -> None:
    chance = random.random()  # noqa: S311  # spreads tries, guards nothing
    if row.kind is RequestKind.REMOVE:
        pause = next_pause(held.tries, chance)
    else:  # somebody waits for it at first; the looks at an open page are no tries
        pause = max(next_pause(min(held.tries, 4), chance), min(held.age / 20, _LONGEST_PAUSE))
    called_off = row.state is RequestState.SHUT
    values: dict[str, object] = {
        "answer": row.answer if called_off else clean_text(later.words, 500)
    }
    _leave(db, row, held, values, now + (later.wait or pause))


def _leave(
    db: Session, row: MethodRequest, held: _Held, values: dict[str, object], again_at: datetime
) -> None:
    """Leave a wish for the next round; screens hear of it when there is something new to see."""
    if row.leased_by == held.lease:
        values |= {"leased_by": "", "leased_until": None, "next_try_at": again_at}
    elif row.page_id or "page_id" not in values:
        return  # another courier has it in hand, and knows where its page is
    seen = ("state", "page_url", "answer")
    is_news = any(name in values and getattr(row, name) != values[name] for name in seen)
    changed = change_where(
        db,
        update(MethodRequest)
        .where(MethodRequest.id == row.id, MethodRequest.version == row.version)
        .values(**values, version=row.version + 1),
    )
    if not changed:
        raise DatabaseCrossed("Somebody has just called this off. It is looked at again.")
    if is_news:
        touch(db, *row.touches())

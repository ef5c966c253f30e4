"""Auto Pay: enrol an account, end it, and let a courier pay on the day, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain import times
from console.domain.autopay import (
    BadAutoPay,
    RunState,
    amount_to_run,
    check_day,
    check_most,
    day_words,
    days_to_run,
    has_expired,
    is_last_chance,
    next_run,
    runs_on,
)
from console.domain.contact import Asked
from console.domain.errors import ConsoleError
from console.domain.members import AlertKind, display_name
from console.domain.methods import MethodKind, method_words
from console.domain.money import Money
from console.domain.payments import Origin, PaymentState, PaymentWay
from console.domain.texts import check_text
from console.domain.verification import check_email
from console.models.autopay import (
    AutoPay,
    AutoPayRun,
    auto_pay_of,
    auto_pays_of,
    disputed_with,
    due_for_run,
    run_of,
    runs_in_trouble,
    runs_of,
    unsent,
)
from console.models.members import Member, open_alerts_of
from console.models.methods import StoredMethod, methods_of
from console.models.payments import (
    LARGEST_PAYMENT,
    Payment,
    PaymentShare,
    PhoneAuthorization,
    limit,
    open_payment_of,
    return_of,
)
from console.models.problems import DatabaseAway, DatabaseTrouble, Stale, again_if_crossed
from console.models.staff import names_of_staff
from console.services import audit, authorizations, caller, members
from console.services.audit import Action
from console.services.desk import Desk, check_may_change
from console.services.members import NoSuchMember

_TROUBLED_LATELY: Final = timedelta(days=30)
_MOST_RUNS: Final = 6
SHORTEST_SCRIPT: Final = 40
"""Fewer letters cannot say what Nacha wants to be said; the database refuses them too."""
WAYS_TO_END: Final = tuple(Asked)
"""Whoever allowed it may take it back in any way."""


class NotAgreed(ConsoleError):
    """Nobody is there who could agree to this."""


class EnrolledAlready(ConsoleError):
    """The account is paid by itself already."""


@dataclass(frozen=True)
class MethodChoice:
    """A stored method to pay with."""

    id: str
    kind: MethodKind
    words: str
    last_four: str
    refusal: str
    """Why it cannot be taken; empty when it can."""


@dataclass(frozen=True)
class AutoPayForm:
    """What the enrolment sheet begins with."""

    account_number: str
    printed_number: str
    member_name: str
    email: str
    due_on: date | None
    today: date
    methods: tuple[MethodChoice, ...]
    refusal: str
    """Why this account cannot be enrolled here and now; empty when it can."""


@dataclass(frozen=True)
class RecurringMandate:
    """What a caller allowed of their bank account for every month, as it was read out."""

    script: str
    recording: str
    """Where the recording of the call is found."""
    notice_to: str
    """Where the written copy goes."""


@dataclass(frozen=True)
class AutoPayWish:
    """An enrolment as it was read back and agreed to."""

    id: str
    """Made when the sheet opens, so that pressing twice enrols once."""
    member_id: int
    account_number: str
    method_id: str
    call_id: str | None
    day_of_month: int | None = None
    most: Money | None = None
    mandate: RecurringMandate | None = None


@dataclass(frozen=True)
class RunRow:
    """What came of one dated run."""

    run_on: date
    amount: Money
    words: str
    is_good: bool | None
    """Whether money came; nothing while that is not known."""


@dataclass(frozen=True)
class AutoPayRow:
    """An enrolment as the member page shows it."""

    id: str
    account_number: str
    printed_number: str
    method_words: str
    day_words: str
    most: Money | None
    next_run: date | None
    amount: Money
    """What it would take if it ran now."""
    in_the_way: str
    """What would keep it from running, in words; empty when nothing does."""
    enrolled_by: str
    enrolled_at: datetime
    runs: tuple[RunRow, ...]


@dataclass(frozen=True)
class AutoPayTrouble:
    """A run that brought no money though some was due: somebody must speak with the member."""

    run_id: str
    member_id: int
    member_name: str
    account_number: str
    printed_number: str
    run_on: date
    amount: Money
    words: str


def prepare(desk: Desk, account_number: str, call_id: str | None = None) -> AutoPayForm:
    """Answer what the enrolment sheet begins with: the methods there are, and why not."""
    with desk.records.read() as db:
        account = members.find_account(db, account_number)
        member = members.find(db, account.member_id)
        today = _today(db, desk)
        refusal = _why_not_in_call(db, desk, account.member_id, call_id)
        if (going := auto_pay_of(db, account.number)) is not None:
            refusal = _already(db, going)
        methods = tuple(
            MethodChoice(
                one.id,
                one.kind,
                method_words(one.brand, one.last_four),
                one.last_four,
                _why_not_with(db, member.id, one, today),
            )
            for one in methods_of(db, member.id)
        )
        if not methods and not refusal:
            refusal = "No card or bank account is stored for this member. Store one first."
        return AutoPayForm(
            account.number,
            account.printed_number,
            display_name(member.given_names, member.name),
            member.email,
            account.due_on,
            today,
            methods,
            refusal,
        )


def enrol(desk: Desk, wish: AutoPayWish) -> AutoPayRow:
    """Write an enrolment down once, however often it is pressed.

    Raises NotAgreed outside a call that the member began, EnrolledAlready, or BadAutoPay.
    """
    check_may_change(desk)
    check_day(wish.day_of_month)
    check_most(wish.most)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            if db.get(AutoPay, wish.id) is None:
                _enrol(db, desk, wish)

    again_if_crossed(in_one_go)
    return row(desk, wish.id)


def end(desk: Desk, enrolment_id: str, asked: Asked, call_id: str | None = None) -> None:
    """End an enrolment; one that has ended stays ended, and what was sent is not called back."""
    check_may_change(desk)

    def in_one_go() -> None:
        with desk.records.begin() as db:
            found = _find(db, enrolment_id)
            if found.ended_at is not None:
                return
            if asked is Asked.CALLER_VERIFIED:
                _check_call(db, desk, found.member_id, call_id, must_have_called=False)
            now = desk.office_time(db)
            found.ended_by, found.ended_at = desk.colleague.login, now
            audit.record(
                db,
                desk,
                Action.AUTO_PAY_ENDED,
                member_id=found.member_id,
                account_number=found.account_number,
                call_id=call_id,
                auto_pay=found.id,
                asked=asked,
            )

    again_if_crossed(in_one_go)


def row(desk: Desk, enrolment_id: str) -> AutoPayRow:
    """Answer one enrolment as it stands."""
    with desk.records.read() as db:
        return _row(db, desk, _find(db, enrolment_id), names_of_staff(db))


def of_member(desk: Desk, member_id: int) -> tuple[AutoPayRow, ...]:
    """List the accounts of a member that are paid by themselves, with their last runs."""
    with desk.records.read() as db:
        staff = names_of_staff(db)
        return tuple(_row(db, desk, one, staff) for one in auto_pays_of(db, member_id))


def troubles(desk: Desk, most: int = 500) -> tuple[AutoPayTrouble, ...]:
    """List the runs of late that brought no money though some was due, the newest first."""
    with desk.records.read() as db:
        since = _today(db, desk) - _TROUBLED_LATELY
        return tuple(_trouble(db, run, words) for run, words in runs_in_trouble(db, since, most))


def run_due(desk: Desk, limit: int = 50) -> int:
    """Ask for the payments of today, and of days that were missed; answer how many were asked.

    Each account runs once a day however many couriers look: a run and its payment are one
    transaction, and the database takes only one run a day. What an open payment shuts is tried
    again in the next round.
    """
    if not desk.carries:
        return 0
    with desk.records.read() as db:
        today = _today(db, desk)
        # What nobody sends is given up after a while: no more is asked for than is carried.
        limit -= unsent(db)
        due = [(day, one) for day in days_to_run(today) for one in due_for_run(db, day, 5_000)]
    asked = 0
    for day, enrolment_id in due:
        if asked >= limit:
            break
        try:
            asked += _run(desk, enrolment_id, day)
        except DatabaseAway:
            raise
        except (IntegrityError, Stale, DatabaseTrouble):
            # Another courier was faster, or a desk has just begun a payment or taken the method
            # away; the next round looks again.
            continue
    return asked


# Enrolling


def _enrol(db: Session, desk: Desk, wish: AutoPayWish) -> None:
    account = members.find_account(db, wish.account_number)
    if account.member_id != wish.member_id:
        raise NoSuchMember("This account belongs to another member. Search for the member again.")
    going = auto_pay_of(db, account.number)
    if going is not None and going.id == wish.id:
        return  # the other press came between the two questions
    _check_call(db, desk, wish.member_id, wish.call_id, must_have_called=True)
    if going is not None:
        raise EnrolledAlready(_already(db, going))
    method = db.get(StoredMethod, wish.method_id)
    if method is None or method.member_id != wish.member_id:
        raise BadAutoPay("This card or bank account is not the member's. Choose another one.")
    refusal = _why_not_with(db, wish.member_id, method, _today(db, desk))
    if refusal:
        raise BadAutoPay(refusal)
    now = desk.office_time(db)
    db.add(
        AutoPay(
            id=wish.id,
            member_id=account.member_id,
            account_number=account.number,
            method_id=method.id,
            day_of_month=wish.day_of_month,
            most=wish.most,
            call_id=wish.call_id,
            enrolled_by=desk.colleague.login,
            enrolled_at=now,
        )
    )
    if method.kind is MethodKind.BANK:
        kept = _authorization(desk, wish, now)
        db.add(kept)
        authorizations.leave_copy(db, desk, kept, account.number, now)
    audit.record(
        db,
        desk,
        Action.AUTO_PAY_ENROLLED,
        member_id=account.member_id,
        account_number=account.number,
        call_id=wish.call_id,
        auto_pay=wish.id,
        method=method_words(method.brand, method.last_four),
        when=day_words(wish.day_of_month),
        most="" if wish.most is None else str(wish.most),
    )


def _authorization(desk: Desk, wish: AutoPayWish, now: datetime) -> PhoneAuthorization:
    """Make the proof that every month's debit was allowed: Nacha wants both, words and paper."""
    mandate = wish.mandate
    if mandate is None or len(mandate.script.strip()) < SHORTEST_SCRIPT:
        raise BadAutoPay(
            "A bank account is debited every month only after the authorization was read out and "
            "the caller said yes."
        )
    recording = check_text(mandate.recording, 80, "The reference of the recording")
    if not recording:
        raise BadAutoPay(
            "Type the reference of the call's recording: a monthly debit needs it as proof."
        )
    if not mandate.notice_to.strip():
        raise BadAutoPay("Type where the written copy goes: a monthly debit needs one.")
    return PhoneAuthorization(
        id=wish.id,
        member_id=wish.member_id,
        script=check_text(mandate.script, 4000, "The authorization", lines=True),
        recurring=True,
        recording=recording,
        notice_to=check_email(mandate.notice_to),
        accepted_at=now,
        read_by=desk.colleague.login,
    )


def _why_not_in_call(db: Session, desk: Desk, member_id: int, call_id: str | None) -> str:
    try:
        _check_call(db, desk, member_id, call_id, must_have_called=True)
    except NotAgreed as problem:
        return str(problem)
    return ""


def _check_call(
    db: Session, desk: Desk, member_id: int, call_id: str | None, *, must_have_called: bool
) -> None:
    call = caller.own_call(db, desk, call_id)
    if call is None or call.member_id != member_id:
        raise NotAgreed("Auto Pay is agreed on in a call with the member. Begin the call first.")
    if must_have_called and not call.member_began:
        raise NotAgreed(
            "Auto Pay is only agreed on in a call that the member began. Ask them to call us back "
            "at the number on their bill."
        )
    if call.verified_at is None:
        raise NotAgreed("Verify the caller first: then Auto Pay can be agreed on.")


def _why_not_with(db: Session, member_id: int, method: StoredMethod, today: date) -> str:
    """Say why a method cannot be used by itself, or nothing when it can."""
    words = method_words(method.brand, method.last_four)
    if method.removed_at is not None:
        return f"{words} was taken away."
    if has_expired(method.expires_year, method.expires_month, today):
        return f"{words} has expired."
    if disputed_with(db, method.id):
        return f"A payment with {words} is disputed."
    if method.kind is MethodKind.BANK and any(
        alert.kind is AlertKind.NO_CHEQUES for alert in open_alerts_of(db, member_id)
    ):
        return "No bank debits are taken from this member."
    return ""


def _already(db: Session, going: AutoPay) -> str:
    by = names_of_staff(db).get(going.enrolled_by, going.enrolled_by)
    return f"{by} has enrolled this account in Auto Pay already. End that first."


# Running


def _run(desk: Desk, enrolment_id: str, day: date) -> bool:
    """Ask for the payment of one account on one day; answer whether one was asked for."""
    with desk.records.begin() as db:
        found = db.get(AutoPay, enrolment_id)
        if found is None or found.ended_at is not None:
            return False
        now = desk.office_time(db)
        today = times.day_of(now, desk.settings.zone)
        account = members.find_account(db, found.account_number)
        if (
            not runs_on(found.day_of_month, account.due_on, day)
            or day < times.day_of(found.enrolled_at, desk.settings.zone)
            or run_of(db, account.number, day) is not None
        ):
            return False
        amount = amount_to_run(account.balance, found.most)
        shut = open_payment_of(db, account.number) is not None
        if shut and not is_last_chance(day, today):
            return False
        answer = _in_the_way(db, found, amount, today)
        if shut:
            answer = "Another payment for the account was still open, and then the day was over."
        run = AutoPayRun(
            id=str(uuid4()),
            auto_pay_id=found.id,
            member_id=found.member_id,
            account_number=account.number,
            run_on=day,
            amount=amount,
            state=RunState.SKIPPED if answer else RunState.ASKED,
            answer=answer,
            made_at=now,
        )
        db.add(run)
        db.flush()  # whoever comes second stops here, before any payment
        if not answer:
            _ask(db, desk, found, run, now)
        audit.record(
            db,
            desk,
            Action.AUTO_PAY_SKIPPED if answer else Action.AUTO_PAY_RUN,
            member_id=found.member_id,
            account_number=account.number,
            auto_pay=found.id,
            run=run.id,
            amount=str(amount),
            answer=answer,
        )
        return not answer


def _in_the_way(db: Session, found: AutoPay, amount: Money, today: date) -> str:
    """Say what keeps an enrolment from running for good today, or nothing."""
    if amount <= Money(0):
        return "Nothing was due."
    largest = limit(db, LARGEST_PAYMENT)
    if amount > largest:
        return f"{amount} is more than the {largest} that the office takes at once."
    return _why_not_with(db, found.member_id, db.get_one(StoredMethod, found.method_id), today)


def _ask(db: Session, desk: Desk, found: AutoPay, run: AutoPayRun, now: datetime) -> None:
    method = db.get_one(StoredMethod, found.method_id)
    db.add(
        Payment(
            id=run.id,
            member_id=found.member_id,
            way=PaymentWay.STORED,
            origin=Origin.AUTO_PAY,
            amount=run.amount,
            method_id=method.id,
            method_words=method_words(method.brand, method.last_four),
            asked_by=desk.colleague.login,
            asked_at=now,
            next_try_at=now,
        )
    )
    db.flush()
    db.add(PaymentShare(payment_id=run.id, account_number=run.account_number, amount=run.amount))
    db.flush()


# What is shown


def _find(db: Session, enrolment_id: str) -> AutoPay:
    found = db.get(AutoPay, enrolment_id)
    if found is None:
        raise ConsoleError("This enrolment is not on file. Open the member again.")
    return found


def _today(db: Session, desk: Desk) -> date:
    return times.day_of(desk.office_time(db), desk.settings.zone)


def _row(db: Session, desk: Desk, found: AutoPay, staff: Mapping[str, str]) -> AutoPayRow:
    account = members.find_account(db, found.account_number)
    method = db.get_one(StoredMethod, found.method_id)
    today = _today(db, desk)
    amount = amount_to_run(account.balance, found.most)
    going = next_run(found.day_of_month, account.due_on, today)
    if going == today and run_of(db, account.number, today) is not None:
        going = next_run(found.day_of_month, None, today + timedelta(days=1))
    return AutoPayRow(
        found.id,
        account.number,
        account.printed_number,
        method_words(method.brand, method.last_four),
        day_words(found.day_of_month),
        found.most,
        going,
        amount,
        _why_not_with(db, found.member_id, method, today),
        staff.get(found.enrolled_by, found.enrolled_by),
        found.enrolled_at,
        _runs(db, runs_of(db, account.number, _MOST_RUNS)),
    )


def _runs(db: Session, runs: Sequence[AutoPayRun]) -> tuple[RunRow, ...]:
    rows = []
    for run in runs:
        payment = db.get(Payment, run.id)
        if payment is None:
            rows.append(RunRow(run.run_on, run.amount, f"Left out: {run.answer}", is_good=False))
        elif return_of(db, run.id) is not None:
            rows.append(RunRow(run.run_on, run.amount, "The payment came back.", is_good=False))
        else:
            words = payment.state.words
            if payment.state is PaymentState.DECLINED and payment.answer:
                words = payment.answer
            good = None if payment.state.is_open else payment.state is PaymentState.CHARGED
            rows.append(RunRow(run.run_on, run.amount, words, is_good=good))
    return tuple(rows)


def _trouble(db: Session, run: AutoPayRun, words: str) -> AutoPayTrouble:
    member = db.get_one(Member, run.member_id)
    return AutoPayTrouble(
        run.id,
        run.member_id,
        display_name(member.given_names, member.name),
        run.account_number,
        members.find_account(db, run.account_number).printed_number,
        run.run_on,
        run.amount,
        words,
    )

"""The review tab: what a person must decide, and refunds that wait for a second supervisor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QPlainTextEdit, QWidget

from console.background import Background, DatabaseAway
from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.money import Money
from console.domain.payments import Verdict
from console.services import refunds, reviews
from console.services.desk import Desk
from console.services.refunds import RefundStatus
from console.services.reviews import Case, Decided, Decision
from console.views.refunds import open_refund
from console.views.screen import Screen
from console.views.sheet import Sheet, confirm
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Button,
    Card,
    CopyableValue,
    EmptyPlace,
    Field,
    FlowLayout,
    Notice,
    Words,
    act,
    column,
    heading,
    line_edit,
    muted,
    row,
)

_NOTHING = (
    "Nothing waits for a decision.",
    "A payment that the gateway shows nothing of, and a refund that needs a second person, come "
    "here by themselves.",
)


@dataclass(frozen=True)
class Waiting:
    """One line of the list: a case, or a refund that waits for somebody."""

    case: Case | None = None
    refund: RefundStatus | None = None

    @property
    def id(self) -> str:
        """What it is called by."""
        return self.case.id if self.case is not None else self._refund.id

    @property
    def stands(self) -> tuple[str, str, str]:
        """How it stands: word, icon and tone."""
        if self.case is not None:
            if self.case.can_be_decided:
                return "A person must look", "alert", "bad"
            return "Open for long", "hourglass", "warn"
        if self._refund.may_hand_out or self._refund.approved_by:
            return "Cash to hand out", "payments", "accent"
        return "Needs approval", "supervisor", "warn"

    @property
    def since(self) -> datetime:
        """When it was asked for."""
        return self.case.asked_at if self.case is not None else self._refund.asked_at

    @property
    def member_name(self) -> str:
        """Whose it is."""
        return self.case.member_name if self.case is not None else self._refund.member_name

    @property
    def amount(self) -> Money:
        """How much it is about."""
        return self.case.amount if self.case is not None else self._refund.amount

    @property
    def kind(self) -> str:
        """Whether it is a payment or a refund, and by which way."""
        if self.case is not None:
            return f"{'Refund to' if self.case.is_refund else 'Payment by'} {self._by}"
        return f"Refund to {self._refund.method_words}"

    @property
    def asked_by(self) -> str:
        """Who asked for it."""
        return self.case.asked_by if self.case is not None else self._refund.asked_by

    @property
    def words(self) -> str:
        """What is to be done about it."""
        return self.case.words if self.case is not None else self._refund.words

    @property
    def _by(self) -> str:
        return self.case.method_words if self.case is not None else ""

    @property
    def _refund(self) -> RefundStatus:
        assert self.refund is not None  # noqa: S101  # a line is one of the two
        return self.refund


def waiting(desk: Desk) -> tuple[Waiting, ...]:
    """List what waits for a person: cases to decide first, then refunds, then what is only slow."""
    found = reviews.cases(desk)
    return (
        *(Waiting(case=one) for one in found if one.can_be_decided),
        *(Waiting(refund=one) for one in refunds.waiting_for_second(desk)),
        *(Waiting(case=one) for one in found if not one.can_be_decided),
    )


class ReviewsPanel(Screen):
    """Everything about money that waits for a supervisor, and the way to its end."""

    open_member = Signal(int, str)
    """A member at one of their accounts."""

    shows = frozenset({"Payment", "Refund", "ReviewDecision"})

    def __init__(self, background: Background) -> None:
        super().__init__(background)
        self.setAccessibleName("Review")
        self._desk = background.desk
        self._read = False
        self._empty = EmptyPlace("check-circle", _NOTHING[0], more=_NOTHING[1])
        self.table: RowTable[Waiting] = RowTable(
            self._columns(), lambda one: one.id, name="What waits for a person", empty=self._empty
        )
        self.table.turned_to.connect(self._show_one)
        self.table.opened.connect(lambda _: self._on_go())
        self.count = muted("")
        self._make_card()
        self.page.addLayout(row(heading("Waits for a person"), self.count, 0))
        self.page.addWidget(self.table, 1)
        self.page.addWidget(self.card)
        self.setFocusProxy(self.table)
        self._show_one(None)

    def load(self) -> None:
        """Ask for the list as it stands now."""
        self.background.ask(waiting).latest(self, self.show_list, failed=self.show_unread)

    def show_list(self, rows: tuple[Waiting, ...]) -> None:
        """Show the list; the cursor stays on its row."""
        self.clear_problem()
        self._read = True
        self._empty.say(*_NOTHING, icon="check-circle")
        self.table.show_rows(rows)
        if self.table.current_row() is None and rows:
            self.table.turn_to(rows[0].id)
        self.count.setText(f"{len(rows):,}" if rows else "")
        self._show_one(self.table.current_row())

    def show_unread(self, problem: ConsoleError) -> None:
        """Keep what could still be read, or say in its place why there is nothing to see."""
        if not isinstance(problem, DatabaseAway):
            self.show_problem(problem)
        elif not self._read:
            self._empty.say(
                "This list cannot be read just now.",
                "It comes by itself as soon as the database answers.",
                "offline",
            )
            self.table.show_rows([], light=False)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()

    # How it is put together

    def _columns(self) -> tuple[Column[Waiting], ...]:
        return (
            Column(
                "Where it stands",
                lambda one: one.stands[0],
                width=190,
                least=170,
                icon=lambda one: one.stands[1],
                tone=lambda one: one.stands[2],
            ),
            Column(
                "Since",
                lambda one: one.since,
                lambda at: times.when(at, self._desk.now(), self._desk.settings.zone),
                width=140,
                least=116,
            ),
            Column("Member", lambda one: one.member_name, width=170, least=120, bold=True),
            Column("What", lambda one: one.kind, stretch=True),
            Column("Amount", lambda one: one.amount, align="right", width=100, least=84),
            Column("Asked by", lambda one: one.asked_by, width=130, least=90, spare=True),
        )

    def _make_card(self) -> None:
        self.card = Card(gap=12)
        self.card.setAccessibleName("What is known of it")
        self.about = Words("", "strong", wrap=True)
        self.todo = Words("", wrap=True)
        self.known = Words("", "text", "muted", wrap=True).selectable()
        self.go = act(self, "Decide", self._on_go, key="Ctrl+Return", icon="scales", listed=False)
        self.go_button = Button(self.go, "primary")
        self.off = act(self, "Call it off", self._on_call_off, icon="cross", listed=False)
        self.off_button = Button(self.off)
        self.member = act(self, "Open the member", self._on_member, icon="person", listed=False)
        self.card.body.addWidget(self.about)
        self.card.body.addWidget(self.todo)
        self.card.body.addWidget(self.known)
        self.card.body.addLayout(
            row(self.go_button, self.off_button, Button(self.member), 0, gap=GRID)
        )

    # What happens

    def _show_one(self, one: Waiting | None) -> None:
        self.card.setVisible(one is not None)
        if one is None:
            self.go.setEnabled(False)
            self.off.setEnabled(False)
            return
        self.about.setText(f"{one.amount} · {one.member_name} · {one.kind}")
        self.todo.setText(one.words)
        self.known.setText(self._all_known(one))
        supervises = self._desk.colleague.role.gives_back
        word, may = "Decide…", one.case is not None and one.case.can_be_decided and supervises
        if one.refund is not None:
            out = bool(one.refund.approved_by)
            word = "Hand the cash out…" if out else "Approve…"
            may = one.refund.may_hand_out if out else one.refund.may_approve
        self.go.setText(word)
        self.go.setEnabled(may)
        self.go_button.setVisible(one.case is None or one.case.can_be_decided)
        off = one.refund is not None and one.refund.may_call_off
        self.off.setEnabled(off)
        self.off_button.setVisible(off)

    def _all_known(self, one: Waiting) -> str:
        if one.refund is not None:
            mine = one.asked_by == self._desk.colleague.name
            second = (
                " Another supervisor must approve it."
                if mine and not (one.refund.approved_by)
                else ""
            )
            return f"Reason: {one.refund.reason}. Account {one.refund.account_number}.{second}"
        case = one.case
        if case is None:
            return ""
        return " · ".join(known_of(case, self._desk))

    def _on_go(self) -> None:
        one = self.table.current_row()
        if one is None or not self.go.isEnabled():
            return
        if one.case is not None:
            DecideSheet(self, self.background, one.case).open()
        elif one.refund is not None and one.refund.approved_by:
            open_refund(self, self.background, one.refund.payment_id)
        elif one.refund is not None:
            self._ask_to_approve(one.refund)

    def _ask_to_approve(self, refund: RefundStatus) -> None:
        confirm(
            self,
            f"Give {refund.amount} back to {refund.member_name}?",
            f"{refund.asked_by} asked for it: {refund.reason}. It goes to {refund.method_words}, "
            f"for account {refund.account_number}. You are the second person, and the trail says "
            "so.",
            "Approve it",
            partial(self._approve, refund.id),
        )

    def _approve(self, refund_id: str) -> None:
        self.background.ask(refunds.approve, refund_id).then(
            self, self._on_approved, busy=[self.go_button]
        )

    def _on_approved(self, refund: RefundStatus) -> None:
        say(self, f"Approved: {refund.amount} to {refund.member_name}.")
        if self._desk.carries and not refund.by_cash:
            self.background.ask(refunds.carry, refund.id).then(
                self, lambda _: self.load(), quiet=True
            )
        self.load()

    def _on_call_off(self) -> None:
        one = self.table.current_row()
        if one is not None and one.refund is not None:
            self.background.ask(refunds.call_off, one.refund.id).then(
                self, self._on_called_off, busy=[self.off_button]
            )

    def _on_called_off(self, refund: RefundStatus) -> None:
        say(self, refund.words)
        self.load()

    def _on_member(self) -> None:
        one = self.table.current_row()
        if one is not None and one.case is not None:
            self.open_member.emit(one.case.member_id, one.case.accounts[0])
        elif one is not None and one.refund is not None:
            self.open_member.emit(one.refund.member_id, one.refund.account_number)


def known_of(case: Case, desk: Desk) -> list[str]:
    """Say all that is known of a case, each in a few words."""

    def at(moment: datetime) -> str:
        return times.to_the_second(moment, desk.now(), desk.settings.zone)

    known = [f"Asked for {at(case.asked_at)} by {case.asked_by}"]
    if case.first_sent_at is None or case.sends == 0:
        known.append("Never sent")
    else:
        often = "once" if case.sends == 1 else f"{case.sends} times"
        known.append(f"Sent {often}, first {at(case.first_sent_at)}")
        if case.last_sent_at is not None and case.sends > 1:
            known.append(f"Last {at(case.last_sent_at)}")
        known.append("The gateway answered" if case.was_answered else "No answer ever came")
    if case.answer:
        known.append(case.answer)
    known.append(f"Account {', '.join(case.accounts)}")
    return known


class DecideSheet(Sheet):
    """Asks a supervisor what became of a payment, and what shows it."""

    decided = Signal(object)
    """How the case stands after the verdict."""

    def __init__(self, over: QWidget, background: Background, case: Case) -> None:
        what = "refund" if case.is_refund else "payment"
        super().__init__(over, f"What became of this {what}?", wide=620)
        self.background = background
        self._case = case
        self._verdict: Verdict | None = None
        self._make_known(case)
        self._make_form(case)
        self.go = act(self, "Decide", self._on_go, key="Ctrl+Return", icon="scales", listed=False)
        self.add_cancel()
        self.go_button = self.add_button(Button(self.go, "primary"))
        self._dress()
        self.choices[Verdict.NOT_CHARGED].setFocus()

    def reject(self) -> None:
        """Close; evidence that was typed is asked about first."""
        if self.evidence.toPlainText().strip():
            self.ask_to_leave("What you typed here is forgotten; the case stays open.", self._leave)
            return
        self._leave()

    def _leave(self) -> None:
        super().reject()

    def _make_known(self, case: Case) -> None:
        self.body.addWidget(
            Words(f"{case.amount} · {case.member_name} · {case.method_words}", "strong", wrap=True)
        )
        known = ". ".join(known_of(case, self.background.desk)) + "."
        self.body.addWidget(Words(known.replace("..", "."), "text", "muted", wrap=True))
        self.body.addWidget(CopyableValue("Our reference at the gateway", case.id, mono=True))

    def _make_form(self, case: Case) -> None:
        group = QButtonGroup(self)
        chips = QWidget()
        flow = FlowLayout(chips)
        self.choices: dict[Verdict, Button] = {}
        for verdict, word, icon in (
            (Verdict.CHARGED, "The gateway shows it: money moved", "check-circle"),
            (Verdict.NOT_CHARGED, "It is not there: no money moved", "cross-circle"),
        ):
            chip = Button(word, "chip", icon=icon)
            chip.setCheckable(True)
            chip.clicked.connect(partial(self._choose, verdict))
            group.addButton(chip)
            flow.addWidget(chip)
            self.choices[verdict] = chip
        self.gateway_id = line_edit(
            "re_3Q…" if case.is_refund else "pi_3Q…", spoken="Its name at the gateway", longest=120
        )
        self.gateway_id.textChanged.connect(self._dress)
        self.name = Field(
            "Its name at the gateway",
            self.gateway_id,
            "Copy it from the gateway’s own site: it begins with "
            f"{'re_' if case.is_refund else 'pi_'}.",
        )
        self.evidence = QPlainTextEdit()
        self.evidence.setAccessibleName("Evidence")
        self.evidence.setPlaceholderText("What you looked at, and what it showed")
        self.evidence.setTabChangesFocus(True)
        self.evidence.setFixedHeight(88)
        self.evidence.textChanged.connect(self._dress)
        self.note = Notice("info", "")
        self.note.hide()
        self.body.addWidget(chips)
        self.body.addLayout(
            column(
                self.name,
                Field("Evidence", self.evidence, "Kept with your name for as long as the payment."),
                self.note,
                gap=12,
            )
        )

    def _choose(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._dress()
        (self.gateway_id if verdict is Verdict.CHARGED else self.evidence).setFocus()

    def _dress(self) -> None:
        charged = self._verdict is Verdict.CHARGED
        self.name.setVisible(charged)
        self.note.say(self._note(), tone="warn")
        told = bool(self.evidence.toPlainText().strip())
        named = not charged or bool(self.gateway_id.text().strip())
        self.go.setEnabled(self._verdict is not None and told and named)

    def _note(self) -> str:
        case = self._case
        if self._verdict is None:
            return ""
        if self._verdict is Verdict.CHARGED:
            side = "charged again with" if case.is_refund else "credited with"
            return f"The account is {side} {case.amount}. This cannot be taken back here."
        if case.is_refund:
            return "The refund counts as not given, and can be asked for again."
        return "The payment counts as not taken, and may be taken again. Be sure."

    def _on_go(self) -> None:
        if self._verdict is None:
            return
        self.clear_problem()
        decision = Decision(
            self._case.id, self._verdict, self.evidence.toPlainText(), self.gateway_id.text()
        )
        self.background.ask(reviews.decide, decision).then(
            self, self._on_decided, busy=[self.go_button]
        )

    def _on_decided(self, decided: Decided) -> None:
        say(self, decided.words)
        self.decided.emit(decided)
        self.accept()

"""The sheet on which a payment is given back, voided, or written down as bounced."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from uuid import uuid4

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QVBoxLayout, QWidget

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.money import BadAmount, Money
from console.domain.payments import PaymentState, PaymentWay
from console.services import refunds
from console.services.changes import EVERYTHING
from console.services.desk import Desk
from console.services.refunds import (
    MOST_CODE,
    MOST_REASON,
    RefundOffer,
    RefundStatus,
    RefundWish,
    ShareLeft,
)
from console.views.sheet import Sheet, confirm
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Button,
    Field,
    FlowLayout,
    Mark,
    Notice,
    Words,
    act,
    column,
    label,
    line_edit,
    row,
)

STATES = {
    PaymentState.INTENT: ("hourglass", "warn"),
    PaymentState.SENDING: ("send", "muted"),
    PaymentState.UNKNOWN: ("help", "warn"),
    PaymentState.CHARGED: ("check-circle", "good"),
    PaymentState.DECLINED: ("cross-circle", "bad"),
    PaymentState.REVIEW: ("alert", "bad"),
    PaymentState.ABANDONED: ("dash", "muted"),
}
"""Each state of a refund: its icon and the tone that says the same."""


class What(StrEnum):
    """What can be done about a payment that was taken."""

    REFUND = "refund"
    VOID = "void"
    BOUNCED = "bounced"


_CHIPS = {
    What.REFUND: ("Give back", "undo"),
    What.VOID: ("Void", "ban"),
    What.BOUNCED: ("Cheque bounced", "mail-bounced"),
}


def open_refund(over: QWidget, background: Background, payment_id: str) -> RefundSheet:
    """Open the sheet on which a payment is given back or voided."""
    sheet = RefundSheet(over, background, payment_id)
    sheet.open()
    return sheet


class RefundSheet(Sheet):
    """Gives a payment back once, however often it is pressed."""

    done_with = Signal(str)
    """The payment about which something was done."""

    def __init__(self, over: QWidget, background: Background, payment_id: str) -> None:
        super().__init__(over, "Give a payment back", wide=600)
        self.background = background
        self.payment_id = payment_id
        # Made now and not at the press: however often that happens, it is done once.
        self._id = str(uuid4())
        self._offer: RefundOffer | None = None
        self._what = What.REFUND
        self._asked = False
        self._chosen = False
        self._make_words()
        self._make_form()
        self.go = act(self, "Give it back", self._on_go, key="Ctrl+Return", icon="undo",
                      listed=False)  # fmt: skip
        self.close_button = self.add_cancel()
        self.go_button = self.add_button(Button(self.go, "primary"))
        self.go_button.setEnabled(False)
        self.form.hide()
        background.changed.connect(self._on_changed)
        self._load()

    # What it does

    def show_offer(self, offer: RefundOffer) -> None:
        """Show what may be done; what was typed before stays."""
        fresh, before = self._offer is None, self._share()
        self._offer = offer
        if before is not None and self.amount.text() == str(before.left):
            self._on_account()  # nobody typed another amount; what is left may have changed
        desk = self.background.desk
        taken = times.when(offer.taken_at, desk.now(), desk.settings.zone)
        self.title.setText(f"Give back a payment of {offer.member_name}")
        self.summary.setText(f"{offer.amount} · {offer.method_words}")
        self.taken.setText(f"Taken {taken} by {offer.taken_by} · receipt {offer.receipt}")
        self.returned.say(
            f"This payment does not stand any more. {offer.returned}" if offer.returned else ""
        )
        self._show_given(offer.given)
        self._show_chips(offer)
        if fresh:
            self._show_accounts(offer)
            self.fee.setText(str(offer.most_fee))
            if offer.no_refund and not offer.no_void:
                self._what = What.VOID
            elif offer.no_refund and not offer.no_bounce:
                self._what = What.BOUNCED
            self.form.show()
        self._dress()
        if fresh:
            (self.amount if self._what is What.REFUND else self.reason).setFocus()

    def show_refund(self, refund: RefundStatus) -> None:
        """Show how the refund that was asked for here has come."""
        self._asked = True
        icon, tone = STATES[refund.state]
        self.form.hide()
        self.chips.hide()
        self.outcome.say(f"{refund.amount}: {refund.words}", icon, _notice_tone(tone))
        self.go_button.hide()
        self.close_button.setText("Close")
        self.close_button.setFocus()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong; an amount that is none is said beside its field."""
        if isinstance(problem, BadAmount):
            self.amount_field.say(str(problem), "bad")
            self.amount.setFocus()
            return
        super().show_problem(problem)

    def reject(self) -> None:
        """Close; a reason that was typed is asked about first."""
        if self.reason.text().strip() and not self._asked:
            self.ask_to_leave(
                "Nothing is given back, and what you typed here is forgotten.", self._leave
            )
            return
        self._leave()

    def _leave(self) -> None:
        # Qt would look `super().reject` up by its name, and ask again.
        super().reject()

    # How it is put together

    def _make_words(self) -> None:
        self.summary = Words("", "strong", wrap=True)
        self.taken = Words("", "text", "muted", wrap=True)
        self.returned = Notice("alert", "", "warn")
        self.returned.hide()
        self.outcome = Notice("info", "")
        self.outcome.hide()
        head = column(self.summary, self.taken, gap=2)
        self.body.addLayout(head)
        self.body.addWidget(self.returned)
        self.given = QWidget()
        self._given_lines = QVBoxLayout(self.given)
        self._given_lines.setContentsMargins(0, 0, 0, 0)
        self._given_lines.setSpacing(GRID // 2)
        self.given.hide()
        self.body.addWidget(self.given)
        self.chips = QWidget()
        flow = FlowLayout(self.chips)
        group = QButtonGroup(self)
        self.choices: dict[What, Button] = {}
        for what, (word, icon) in _CHIPS.items():
            chip = Button(word, "chip", icon=icon)
            chip.setCheckable(True)
            chip.clicked.connect(partial(self._choose, what))
            group.addButton(chip)
            flow.addWidget(chip)
            self.choices[what] = chip
        self.chips.hide()
        self.body.addWidget(self.chips)
        self.body.addWidget(self.outcome)

    def _make_form(self) -> None:
        self.form = QWidget()
        self.account = QComboBox()
        self.account.setAccessibleName("Account")
        self.account.currentIndexChanged.connect(self._on_account)
        self.account_field = Field("Which account’s part", self.account)
        self.amount = line_edit("84.10", spoken="Amount to give back", longest=12)
        self.amount.textChanged.connect(self._dress)
        self.amount_field = Field("Amount to give back", self.amount)
        self.code = line_edit("NSF", spoken="The bank’s mark", longest=MOST_CODE)
        self.code.textChanged.connect(self._dress)
        self.code_field = Field("The bank’s mark", self.code, "As it is stamped on the cheque.")
        self.fee = line_edit("30.00", spoken="Fee", longest=12)
        self.fee.textChanged.connect(self._dress)
        self.fee_field = Field("Fee", self.fee)
        self.reason = line_edit("Paid twice by mistake", spoken="Reason", longest=MOST_REASON)
        self.reason.textChanged.connect(self._dress)
        self.reason_field = Field(
            "Reason", self.reason, "Written on the ledger; the member may read it."
        )
        self.note = Notice("info", "")
        marks = row(self.code_field, self.fee_field, gap=2 * GRID)
        marks.setStretch(0, 2)
        marks.setStretch(1, 1)
        self.form.setLayout(
            column(
                self.account_field, self.amount_field, marks, self.reason_field, self.note, gap=12
            )
        )
        self.body.addWidget(self.form)

    def _show_accounts(self, offer: RefundOffer) -> None:
        self.account.blockSignals(True)
        for share in offer.shares:
            self.account.addItem(
                f"{share.account_number}, {share.service_address}: {share.left} left",
                share.account_number,
            )
        first = next((n for n, share in enumerate(offer.shares) if share.left > Money(0)), 0)
        self.account.setCurrentIndex(first)
        self.account.blockSignals(False)
        self._on_account()

    def _show_chips(self, offer: RefundOffer) -> None:
        refusals = self._refusals(offer)
        offered = {
            What.REFUND: True,
            What.VOID: offer.way.at_the_counter,
            What.BOUNCED: offer.way is PaymentWay.CHEQUE,
        }
        for what, chip in self.choices.items():
            chip.setVisible(offered[what])
            chip.setToolTip(refusals[what])
        self.chips.setVisible(offer.way.at_the_counter and not offer.returned and not self._asked)

    def _show_given(self, given: tuple[RefundStatus, ...]) -> None:
        while (item := self._given_lines.takeAt(0)) is not None:
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        others = [one for one in given if not (self._asked and one.id == self._id)]
        if others:
            self._given_lines.addWidget(label("Refunds of this payment"))
        for one in others:
            icon, tone = STATES[one.state]
            mark = Mark(icon, f"{one.amount}, account {one.account_number}. {one.words}", tone)
            mark.setWordWrap(True)
            line = QWidget()
            held = row(mark, gap=GRID)
            held.setStretch(0, 1)
            if one.may_hand_out:
                out = Button("Hand the cash out", icon="payments")
                out.clicked.connect(partial(self._on_hand_out, one))
                held.addWidget(out)
            if one.may_call_off:
                off = Button("Call off")
                off.clicked.connect(partial(self._on_call_off, one.id))
                held.addWidget(off)
            line.setLayout(held)
            self._given_lines.addWidget(line)
        self.given.setVisible(bool(others))

    # What happens

    def _load(self) -> None:
        self.background.ask(refunds.offer, self.payment_id).then(self, self.show_offer)

    def _choose(self, what: What) -> None:
        self._what = what
        self.clear_problem()
        self._dress()
        (self.amount if what is What.REFUND else self.reason).setFocus()

    def _refusals(self, offer: RefundOffer) -> dict[What, str]:
        return {
            What.REFUND: offer.no_refund,
            What.VOID: offer.no_void,
            What.BOUNCED: offer.no_bounce,
        }

    def _share(self) -> ShareLeft | None:
        offer = self._offer
        number = self.account.currentData()
        if offer is None:
            return None
        return next((one for one in offer.shares if one.account_number == number), None)

    def _on_account(self) -> None:
        share = self._share()
        if share is not None:
            self.amount.setText(str(share.left))

    def _typed(self) -> Money | None:
        try:
            return Money.parse(self.amount.text())
        except BadAmount:
            return None

    def _dress(self) -> None:
        offer = self._offer
        if offer is None or self._asked:
            return
        what = self._what
        self.choices[what].setChecked(True)
        refusal = self._refusals(offer)[what]
        open_to = not refusal
        self.amount_field.say()
        self.fee_field.say(f"{offer.most_fee} at most.")
        for part, there in (
            (self.account_field, what is What.REFUND and len(offer.shares) > 1),
            (self.amount_field, what is What.REFUND),
            (self.code_field, what is What.BOUNCED),
            (self.fee_field, what is What.BOUNCED),
            (self.reason_field, True),
        ):
            part.setVisible(there and open_to)
        amount = self._typed()
        words, tone = (refusal, "warn") if refusal else self._note(offer, amount)
        # That it does not stand any more is said above already.
        self.note.say("" if offer.returned else words, "alert" if refusal else "info", tone)
        self._name_button(offer, amount)
        told = self.reason.text().strip() and (what is not What.REFUND or amount is not None)
        self.go.setEnabled(bool(open_to and told))
        self.go_button.setVisible(open_to)

    def _note(self, offer: RefundOffer, amount: Money | None) -> tuple[str, str]:
        match self._what:
            case What.VOID:
                return (
                    "The money goes back to the member out of the drawer it was put into, and the "
                    "account owes it again.",
                    "accent",
                )
            case What.BOUNCED:
                return (
                    f"The account owes {offer.amount} again, and the fee. Tell the member.",
                    "accent",
                )
        if amount is not None and offer.needs_second(amount):
            return (
                f"More than {offer.alone} of one payment needs a second supervisor. It waits under "
                "Review until one approves it.",
                "warn",
            )
        if offer.way is PaymentWay.CHEQUE:
            return (
                "It is given back in cash, out of your drawer. Make sure first that the cheque "
                "has cleared.",
                "warn",
            )
        if offer.by_cash:
            return "It is given back in cash, out of your drawer.", "accent"
        return f"It goes back to {offer.method_words}, in a few days.", "accent"

    def _name_button(self, offer: RefundOffer, amount: Money | None) -> None:
        match self._what:
            case What.VOID:
                words = f"Void {offer.amount}"
            case What.BOUNCED:
                words = "Write it down"
            case _:
                words = f"Give back {amount}" if amount is not None else "Give it back"
        self.go.setText(words)

    def _on_go(self) -> None:
        self.clear_problem()
        reason = self.reason.text()
        try:
            self._send(reason)
        except BadAmount as problem:
            self.show_problem(problem)

    def _send(self, reason: str) -> None:
        busy = [self.go_button]
        if self._what is What.VOID:
            self.background.ask(refunds.void, self._id, self.payment_id, reason).then(
                self, self._on_returned, busy=busy
            )
        elif self._what is What.BOUNCED:
            fee = Money.parse(self.fee.text() or "0")
            self.background.ask(
                refunds.record_bounced, self._id, self.payment_id, self.code.text(), reason, fee
            ).then(self, self._on_returned, busy=busy)
        else:
            wish = RefundWish(
                self._id,
                self.payment_id,
                str(self.account.currentData()),
                Money.parse(self.amount.text()),
                reason,
            )
            self.background.ask(refunds.ask, wish).then(self, self._on_asked, busy=busy)

    def _on_asked(self, refund: RefundStatus) -> None:
        self.show_refund(refund)
        self.done_with.emit(self.payment_id)
        if self.background.desk.carries:
            self.background.ask(refunds.carry, refund.id).then(self, self.show_refund, quiet=True)

    def _on_returned(self, offer: RefundOffer) -> None:
        self.done_with.emit(self.payment_id)
        say(self, offer.returned)
        self.accept()

    def _on_hand_out(self, refund: RefundStatus) -> None:
        confirm(
            self,
            f"Hand out {refund.amount}?",
            "Count it into the member’s hand. It leaves your drawer with that.",
            "It is handed out",
            partial(self._change, refunds.hand_out, refund.id),
        )

    def _on_call_off(self, refund_id: str) -> None:
        self._change(refunds.call_off, refund_id)

    def _change(self, use_case: Callable[[Desk, str], RefundStatus], refund_id: str) -> None:
        self.background.ask(use_case, refund_id).then(self, lambda _: self._load())

    def _on_changed(self, changed: frozenset[str]) -> None:
        if not changed & {"Refund", "Payment", "PaymentReturn", EVERYTHING}:
            return
        if self._asked:
            self.background.ask(refunds.status, self._id).then(
                self, self.show_refund, failed=lambda _: None, quiet=True
            )
        elif self._offer is not None:
            self.background.ask(refunds.offer, self.payment_id).then(
                self, self.show_offer, failed=lambda _: None, quiet=True
            )


def _notice_tone(tone: str) -> str:
    return "accent" if tone == "muted" else tone

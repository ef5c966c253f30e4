"""The part of a payment that debits a bank account told on the phone, with its authorization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QWidget

from console.domain import times
from console.domain.authorizations import Debit, NothingToRead, phone_authorization
from console.domain.bank_accounts import check_account_number, in_threes
from console.domain.errors import ConsoleError
from console.domain.methods import check_routing
from console.domain.money import Money
from console.domain.payments import NotPayable
from console.domain.texts import check_text, holds_card_number
from console.domain.verification import check_email
from console.services.bank_accounts import BankAccount
from console.services.desk import Desk
from console.views import theme
from console.views.theme import GRID
from console.views.widgets import Field, Words, column, label, line_edit, row

_NO_CARD = "This is a card number. A card is typed on the gateway’s own page only: choose Card."
_EITHER = "Where the recording is found, or where the written notice goes: one of the two."


class BankPart(QWidget):
    """Takes a bank account down, to be read back and handed on; nothing of it is kept here."""

    changed = Signal()

    def __init__(self, desk: Desk, *, member_name: str, is_business: bool) -> None:
        super().__init__()
        self._desk, self._company = desk, is_business
        self._amount, self._pays = Money(0), tuple[str, ...]()
        self.name = line_edit(spoken="Name on the bank account", longest=80)
        self.name.setText(member_name)
        self.routing = line_edit("nine digits", spoken="Routing number", longest=14)
        self.number = line_edit(
            "read it back before you send it", spoken="Account number", longest=30
        )
        for field in (self.routing, self.number):
            theme.role(field, "mono")
            # Neither a keyboard's memory nor a spelling help is to see it.
            field.setInputMethodHints(
                Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText
            )
        self.kind = QComboBox()
        self.kind.setAccessibleName("Kind of account")
        self.kind.addItem("Checking", False)
        self.kind.addItem("Savings", True)
        self.routing_field = Field("Routing number", self.routing)
        self.number_field = Field("Account number", self.number)
        self.digits = Words("", "mono", "accent", wrap=True)
        self.digits.setAccessibleName("Account number to read back")
        self.script = Words("", "strong", wrap=True).selectable()
        self.script.setAccessibleName("Authorization to read out")
        self.said_yes = QCheckBox("I read it out and the caller said yes")
        self.recording = line_edit("such as call 4711", spoken="Recording of the call", longest=80)
        self.notice_to = line_edit("name@example.com", spoken="Written notice to", longest=254)
        self.recording_field = Field("Recording of the call", self.recording)
        self.notice_field = Field("Or: written notice to", self.notice_to)
        self._lay_out()
        for line in (self.name, self.routing, self.number):
            line.textChanged.connect(self._on_account)
        self.kind.currentIndexChanged.connect(self._on_account)
        self.said_yes.toggled.connect(lambda _: self.changed.emit())
        for line in (self.recording, self.notice_to):
            line.textChanged.connect(self._on_proof)
        self._write_script()

    # What was typed

    def show_amount(self, amount: Money, account_numbers: Sequence[str]) -> None:
        """Fill what is paid into the authorization; what differs must be read out anew."""
        if (amount, tuple(account_numbers)) != (self._amount, self._pays):
            self._amount, self._pays = amount, tuple(account_numbers)
            self._write_script()

    def account(self) -> BankAccount:
        """Read the bank account; raises what is wrong with it."""
        if holds_card_number(self.number.text()):
            raise NotPayable(_NO_CARD)
        name = check_text(self.name.text(), 80, "The name")
        if not name:
            raise NotPayable("Type the name on the bank account.")
        routing = check_routing(self.routing.text())
        number = check_account_number(self.number.text())
        return BankAccount(name, routing, number, self._savings, self._company)

    def check(self) -> None:
        """Raise what is still missing before the account may be debited."""
        self.account()
        if not self.said_yes.isChecked():
            raise NotPayable("Read the authorization out, and go on once the caller has said yes.")
        recording, notice = self.proof()
        if not (recording or notice):
            raise NotPayable(_EITHER)

    def proof(self) -> tuple[str, str]:
        """Answer where the recording is found, and where the written notice goes."""
        recording = check_text(self.recording.text(), 80, "The recording’s reference")
        notice = check_text(self.notice_to.text(), 254, "The address of the notice")
        return recording, check_email(notice) if "@" in notice else notice

    def words(self) -> str:
        """Say which account it is, without its number."""
        kind = "savings" if self._savings else "checking"
        return f"the {kind} account ending in {self.account().number[-4:]}"

    def forget(self) -> None:
        """Wipe the account's number: the gateway has it now."""
        for field in (self.number, self.routing):
            field.setText("")  # unlike clear(), this cannot be undone

    # How it is put together

    def _lay_out(self) -> None:
        numbers = row(self.routing_field, self.number_field, Field("Kind", self.kind), gap=2 * GRID)
        for place, stretch in enumerate((2, 3, 1)):
            numbers.setStretch(place, stretch)
        quote = QFrame()
        theme.role(quote, "quote")
        said = column(label("Read out"), self.script, self.said_yes, gap=GRID)
        said.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        quote.setLayout(said)
        proof = row(self.recording_field, self.notice_field, gap=2 * GRID)
        proof.setStretch(0, 1)
        proof.setStretch(1, 1)
        self.setLayout(
            column(Field("Name on the account", self.name), numbers, self.digits, quote, proof,
                   gap=12)
        )  # fmt: skip

    # What happens

    @property
    def _savings(self) -> bool:
        return bool(self.kind.currentData())

    def _on_account(self) -> None:
        routing, number = self.routing.text(), self.number.text()
        whole = len("".join(routing.split())) >= 9
        self.routing_field.say(_wrong(partial(check_routing, routing)) if whole else "", "bad")
        self.number_field.say(_NO_CARD if holds_card_number(number) else "", "bad")
        self.digits.setText(f"Read back: {in_threes(number)}" if number.strip() else "")
        self.digits.setVisible(bool(number.strip()))
        self._write_script()

    def _on_proof(self) -> None:
        for field, line in (
            (self.recording_field, self.recording),
            (self.notice_field, self.notice_to),
        ):
            field.say(_wrong(partial(check_text, line.text(), 254, "This")), "bad")
        self.changed.emit()

    def _write_script(self) -> None:
        settings = self._desk.settings
        today = times.day_of(self._desk.now(), settings.zone)
        debit = Debit(
            coop=settings.coop_name,
            phone=settings.coop_phone,
            name=self.name.text().strip(),
            account_numbers=self._pays,
            last_four=self.number.text(),
            savings=self._savings,
            on_or_after=today,
            today=today,
        )
        try:
            script = phone_authorization(debit, self._amount)
        except NothingToRead as missing:
            self.script.say(str(missing), "muted")
            self.said_yes.setChecked(False)
            self.said_yes.setEnabled(False)
        else:
            self.said_yes.setEnabled(True)
            if script != self.script.text():
                self.script.say(script, "ink")
                # What was said yes to was another authorization.
                self.said_yes.setChecked(False)
        self.changed.emit()


def _wrong(check: Callable[[], object]) -> str:
    try:
        check()
    except ConsoleError as problem:
        return str(problem)
    return ""

"""The form of a payment: which accounts, how much, by which way, and what that way needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from console.domain import phones, times
from console.domain.errors import ConsoleError
from console.domain.money import BadAmount, Money
from console.domain.payments import NotPayable, Origin, PaymentWay, check_shares
from console.domain.texts import refuse_card_numbers
from console.domain.verification import check_email
from console.services.desk import Desk
from console.services.payments import (
    MethodRow,
    PayableAccount,
    PaymentForm,
    PaymentWish,
    PhoneMandateWish,
)
from console.views import theme
from console.views.payment_bank import BankPart
from console.views.theme import GRID
from console.views.widgets import (
    Button,
    Field,
    FlowLayout,
    Mark,
    Notice,
    Words,
    act,
    bring_up,
    column,
    heading,
    line_edit,
    muted,
    row,
    rule,
)

AMOUNT_WIDE = 130
_WAYS = (
    (PaymentWay.PAGE, "Card", "web"),
    (PaymentWay.LINK, "Pay link", "link"),
    (PaymentWay.BANK, "Bank account", "building"),
    (PaymentWay.CASH, "Cash", "payments"),
    (PaymentWay.CHEQUE, "Cheque", "bills"),
)
_BY = {
    PaymentWay.PAGE: "by card on the gateway’s page",
    PaymentWay.CASH: "in cash",
}
_PAGE_WORDS = (
    "The gateway’s page opens in your web browser: the caller says the card, and you type it "
    "there. Nothing of a card is typed or kept here."
)


@dataclass(frozen=True)
class WayChoice:
    """One way to pay, as a button of the row."""

    way: PaymentWay
    words: str
    icon: str
    method_id: str | None = None
    shut: str = ""
    """Why it is shut, in words; empty when it can be chosen."""


class AccountLine(QWidget):
    """One account of the member, and what is to be paid on it."""

    changed = Signal()
    payment_wanted = Signal(str)
    """The payment that shuts this account is to be shown."""

    def __init__(self, desk: Desk, account: PayableAccount, *, alone: bool, masked: bool) -> None:
        super().__init__()
        self.account = account
        number = account.owed.number
        self.setAccessibleName(f"Account {number}")
        self.check = QCheckBox(f"Account {number}")
        self.check.setVisible(not alone)
        self.name = Words(f"Account {number}", "bold")
        self.name.setVisible(alone)
        self.amount = line_edit("0.00", spoken=f"Amount for account {number}", longest=14)
        self.amount.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.below = Words("", "label", "bad", wrap=True)
        self.below.hide()
        self.presets: list[tuple[Button, Money | None]] = []
        flow = FlowLayout(gap=6)
        for preset in () if masked else account.presets:
            self._add_preset(flow, f"{preset.words} {preset.amount}", preset.amount)
        if self.presets:
            self._add_preset(flow, "Other", None)
        self._offers = QWidget()
        self._offers.setLayout(flow)
        self.shut = Notice("hourglass", account.shut, "warn")
        self.shut.setVisible(bool(account.shut))
        self.show_open = Button("Show that payment", icon="eye")
        self.show_open.setVisible(bool(account.open_payment))
        self.show_open.clicked.connect(lambda: self.payment_wanted.emit(account.open_payment))
        head = row(
            self.check, self.name, muted(account.service_address), 0,
            muted("" if masked else _owed_words(desk, account)), self.amount, gap=GRID,
        )  # fmt: skip
        why = row(self.shut, self.show_open)
        why.setStretch(0, 1)
        self.setLayout(column(head, self._offers, self.below, why, gap=6))
        self.check.toggled.connect(self._on_check)
        self.amount.textChanged.connect(self._on_typed)
        self.amount.textEdited.connect(lambda _: self.choose(True))
        if account.shut:
            self.check.setEnabled(False)
            self.amount.setEnabled(False)
        self._offers.setVisible(not account.shut and alone and bool(self.presets))
        theme.current().changed.connect(self._measure)
        self._measure()

    @property
    def is_chosen(self) -> bool:
        """Whether this account is to be paid."""
        return self.check.isChecked()

    def choose(self, chosen: bool) -> None:
        """Pay this account, or leave it out."""
        self.check.setChecked(chosen and not self.account.shut)

    def type_amount(self, amount: Money) -> None:
        """Put an amount into the field."""
        self.amount.setText(str(amount).removeprefix("$"))
        self.choose(True)

    def take_preset(self, words: str) -> None:
        """Take the amount that is offered under these words, or go and type another."""
        for button, amount in self.presets:
            if button.text().startswith(words) and button.isEnabled():
                self._on_preset(amount)
                return

    def typed(self) -> Money:
        """Read the amount; raises BadAmount."""
        if not self.amount.text().strip():
            raise BadAmount(f"Type the amount for account {self.account.owed.number}.")
        return Money.parse(self.amount.text())

    def _add_preset(self, flow: FlowLayout, words: str, amount: Money | None) -> None:
        button = Button(words, "chip")
        button.setCheckable(True)
        button.clicked.connect(lambda: self._on_preset(amount))
        flow.addWidget(button)
        self.presets.append((button, amount))

    def _on_preset(self, amount: Money | None) -> None:
        self.choose(True)
        if amount is not None:
            self.type_amount(amount)
        self.amount.setFocus()
        self.amount.selectAll()
        self._dress()

    def _on_check(self, chosen: bool) -> None:
        self._offers.setVisible(chosen and bool(self.presets))
        if chosen and not self.amount.text() and len(self.presets) > 1:
            offered = self.presets[-2][1]
            if offered is not None:
                self.type_amount(offered)
        self._dress()
        self.changed.emit()

    def _on_typed(self) -> None:
        self._dress()
        self.changed.emit()

    def _dress(self) -> None:
        amount, wrong = None, ""
        if self.amount.text().strip():
            try:
                amount = self.typed()
            except BadAmount as problem:
                wrong = str(problem)
        for button, offered in self.presets:
            button.setChecked(offered is not None and offered == amount)
        self.below.setText(wrong)
        self.below.setVisible(bool(wrong))

    def _measure(self) -> None:
        self.amount.setFixedWidth(theme.current().px(AMOUNT_WIDE))


class PaymentFormView(QWidget):
    """Gathers what a payment is made of; what is missing is said in its place."""

    changed = Signal()
    payment_wanted = Signal(str)

    def __init__(self, desk: Desk, *, member_name: str, is_business: bool, masked: bool) -> None:
        super().__init__()
        self._desk, self._masked = desk, masked
        self._form: PaymentForm | None = None
        self._at_counter = False
        self.lines: list[AccountLine] = []
        self.choices: tuple[WayChoice, ...] = ()
        self.way_buttons: list[Button] = []
        self.chosen: WayChoice | None = None
        self._accounts = QVBoxLayout()
        self._accounts.setSpacing(12)
        self.total = Words("", "strong")
        self.total_row = QWidget()
        self.total_row.setLayout(row(0, self.total))
        self._ways = QWidget()
        self._flow = FlowLayout(self._ways)
        self._shut = QVBoxLayout()
        self._shut.setSpacing(4)
        self.shut_lines: list[Mark] = []
        self._make_parts(member_name, is_business)
        self._make_receipt()
        self.setLayout(
            column(
                self._accounts, self.total_row, rule(), heading("Paid by"), self._ways, self._shut,
                *self.parts.values(), self.receipt_row, gap=12,
            )
        )  # fmt: skip
        for words, key in (("Amount due", "Alt+D"), ("Past due", "Alt+P"), ("Other", "Alt+O")):
            act(self, f"{words}", partial(self._on_preset, words), key=key, listed=False)

    # What is shown

    def show_form(
        self,
        form: PaymentForm,
        shut: Mapping[PaymentWay, str],
        *,
        account_number: str,
        shares: Mapping[str, Money],
        at_counter: bool,
    ) -> None:
        """Offer the accounts and the ways; `shut` says why a way cannot be chosen here."""
        self._form, self._at_counter = form, at_counter
        # The caller may have been verified since the page behind was read.
        self._masked = self._masked and form.masked
        # Whoever has a drawer open has the member before them, with the bill in hand.
        hidden = self._masked and not form.drawer_id
        alone = len(form.accounts) == 1
        first_up = sorted(form.accounts, key=lambda one: one.owed.number != account_number)
        for account in first_up:
            line = AccountLine(self._desk, account, alone=alone, masked=hidden)
            line.changed.connect(self._on_changed)
            line.payment_wanted.connect(self.payment_wanted)
            self.lines.append(line)
            self._accounts.addWidget(line)
        for line in self.lines:
            number = line.account.owed.number
            if number in shares:
                line.type_amount(shares[number])
            line.choose(number in shares if shares else alone or number == account_number)
        self._offer_ways(form, shut)
        self._fill_contacts(form)
        self._dress()
        first = next((line for line in self.lines if line.is_chosen), None)
        if first is not None:
            first.amount.setFocus()
            first.amount.selectAll()

    # What was chosen

    @property
    def total_typed(self) -> Money:
        """Add up what can be read of the amounts."""
        total = Money(0)
        for line in self.lines:
            if line.is_chosen:
                try:
                    total = total + line.typed()
                except BadAmount:
                    continue
        return total

    def shares(self) -> tuple[tuple[str, Money], ...]:
        """Read the amounts of the chosen accounts; raises what is wrong with them."""
        chosen = [line for line in self.lines if line.is_chosen]
        typed = [(line.account.owed, line.typed()) for line in chosen]
        most = self._form.most if self._form is not None else Money(0)
        check_shares(typed, most)
        return tuple((owed.number, amount) for owed, amount in typed)

    def missing(self) -> str:
        """Say what is still missing before this can be taken; empty when nothing is."""
        try:
            self._check_open()
            self.shares()
            self._check_way()
            if self.receipt.isChecked():
                check_email(self.receipt_to.text())
        except ConsoleError as problem:
            return str(problem)
        return ""

    def read_back(self) -> str:
        """Say the payment as one sentence to be read to the caller before it is taken."""
        shares = self.shares()
        total = sum((amount for _, amount in shares), Money(0))
        by = self._by_words()
        if len(shares) == 1:
            return f"Pay {total} for account {shares[0][0]} {by}."
        parts = [f"{amount} for account {number}" for number, amount in shares]
        split = f"{', '.join(parts[:-1])} and {parts[-1]}"
        return f"Pay {total} {by}: {split}."

    def wish(
        self, id: str, member_id: int, call_id: str | None, mandate: PhoneMandateWish | None = None
    ) -> PaymentWish:
        """Put together what is to be taken; raises what is wrong with it."""
        shares = self.shares()
        self._check_way()
        chosen = self._check_open()
        way = chosen.way
        at_counter = way.at_the_counter or self._at_counter
        return PaymentWish(
            id=id,
            member_id=member_id,
            way=way,
            shares=shares,
            origin=Origin.COUNTER if at_counter else Origin.CALL,
            call_id=call_id,
            method_id=chosen.method_id,
            mandate=mandate,
            link_to=self.link_to.text().strip() if way is PaymentWay.LINK else "",
            receipt_to=check_email(self.receipt_to.text()) if self.receipt.isChecked() else "",
            cheque_number=self.cheque.text().strip() if way is PaymentWay.CHEQUE else "",
            tendered=self.tendered_sum() if way is PaymentWay.CASH else None,
        )

    def tendered_sum(self) -> Money | None:
        """Read what was handed over; None while nothing is typed."""
        text = self.tendered.text().strip()
        return Money.parse(text) if text else None

    def choose_way(self, place: int) -> None:
        """Choose a way by its place in the row."""
        if 0 <= place < len(self.choices) and not self.choices[place].shut:
            self.chosen = self.choices[place]
            self._dress()
            self.changed.emit()
            if (first := self._first_field()) is not None:
                first.setFocus()
                bring_up(self.parts[self.choices[place].way])

    # How it is put together

    def _make_parts(self, member_name: str, is_business: bool) -> None:
        self.tendered = line_edit("0.00", spoken="Cash handed over", longest=14)
        self.tendered.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.tendered_field = Field("Cash handed over", self.tendered)
        self.change = Words("", "title")
        self.cheque = line_edit("1042", spoken="Number of the cheque", longest=20)
        self.cheque_field = Field("Number of the cheque", self.cheque, "At its top right corner.")
        self.link_to = line_edit(
            "name@example.com, or a phone number", spoken="Send the link to", longest=254
        )
        self.link_field = Field(
            "Send the link to",
            self.link_to,
            "The member pays on the gateway’s own page; the link is open for 23 hours.",
        )
        self.to_email, self.to_phone = (
            Button("", "chip", icon="mail"),
            Button("", "chip", icon="mobile"),
        )
        chips = QWidget()
        self._link_chips = FlowLayout(chips)
        for chip in (self.to_email, self.to_phone):
            self._link_chips.addWidget(chip)
        self.bank = BankPart(self._desk, member_name=member_name, is_business=is_business)
        self.bank.changed.connect(self._on_changed)
        cash = row(self.tendered_field, self.change, 0, gap=3 * GRID)
        self.parts: dict[PaymentWay, QWidget] = {}
        for way, layout in (
            (PaymentWay.PAGE, column(muted(_PAGE_WORDS, wrap=True))),
            (PaymentWay.LINK, column(self.link_field, chips, gap=6)),
            (PaymentWay.CASH, cash),
            (PaymentWay.CHEQUE, row(self.cheque_field, 0)),
        ):
            part = QWidget()
            part.setLayout(layout)
            self.parts[way] = part
        self.parts[PaymentWay.BANK] = self.bank
        for part in self.parts.values():
            part.hide()
        for field in (self.tendered, self.cheque, self.link_to):
            field.textChanged.connect(self._on_changed)
        theme.current().changed.connect(self._measure)
        self._measure()

    def _make_receipt(self) -> None:
        self.receipt = QCheckBox("E-mail the receipt to")
        self.receipt_to = line_edit(
            "name@example.com", spoken="Address for the receipt", longest=254
        )
        self.receipt_row = QWidget()
        layout = row(self.receipt, self.receipt_to)
        layout.setStretch(1, 1)
        self.receipt_row.setLayout(layout)
        self.receipt.toggled.connect(self._on_changed)
        self.receipt_to.textChanged.connect(self._on_changed)
        self.receipt_to.textEdited.connect(lambda _: self.receipt.setChecked(True))

    def _offer_ways(self, form: PaymentForm, shut: Mapping[PaymentWay, str]) -> None:
        self.choices = tuple(
            [_stored(method, shut.get(PaymentWay.STORED, "")) for method in form.methods]
            + [WayChoice(way, words, icon, None, shut.get(way, "")) for way, words, icon in _WAYS]
        )
        for place, choice in enumerate(self.choices):
            action = act(
                self, choice.words, partial(self.choose_way, place),
                icon="lock" if choice.shut else choice.icon,
                key=f"Alt+{place + 1}" if place < 9 else "", more=choice.shut, listed=False,
            )  # fmt: skip
            action.setEnabled(not choice.shut)
            button = Button(action, "chip", show_key=False)
            button.setCheckable(True)
            if place < 9 and not choice.shut:
                button.setToolTip(f"{choice.words} (Alt+{place + 1})")
            self.way_buttons.append(button)
            self._flow.addWidget(button)
        for why, names in _by_reason(self.choices).items():
            line = Mark("lock", f"{names}: {why}", "muted", "label")
            line.setWordWrap(True)
            self.shut_lines.append(line)
            self._shut.addWidget(line)
        usual = next((one for one in self.choices if not one.shut), None)
        self.chosen = usual

    def _fill_contacts(self, form: PaymentForm) -> None:
        # What nobody verified the caller for is not uncovered here either.
        email, phone = ("", "") if self._masked else (form.email, form.phone)
        desk = self._desk
        texts = bool(phone) and (bool(desk.settings.text_address) or not desk.carries)
        self.to_email.setVisible(bool(email))
        self.to_email.setText(email)
        self.to_phone.setVisible(texts)
        self.to_phone.setText(phones.display(phone))
        for chip in (self.to_email, self.to_phone):
            chip.clicked.connect(partial(self._take_contact, chip))
        self.link_to.setText(email)
        self.receipt_to.setText(email)

    def _take_contact(self, chip: Button) -> None:
        self.link_to.setText(chip.text())

    # What happens

    def _on_preset(self, words: str) -> None:
        held = next((line for line in self.lines if line.amount.hasFocus()), None)
        line = held or next((line for line in self.lines if line.is_chosen), None)
        if line is not None:
            line.take_preset(words)

    def _on_changed(self) -> None:
        if self._form is not None:
            self._dress()
            self.changed.emit()

    def _dress(self) -> None:
        several = sum(line.is_chosen for line in self.lines) > 1
        total = self.total_typed
        self.total.setText(f"In all {total}")
        self.total_row.setVisible(several)
        for choice, button in zip(self.choices, self.way_buttons, strict=True):
            button.setChecked(choice is self.chosen)
        for way, part in self.parts.items():
            part.setVisible(self.chosen is not None and self.chosen.way is way)
        self.bank.show_amount(
            total, [line.account.owed.number for line in self.lines if line.is_chosen]
        )
        self._dress_cash(total)
        for field, place in ((self.cheque, self.cheque_field), (self.link_to, self.link_field)):
            place.say(*_card_in(field.text()))

    def _dress_cash(self, total: Money) -> None:
        self.tendered_field.say()
        self.change.setText("")
        try:
            given = self.tendered_sum()
        except BadAmount as problem:
            self.tendered_field.say(str(problem), "bad")
            return
        if given is None:
            return
        if given < total:
            self.change.say(f"{total - given} is missing", "bad")
        else:
            self.change.say(f"Change {given - total}", "ink")

    def _check_open(self) -> WayChoice:
        if self.chosen is None:
            raise NotPayable("No way to pay is open here and now; above it says why.")
        return self.chosen

    def _check_way(self) -> None:
        match self._check_open().way:
            case PaymentWay.CASH:
                given = self.tendered_sum()
                if given is None:
                    raise NotPayable("Type how much cash was handed over.")
                if given < self.total_typed:
                    raise NotPayable(f"{self.total_typed - given} of cash is missing.")
            case PaymentWay.CHEQUE:
                if not self.cheque.text().strip():
                    raise NotPayable("Type the number of the cheque.")
                refuse_card_numbers(self.cheque.text())
            case PaymentWay.LINK:
                self._check_link(self.link_to.text())
            case PaymentWay.BANK:
                self.bank.check()

    def _check_link(self, to: str) -> None:
        if not to.strip():
            raise NotPayable("Type the e-mail address or phone number that the link goes to.")
        refuse_card_numbers(to)
        if "@" in to:
            check_email(to)
            return
        phones.digits_of(to)
        if self._desk.carries and not self._desk.settings.text_address:
            raise NotPayable("No text messages go out from here. Type an e-mail address.")

    def _by_words(self) -> str:
        chosen = self.chosen
        if chosen is None:
            return ""
        match chosen.way:
            case PaymentWay.LINK:
                to = self.link_to.text().strip()
                return f"by a pay link to {to if '@' in to else phones.display(to)}"
            case PaymentWay.CHEQUE:
                return f"by cheque number {self.cheque.text().strip()}"
            case PaymentWay.BANK:
                return f"from {self.bank.words()}"
            case PaymentWay.STORED:
                return f"by {chosen.words.partition(',')[0]}"
        return _BY[chosen.way]

    def _first_field(self) -> QWidget | None:
        fields: Mapping[PaymentWay, QWidget] = {
            PaymentWay.CASH: self.tendered,
            PaymentWay.CHEQUE: self.cheque,
            PaymentWay.LINK: self.link_to,
            PaymentWay.BANK: self.bank.routing,
        }
        return None if self.chosen is None else fields.get(self.chosen.way)

    def _measure(self) -> None:
        look = theme.current()
        for field in (self.tendered, self.cheque):
            field.setFixedWidth(look.px(170))


def _stored(method: MethodRow, shut: str) -> WayChoice:
    why = shut or ("It has expired. Choose another way." if method.has_expired else "")
    return WayChoice(PaymentWay.STORED, method.words, "check-circle", method.id, why)


def _by_reason(choices: tuple[WayChoice, ...]) -> dict[str, str]:
    """Gather the ways that are shut for the same reason."""
    names: dict[str, list[str]] = {}
    for choice in choices:
        if choice.shut:
            names.setdefault(choice.shut, []).append(choice.words)
    return {why: ", ".join(one) for why, one in names.items()}


def _owed_words(desk: Desk, account: PayableAccount) -> str:
    owed = account.owed
    if owed.balance < Money(0):
        return f"has a credit of {-owed.balance}"
    if owed.balance == Money(0):
        return "owes nothing"
    if owed.past_due > Money(0):
        return f"owes {owed.balance}, {owed.past_due} past due"
    if account.due_on is None:
        return f"owes {owed.balance}"
    today = times.day_of(desk.now(), desk.settings.zone)
    return f"owes {owed.balance}, due {times.day(account.due_on, today)}"


def _card_in(text: str) -> tuple[str, str]:
    """Say that a card number was typed where it would be kept."""
    try:
        refuse_card_numbers(text)
    except ConsoleError as problem:
        return str(problem), "bad"
    return "", "muted"

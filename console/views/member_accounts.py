"""A member's accounts: which there are, and all about the one that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLayout, QVBoxLayout, QWidget

from console.background import Background
from console.domain import times
from console.domain.members import AccountStatus
from console.domain.registration import CaseKind
from console.services.desk import Desk
from console.services.member_page import AccountRow, PortalPanel
from console.views import theme
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Badge,
    Button,
    Card,
    FlowLayout,
    IconButton,
    Words,
    act,
    heading,
    muted,
    row,
)

MOST_SHOWN = 4
"""Rows of the list before it scrolls."""

WORDS_FROM = 420
"""From this width on, at 100 % text, the button beside the account shows its words."""

PORTAL_WORDS = {
    CaseKind.REFUSED: ("Refused", "cross-circle", "bad"),
    CaseKind.WAITING: ("Waiting", "hourglass", "warn"),
    CaseKind.BOUNCED: ("E-mail bounced", "mail-bounced", "bad"),
    CaseKind.EXPIRED: ("Link ran out", "clock", "warn"),
    CaseKind.LOCKED: ("Locked", "lock", "bad"),
    CaseKind.SOLVED: ("Verified", "verified", "good"),
}
STATUS_WORDS = {
    AccountStatus.ACTIVE: ("Active", "check-circle", "good"),
    AccountStatus.DISCONNECTED: ("Disconnected", "disconnect", "bad"),
    AccountStatus.CLOSED: ("Closed", "minus", "muted"),
}


def portal_words(panel: PortalPanel) -> tuple[str, str, str]:
    """Say in a word, an icon and a tone where an account stands with the portal."""
    if panel.kind is None:
        return "Nothing yet", "portal", "muted"
    if panel.kind is CaseKind.SOLVED and panel.state.value == "none":
        return "Not registered", "portal", "muted"
    return PORTAL_WORDS[panel.kind]


class AccountsPanel(Card):
    """Lists several accounts, and shows the chosen one whole."""

    chosen = Signal(object)
    """Another account was chosen, with its row."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.setAccessibleName("Accounts")
        self._desk = background.desk
        self._rows: tuple[AccountRow, ...] = ()
        self._filling = False
        self.account: AccountRow | None = None
        self.heading = heading("Account")
        self.table: RowTable[AccountRow] = RowTable(
            self._columns(), lambda account: account.number, name="Accounts", sortable=False
        )
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.turned_to.connect(self._on_turned)
        self.detail = AccountDetail(background)
        self.next = act(self, "Next account", lambda: self._walk(1), key="Alt+Down")
        self.previous = act(self, "Previous account", lambda: self._walk(-1), key="Alt+Up")
        self.body.addWidget(self.table)
        self.body.addWidget(self.detail)
        theme.current().changed.connect(self._measure)

    def show_accounts(
        self, accounts: Sequence[AccountRow], prefer: str = "", *, light: bool = True
    ) -> None:
        """Show the accounts; the chosen one stays chosen."""
        self._rows = tuple(accounts)
        several = len(accounts) > 1
        self.next.setEnabled(several)
        self.previous.setEnabled(several)
        held = self.account.number if self.account else prefer
        self._filling = True
        self.table.show_rows([_without_its_age(row) for row in self._rows], light=light)
        self._filling = False
        self.table.setVisible(several)
        self._measure()
        chosen = next((a for a in accounts if a.number == held), accounts[0] if accounts else None)
        if chosen is not None:
            self._filling = True
            self.table.turn_to(chosen.number)
            self._filling = False
        self._show(chosen)

    def choose(self, number: str) -> None:
        """Choose an account by its number."""
        account = next((a for a in self._rows if a.number == number), None)
        if account is not None and account != self.account:
            self._filling = True
            self.table.turn_to(number)
            self._filling = False
            self._show(account)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def _show(self, account: AccountRow | None) -> None:
        self.account = account
        self.detail.show_account(account)
        self.chosen.emit(account)

    def _on_turned(self, account: AccountRow | None) -> None:
        if not self._filling and account is not None:
            self.choose(account.number)

    def _walk(self, by: int) -> None:
        numbers = [account.number for account in self._rows]
        if self.account is not None and self.account.number in numbers:
            self.choose(numbers[(numbers.index(self.account.number) + by) % len(numbers)])

    def _columns(self) -> tuple[Column[AccountRow], ...]:
        return (
            Column(
                "Account", lambda a: a.number, stretch=True, least=120, bold=True,
                second=lambda a: a.service_address, hint=lambda a: a.service_address,
            ),
            Column(
                "Portal", lambda a: portal_words(a.portal)[0], width=150,
                icon=lambda a: portal_words(a.portal)[1], tone=lambda a: portal_words(a.portal)[2],
                second=lambda a: "Auto Pay" if a.autopay else "No Auto Pay",
            ),
            Column(
                "Balance", lambda a: a.balance, align="right", width=140,
                second=self._due, tone=lambda a: "bad" if a.is_past_due else "ink",
            ),
        )  # fmt: skip

    def _due(self, account: AccountRow) -> str:
        if account.is_past_due:
            return f"{account.past_due} past due"
        return f"due {_day(account.due_on, self._desk)}" if account.due_on else ""

    def _measure(self) -> None:
        look = theme.current()
        rows = min(len(self._rows), MOST_SHOWN)
        self.table.setFixedHeight(look.px(52) * rows + self.table.horizontalHeader().height() + 4)


class AccountDetail(QWidget):
    """Everything about one account that a caller asks for."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._desk = background.desk
        self._account: AccountRow | None = None
        self._act: Button | None = None
        self.name = heading("")
        self.printed = muted("")
        self.portal, self.status = Badge("portal", ""), Badge("check-circle", "Active", "good")
        self.disconnect_on = Badge("disconnect", "", "bad")
        self.past = Badge("alert", "Past due", "bad")
        self.place = Words("", wrap=True).selectable()
        self.meter = Words("").selectable()
        self.rate = Words("", wrap=True)
        self.paying = Words("", wrap=True)
        self.copy_meter = IconButton("copy", "Copy the meter number", size=14)
        self.copy_meter.clicked.connect(self._on_copy_meter)
        self.balance = Money("Balance", strong=True)
        self.past_due, self.due = Money("Past due"), Money("Due")
        self._facts = QWidget()
        facts = QGridLayout(self._facts)
        facts.setContentsMargins(0, 0, 0, 0)
        facts.setHorizontalSpacing(2 * GRID)
        facts.setVerticalSpacing(4)
        facts.setColumnStretch(1, 1)
        for number, (word, value) in enumerate(
            (
                ("Location", self.place),
                ("Meter", row(self.meter, self.copy_meter, 0, gap=4)),
                ("Rate", self.rate),
                ("Paying", self.paying),
            )
        ):
            if isinstance(value, QWidget):
                facts.addWidget(muted(word), number, 0, Qt.AlignmentFlag.AlignTop)
                facts.addWidget(value, number, 1)
            elif isinstance(value, QLayout):
                facts.addWidget(muted(word), number, 0)
                facts.addLayout(value, number, 1)
        facts.setRowStretch(4, 1)
        self._ledger = QWidget()
        ledger = QGridLayout(self._ledger)
        ledger.setContentsMargins(0, 0, 0, 0)
        ledger.setHorizontalSpacing(2 * GRID)
        ledger.setVerticalSpacing(4)
        for number, money in enumerate((self.balance, self.past_due, self.due)):
            ledger.addWidget(money.word, number, 0)
            ledger.addWidget(money.sum, number, 1)
        ledger.setRowStretch(3, 1)
        self.flags = QWidget()
        flags = FlowLayout(self.flags, 6)
        for badge in (self.portal, self.status, self.past, self.disconnect_on):
            flags.addWidget(badge)
        below = row(self._facts, self._ledger, gap=3 * GRID)
        below.setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(row(self.name, self.printed, 0))
        self._beside_flags = row(self.flags)
        layout.addLayout(self._beside_flags)
        layout.addLayout(below)

    def add_act(self, action: QAction) -> Button:
        """Put a button beside the account's flags for something that can be done with it."""
        self._act = Button(action)
        self._beside_flags.addWidget(self._act)
        self._beside_flags.setStretch(0, 1)
        return self._act

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._act is not None:
            self._act.show_words(self.width() >= theme.current().px(WORDS_FROM))

    def show_account(self, account: AccountRow | None) -> None:
        """Show one account, or that there is none."""
        self._account = account
        for part in (self._facts, self._ledger, self.flags, self.printed):
            part.setVisible(account is not None)
        if account is None:
            self.name.setText("No account on file")
            return
        desk = self._desk
        self.name.setText(f"Account {account.number}")
        self.name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        old = account.printed_number != account.number
        word, icon, tone = STATUS_WORDS[account.status]
        active = account.status is AccountStatus.ACTIVE
        said = [word.lower()] if active else []
        said += [f"old bills print {account.printed_number}"] if old else []
        self.printed.setText(" · ".join(said))
        self.status.show_state(icon, word, tone)
        self.status.setVisible(not active)
        self.past.setVisible(account.is_past_due)
        off = account.disconnect_on
        word, icon, tone = portal_words(account.portal)
        self.portal.show_state(icon, f"{desk.settings.portal_name}: {word.lower()}", tone)
        self.disconnect_on.setVisible(off is not None)
        if off is not None:
            self.disconnect_on.show_state("disconnect", f"Disconnect {_day(off, desk)}", "bad")
        self.place.setText(account.service_address or "None on file")
        self.place.setAccessibleName(f"Service location: {account.service_address}")
        if account.map_location:
            self.place.setToolTip(f"Map location {account.map_location}")
        self.meter.say(account.meter_number or "None on file")
        self.copy_meter.setVisible(bool(account.meter_number))
        self.rate.setText(account.rate or "None on file")
        self.paying.setText(_paying(account))
        self.balance.show_sum(account.balance)
        self.past_due.show_sum(account.past_due, "bad" if account.is_past_due else "ink")
        due = _day(account.due_on, desk)
        self.due.show_sum(due[:1].upper() + due[1:])

    def _on_copy_meter(self) -> None:
        QGuiApplication.clipboard().setText(self.meter.text())
        say(self, f"Copied meter number {self.meter.text()}.")


class Money:
    """A word and, right-aligned beside it, its sum or date."""

    def __init__(self, word: str, *, strong: bool = False) -> None:
        self.word = Words(word, "text", "muted")
        self.sum = Words("", "title" if strong else "text")
        self.sum.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.sum.selectable()

    def show_sum(self, sum_: str, tone: str = "ink") -> None:
        """Show a sum as it may be shown now."""
        self.sum.say(sum_, tone)
        self.sum.setAccessibleName(f"{self.word.text()}: {sum_}")


def _without_its_age(account: AccountRow) -> AccountRow:
    # When the portal was asked last is nothing that anybody changed.
    return replace(account, portal=replace(account.portal, refreshed_at=None))


def _paying(account: AccountRow) -> str:
    auto = "Auto Pay" if account.autopay else "no Auto Pay"
    paper = "paperless" if account.paperless else "paper bills"
    said = f"{auto}, {paper}"
    return said[:1].upper() + said[1:]


def _day(on: date | None, desk: Desk) -> str:
    if on is None:
        return "no date"
    return times.day(on, times.day_of(desk.now(), desk.settings.zone))

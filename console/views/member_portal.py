"""Where the chosen account stands with the portal, why it was refused, and what was sent."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from console.background import Background
from console.domain import times
from console.domain.registration import Channel, Outcome, RegistrationState
from console.services.member_page import AccountRow, AttemptRow, MemberPage
from console.views.member_accounts import portal_words
from console.views.theme import GRID
from console.views.widgets import Badge, Card, Mark, Words, heading, label, muted, row

MOST_ATTEMPTS = 5

CHANNELS = {
    Channel.WEB: ("on the web", "web"),
    Channel.IOS: ("on an iPhone", "mobile"),
    Channel.ANDROID: ("on Android", "mobile"),
}
OUTCOMES = {
    Outcome.REGISTERED: ("Registered", "check-circle", "good"),
    Outcome.NAME_MISMATCH: ("Refused: the name differs", "cross-circle", "bad"),
    Outcome.ACCOUNT_NOT_FOUND: ("Refused: no such account number", "cross-circle", "bad"),
    Outcome.ALREADY_REGISTERED: ("Registered already", "info", "muted"),
    Outcome.LOCKED: ("Refused: locked", "lock", "bad"),
}


class PortalCard(Card):
    """Shows the portal's own word on one account."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self.setAccessibleName("At the portal")
        self._desk = background.desk
        self.state = Badge("portal", "Not heard of", "muted")
        self.account = muted("")
        self.words = Words("", wrap=True)
        self.errand = Mark("outbox", "", "warn")
        self.errand.setWordWrap(True)
        self.attempts = AttemptList(background)
        self.body.addLayout(
            row(heading(f"At {self._desk.settings.portal_name}"), self.account, 0, self.state)
        )
        self.body.addWidget(self.words)
        self.body.addWidget(self.errand)
        self.body.addWidget(self.attempts)

    def show_account(self, page: MemberPage, account: AccountRow) -> None:
        """Show where this account stands."""
        panel = account.portal
        word, icon, tone = portal_words(panel)
        self.state.show_state(icon, word, tone)
        self.account.setText(f"account {account.number}" if len(page.accounts) > 1 else "")
        self.words.setText(panel.state_words)
        # Once there is a registration, the card of its e-mail says where it stands.
        self.words.setVisible(panel.state is RegistrationState.NONE)
        unheard = panel.state is RegistrationState.NONE
        self.setVisible(unheard or bool(panel.attempts) or bool(panel.errand))
        self.errand.show_mark("outbox", panel.errand, "warn")
        self.errand.setVisible(bool(panel.errand))
        self.attempts.show_attempts(panel.attempts, page.name)


class AttemptList(QWidget):
    """The tries to register as the portal reports them, newest first."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._desk = background.desk
        self._shown: tuple[tuple[AttemptRow, ...], str] = ((), "")
        self.lines: list[QWidget] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GRID // 2, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(label("Tries to register"))
        layout.addLayout(self._list)
        self.hide()

    def show_attempts(self, attempts: tuple[AttemptRow, ...], on_file: str) -> None:
        """List the newest tries beside the name on file."""
        if (attempts, on_file) == self._shown:
            return
        self._shown = attempts, on_file
        for line in self.lines:
            line.hide()
            line.deleteLater()
        self.lines = [self._line(attempt) for attempt in attempts[:MOST_ATTEMPTS]]
        older = len(attempts) - MOST_ATTEMPTS
        if older > 0:
            self.lines.append(muted(f"and {older} more, on the timeline under Portal"))
        for line in self.lines:
            self._list.addWidget(line)
        self.setVisible(bool(attempts))

    def _line(self, attempt: AttemptRow) -> QWidget:
        words, icon, tone = OUTCOMES[attempt.outcome]
        where, _ = CHANNELS[attempt.channel]
        at = times.when(attempt.at, self._desk.now(), self._desk.settings.zone)
        whole = QWidget()
        outcome = Mark(icon, words, tone)
        typed = Words(f"“{attempt.name_typed}”, {attempt.account_typed}", "mono", wrap=True)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row(outcome, 0, Words(f"{at} {where}", "label")))
        column.addWidget(typed)
        typed.setContentsMargins(22, 0, 0, 0)
        whole.setAccessibleName(
            f"{words}, {at} {where}. Typed {attempt.name_typed} and {attempt.account_typed}."
        )
        return whole

"""A card on the member page about the account that is chosen there."""

from __future__ import annotations

from console.background import Background
from console.domain.errors import ConsoleError
from console.domain.masking import HIDDEN_MONEY
from console.domain.money import Money
from console.services.changes import EVERYTHING
from console.services.member_page import AccountRow, MemberPage
from console.views.widgets import Card, ProblemLine


class AccountPanel(Card):
    """Knows whose account it shows and in which call, and asks again when the account changes."""

    def __init__(self, background: Background, name: str) -> None:
        super().__init__(gap=12)
        self.setAccessibleName(name)
        self.background = background
        self.page: MemberPage | None = None
        self.account: AccountRow | None = None
        self.call_id: str | None = None
        self.call_verified = False
        self.problem = ProblemLine()
        background.changed.connect(self._on_changed)

    def show_account(
        self,
        page: MemberPage,
        account: AccountRow,
        call_id: str | None,
        *,
        call_verified: bool = False,
    ) -> None:
        """Show an account of the page; another one than before is asked for afresh."""
        is_another = self.account is None or self.account.number != account.number
        self.page, self.account = page, account
        self.call_id, self.call_verified = call_id, call_verified
        self.turn_to(is_another=is_another)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong."""
        self.problem.say(str(problem))

    def turn_to(self, *, is_another: bool) -> None:
        """Show what is known of the account, and ask for it if it is another one than before."""
        raise NotImplementedError

    def load(self) -> None:
        """Ask for it as it stands now."""
        raise NotImplementedError

    def money(self, amount: Money) -> str:
        """Say a sum, unless nobody was verified who may hear it."""
        return HIDDEN_MONEY if self.page is None or self.page.masked else str(amount)

    def _on_changed(self, changed: frozenset[str]) -> None:
        if self.page is None or self.account is None:
            return
        # The page behind is read afresh for the same names, and asks for nothing here.
        mine = {f"member:{self.page.member_id}", f"account:{self.account.number}", EVERYTHING}
        if mine & changed:
            self.load()

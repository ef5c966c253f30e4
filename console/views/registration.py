"""The registrations place: who is stuck at the portal, and who has them in hand."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent

from console.background import Background
from console.domain import times
from console.domain.registration import CaseKind
from console.services import registration
from console.services.registration import Worklist as Answer
from console.services.registration import WorklistRow
from console.views.tables import Column
from console.views.widgets import Button, EmptyPlace, act
from console.views.worklist import Filter, Worklist

LOOK_AGAIN_MILLISECONDS = 3_000
"""Other desks take cases too; what they did is seen without anybody pressing anything."""

KINDS = {
    CaseKind.REFUSED: ("Refused", "cross-circle", "bad"),
    CaseKind.BOUNCED: ("E-mail bounced", "mail-bounced", "bad"),
    CaseKind.EXPIRED: ("Link ran out", "hourglass", "warn"),
    CaseKind.LOCKED: ("Locked", "lock", "warn"),
    CaseKind.WAITING: ("Waiting", "mail", "muted"),
    CaseKind.SOLVED: ("Solved", "check-circle", "good"),
}
"""Each place of the worklist: its word, its icon and the tone that says the same."""

_LISTED = [kind for kind in KINDS if kind is not CaseKind.SOLVED]


class RegistrationsScreen(Worklist[WorklistRow]):
    """Everybody the portal refused, keeps waiting or has locked out, the oldest first."""

    open_member = Signal(int, str)
    """A member at one of their accounts."""

    shows = frozenset({"Registration", "RegistrationAttempt", "Errand"})

    def __init__(self, background: Background) -> None:
        self._desk = background.desk
        super().__init__(
            background,
            "Registrations",
            self._columns(),
            lambda row: row.registration_id,
            [
                Filter(None, "All"),
                *(Filter(kind, KINDS[kind][0], KINDS[kind][1]) for kind in _LISTED),
            ],
            EmptyPlace(
                "registrations",
                "Nobody is stuck.",
                more="Whoever the portal refuses, or cannot reach by e-mail, is listed here "
                "within a second.",
            ),
        )
        self.take = act(
            self, "Take this case", self._on_take, key="Ctrl+T", icon="person-add",
            more="Others see that you have it.",
        )  # fmt: skip
        self.put_back = act(
            self, "Put this case back", self._on_put_back, key="Ctrl+Shift+T", icon="undo",
            more="Anybody may take it again.",
        )  # fmt: skip
        self.head.addWidget(Button(self.take))
        self.head.addWidget(Button(self.put_back))
        self.table.opened.connect(self._on_open)
        self.table.turned_to.connect(self._on_turn)
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_AGAIN_MILLISECONDS)
        self._clock.timeout.connect(self.load)
        self._on_turn(None)

    def load(self) -> None:
        """Ask for the list as it stands now."""
        kind = self.chosen if isinstance(self.chosen, CaseKind) else None
        self.background.ask(
            registration.worklist, kind, mine=self.mine, text=self.narrowed_to
        ).latest(self, self.show_worklist)

    def show_worklist(self, answer: Answer) -> None:
        """Show the list; the cursor stays on its row."""
        self.show_list(answer.rows, answer.counts, answer.total)
        self._on_turn(self.table.current_row())

    # Qt overrides

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    # How it is put together

    def _columns(self) -> tuple[Column[WorklistRow], ...]:
        return (
            Column(
                "Where it stands",
                lambda row: row.kind,
                lambda kind: KINDS[kind][0],
                width=150,
                icon=lambda row: KINDS[row.kind][1],
                tone=lambda row: KINDS[row.kind][2],
            ),
            Column(
                "Since",
                lambda row: row.since,
                lambda at: times.when(at, self._desk.now(), self._desk.settings.zone),
                width=140,
            ),
            Column(
                "Member",
                lambda row: row.member_name or "Nobody on file",
                width=210,
                bold=True,
                second=lambda row: f"account {row.account_number}",
            ),
            Column(
                "What happened",
                lambda row: row.what,
                stretch=True,
                second=lambda row: row.email,
                hint=lambda row: row.what,
            ),
            Column("Tries", lambda row: row.attempts, align="right", width=64),
            Column("In hand", lambda row: row.assigned_to, lambda who: who or "–", width=140),
        )

    # What happens

    def _on_open(self, row: WorklistRow) -> None:
        if row.member_id is not None:
            self.open_member.emit(row.member_id, row.account_number)
        else:
            self.problem.setText(
                f"No account has the number {row.account_number}. Look the member up by name, "
                "and read the right number out."
            )
            self.problem.show()

    def _on_turn(self, row: WorklistRow | None) -> None:
        may = self._desk.colleague.role.changes_the_file
        self.take.setEnabled(may and row is not None and not row.assigned_to)
        self.put_back.setEnabled(may and row is not None and bool(row.assigned_to))

    def _on_take(self) -> None:
        self._assign(to_me=True)

    def _on_put_back(self) -> None:
        self._assign(to_me=False)

    def _assign(self, *, to_me: bool) -> None:
        row = self.table.current_row()
        if row is not None:
            self.background.ask(registration.assign, row.registration_id, to_me).then(
                self, lambda _: self.load()
            )

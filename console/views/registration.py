"""The registrations place: who is stuck at the portal, and who has them in hand."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.registration import CaseKind
from console.services import registration
from console.services.registration import Worklist as Answer
from console.services.registration import WorklistRow
from console.views import theme
from console.views.tables import Column
from console.views.widgets import Button, EmptyPlace, act
from console.views.worklist import Filter, Worklist

KEYS_FROM, WORDS_FROM = 1040, 760
"""From these widths on, at 100 % text, the buttons show their keys, and their words."""
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


_NOBODY = (
    "Nobody is stuck.",
    "Whoever the portal refuses, or cannot reach by e-mail, is listed here within a second.",
)


class RegistrationsScreen(Worklist[WorklistRow]):
    """Everybody the portal refused, keeps waiting or has locked out, the oldest first."""

    open_member = Signal(int, str)
    """A member at one of their accounts."""

    shows = frozenset({"Registration", "RegistrationAttempt", "Errand"})

    def __init__(self, background: Background) -> None:
        self._desk = background.desk
        empty = EmptyPlace("registrations", _NOBODY[0])
        super().__init__(
            background,
            "Registrations",
            self._columns(),
            lambda row: row.registration_id,
            [
                Filter(None, "All"),
                *(Filter(kind, KINDS[kind][0], KINDS[kind][1]) for kind in _LISTED),
            ],
            empty,
        )
        self.take = act(
            self, "Take this case", self._on_take, key="Ctrl+T", icon="person-add",
            more="Others see that you have it.",
        )  # fmt: skip
        self.put_back = act(
            self, "Put this case back", self._on_put_back, key="Ctrl+Shift+T", icon="undo",
            more="Anybody may take it again.",
        )  # fmt: skip
        self.take_button, self.put_back_button = Button(self.take), Button(self.put_back)
        self.head.addWidget(self.take_button)
        self.head.addWidget(self.put_back_button)
        self.table.opened.connect(self._on_open)
        self.table.turned_to.connect(self._on_turn)
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_AGAIN_MILLISECONDS)
        self._clock.timeout.connect(self._look_again)
        self._awaiting = False
        self.setFocusProxy(self.table)
        theme.current().changed.connect(self._fit_buttons)
        self._on_turn(None)

    def load(self) -> None:
        """Ask for the list as it stands now."""
        self._awaiting = True
        kind = self.chosen if isinstance(self.chosen, CaseKind) else None
        self.background.ask(
            registration.worklist, kind, mine=self.mine, text=self.narrowed_to
        ).latest(self, self.show_worklist, failed=self.show_unread)

    def show_worklist(self, answer: Answer) -> None:
        """Show the list; the cursor stays on its row."""
        self._awaiting = False
        self.show_list(answer.rows, answer.counts, answer.total)
        self._say_empty(sum(answer.counts[kind] for kind in _LISTED))
        self._on_turn(self.table.current_row())

    def show_unread(self, problem: ConsoleError) -> None:
        self._awaiting = False
        super().show_unread(problem)

    # Qt overrides

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()
        self._clock.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_buttons()

    # How it is put together

    def _fit_buttons(self) -> None:
        room = self.width() * 100 / theme.current().scale
        for button in (self.take_button, self.put_back_button):
            button.show_words(room >= WORDS_FROM, key=room >= KEYS_FROM)

    def _columns(self) -> tuple[Column[WorklistRow], ...]:
        return (
            Column(
                "Where it stands",
                lambda row: row.kind,
                lambda kind: KINDS[kind][0],
                width=150,
                least=146,
                icon=lambda row: KINDS[row.kind][1],
                tone=lambda row: KINDS[row.kind][2],
            ),
            Column(
                "Since",
                lambda row: row.since,
                lambda at: times.when(at, self._desk.now(), self._desk.settings.zone),
                width=156,
                least=140,
            ),
            Column(
                "Member",
                lambda row: row.member_name or "Nobody on file",
                width=210,
                least=148,
                bold=True,
                hint=lambda row: row.member_name,
                second=lambda row: f"account {row.account_number}",
            ),
            Column(
                "What happened",
                lambda row: row.what,
                stretch=True,
                second=lambda row: row.email,
                hint=lambda row: row.what,
            ),
            Column(
                "Tries", lambda row: row.attempts, align="right", width=64, least=64, spare=True
            ),
            Column(
                "In hand",
                lambda row: row.assigned_to,
                lambda who: who or "–",
                width=140,
                least=96,
                hint=lambda row: row.assigned_to,
            ),
        )

    def _say_empty(self, others: int) -> None:
        """Say why the list is empty; a filter that hides people is never called nobody."""
        if self.narrowed_to:
            self._empty.say(
                f"Nobody here matches “{self.narrowed_to}”.",
                "Names, account numbers and e-mail addresses are searched. Esc clears the field.",
            )
        elif self.mine:
            self._empty.say(
                "You have nothing in hand.",
                "Choose “Everybody’s”, put the cursor on a row and take it with Ctrl+T.",
            )
        elif others and isinstance(self.chosen, CaseKind):
            word = KINDS[self.chosen][0].lower()
            self._empty.say(f"Nobody stands under “{word}”.", f"All together there are {others:,}.")
        else:
            self._empty.say(*_NOBODY)

    # What happens

    def _on_open(self, row: WorklistRow) -> None:
        if row.member_id is not None:
            self.open_member.emit(row.member_id, row.account_number)
        else:
            self.problem.say(
                f"No account has the number {row.account_number}. Look the member up by name, "
                "and read the right number out."
            )

    def _on_turn(self, row: WorklistRow | None) -> None:
        may = self._desk.colleague.role.changes_the_file
        self.take.setEnabled(may and row is not None and not row.assigned_to)
        self.put_back.setEnabled(may and row is not None and bool(row.assigned_to))

    def _look_again(self) -> None:
        # A question asked anew before it is answered is answered never, where answers are slow.
        if not self._awaiting:
            self.load()

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

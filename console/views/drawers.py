"""The cash drawer at the counter: opened with a count, added to, counted blind and closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import uuid4

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QPlainTextEdit,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from console.background import Background, DatabaseAway
from console.domain import times
from console.domain.drawers import (
    DENOMINATIONS,
    MOST_CHEQUES,
    MOST_OF_ONE,
    MOST_WORDS,
    MovementKind,
    coin_words,
    counted_sum,
)
from console.domain.errors import ConsoleError
from console.domain.money import BadAmount, Money
from console.domain.payments import PaymentWay
from console.services import drawers
from console.services.drawers import (
    GIVEN_BACK,
    DrawerDiffers,
    DrawerRow,
    DrawerState,
)
from console.views import theme
from console.views.screen import Screen
from console.views.sheet import Sheet
from console.views.tables import Column, RowTable
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Badge,
    Button,
    EmptyPlace,
    Field,
    FlowLayout,
    Notice,
    Section,
    Words,
    act,
    bring_up,
    heading,
    line_edit,
    muted,
    row,
    rule,
)

LISTED_FOR: Final = timedelta(days=31)
"""How far back the drawers are listed."""
_NOTES: Final = tuple(cents for cents in DENOMINATIONS if cents >= 100)
_COINS: Final = tuple(cents for cents in DENOMINATIONS if cents < 100)
_MOVES: Final = {
    MovementKind.PAY_IN: (
        "Put cash in", "plus", "Ctrl+Shift+I", "Change from the bank, for example.",
    ),
    MovementKind.PAY_OUT: (
        "Pay cash out", "minus", "Ctrl+Shift+X", "Postage, for example. It is no refund.",
    ),
    MovementKind.TO_SAFE: (
        "Bring cash to the safe", "lock", "Ctrl+Shift+F", "So that there is never much in it.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One thing that came into a drawer or went out of it."""

    id: str
    at: datetime
    word: str
    icon: str
    about: str
    more: str
    amount: Money
    voided: bool = False


def lines_of(state: DrawerState) -> tuple[Line, ...]:
    """List all that came into a drawer and went out of it, the newest first."""
    taken = (
        Line(
            one.payment_id,
            one.taken_at,
            f"{_way_words(one.way, one.cheque_number)}{', void' if one.voided else ''}",
            "ban" if one.voided else "payments",
            one.member_name,
            f"account {', '.join(one.accounts)} · receipt {one.receipt}",
            one.amount,
            one.voided,
        )
        for one in state.taken
    )
    given_back = (
        Line(
            one.refund_id, one.given_at, GIVEN_BACK, "undo", one.member_name,
            f"account {one.account_number} · {one.reason}", -one.amount,
        )
        for one in state.given_back
    )  # fmt: skip
    moved = (
        Line(
            one.id, one.moved_at, one.kind.words, _MOVES[one.kind][1],
            one.words or f"by {one.moved_by}", f"by {one.moved_by}" if one.words else "",
            one.amount,
        )
        for one in state.movements
    )  # fmt: skip
    return tuple(
        sorted((*taken, *given_back, *moved), key=lambda line: (line.at, line.id), reverse=True)
    )


def _way_words(way: PaymentWay, cheque_number: str) -> str:
    return f"{way.words} {cheque_number}".strip() if way is PaymentWay.CHEQUE else way.words


class DrawersScreen(Screen):
    """One's own drawer, with what came in and went out, and the drawers of the last month."""

    shows = frozenset({"Drawer", "DrawerMovement", "Payment", "PaymentReturn", "Refund"})

    def __init__(self, background: Background) -> None:
        super().__init__(background)
        self.setAccessibleName("Drawer")
        self._desk = background.desk
        self._role = background.desk.colleague.role
        self.state: DrawerState | None = None
        self.rows: tuple[DrawerRow, ...] = ()
        self._wanted = ""
        """The drawer that the cursor goes to as soon as it is in the list."""
        self._make_actions()
        self.now = QStackedWidget()
        self.now.addWidget(self._make_nothing())
        self.now.addWidget(self._make_drawer())
        if self._role.watches_over and not self._role.may_handle_cash:
            self.now.hide()
        self.so_far = self._make_list()
        self.page.addWidget(self.now, 1)
        self.page.addWidget(self.so_far, 1)
        self._dress()

    # What it shows

    def load(self) -> None:
        """Ask for one's own drawer, and for the drawers of the last month."""
        if self._role.may_handle_cash:
            self.background.ask(drawers.mine).latest(self, self.show_drawer, failed=self._on_unread)
        since = self._desk.now() - LISTED_FOR
        self.background.ask(drawers.drawers, since).latest(
            self, self.show_drawers, failed=self._on_unread
        )

    def show_drawer(self, state: DrawerState | None) -> None:
        """Show one's own drawer, or the empty place where it would be."""
        other = (state and state.id) != (self.state and self.state.id)
        self.state = state
        self.now.setCurrentIndex(0 if state is None else 1)
        self.page.setStretchFactor(self.now, 2 if state is None else 3)
        self.page.setStretchFactor(self.so_far, 3 if state is None else 2)
        if state is not None:
            opened = times.when(state.opened_at, self._desk.now(), self._desk.settings.zone)
            self.since.say(
                f"since {opened} at {state.workstation}, {state.opening_cash} to begin with"
            )
            self.lines.show_rows(lines_of(state), light=not other)
        self._dress()

    def show_drawers(self, rows: tuple[DrawerRow, ...]) -> None:
        """Show the list of drawers; the cursor stays on its row."""
        self.rows = rows
        self.table.show_rows(rows)
        if self._wanted and self.table.turn_to(self._wanted):
            self._wanted = ""
        elif rows and not self.table.selectionModel().hasSelection():
            self.table.turn_to(self.table.current_key() or rows[0].id)
        self._dress()

    # Qt overrides

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()

    # How it is put together

    def _make_actions(self) -> None:
        self.open_it = act(
            self, "Open your drawer", self._on_open, key="F4", icon="unlock",
            more="Count what is in it, note by note.",
        )  # fmt: skip
        self.close_it = act(
            self, "Count and close your drawer", self._on_close, key="F4", icon="lock",
            more="What should be in it is told after you have counted.",
        )  # fmt: skip
        self.moves = {
            kind: act(self, name, partial(self._on_move, kind), key=key, icon=icon, more=more)
            for kind, (name, icon, key, more) in _MOVES.items()
        }
        self.look = act(
            self, "Show this drawer’s sheet", self._on_look, icon="print",
            more="All that was taken and counted, to be read, printed or saved.",
        )  # fmt: skip
        self.close_theirs = act(
            self, "Count and close this drawer", self._on_close_theirs, icon="lock",
            more="For a colleague who has left.",
        )  # fmt: skip

    def _make_nothing(self) -> QWidget:
        if self._role.may_handle_cash:
            return EmptyPlace(
                "inbox",
                "You have no drawer open.",
                self.open_it,
                more="Cash and cheques go into a drawer. Count what is in it to begin with.",
            )
        return EmptyPlace(
            "inbox",
            "You have no drawer.",
            more="A clerk at the counter takes cash and cheques. Send the member there, or take "
            "a card, a bank account or a pay link.",
        )

    def _make_drawer(self) -> QWidget:
        self.since = muted("", wrap=True)
        self.lines: RowTable[Line] = RowTable(
            _line_columns(self._when),
            lambda line: line.id,
            name="What came in and went out",
            empty=EmptyPlace(
                "payments",
                "Nothing came in yet.",
                more="What you take in cash and cheques is listed here by itself.",
            ),
        )
        buttons = QWidget()
        flow = FlowLayout(buttons)
        for action, word in zip(
            self.moves.values(), ("Put in", "Pay out", "To the safe"), strict=True
        ):
            flow.addWidget(Button(action, text=word))
        flow.addWidget(Button(self.close_it, "primary", text="Count and close"))
        head = row(heading("Your drawer"), Badge("unlock", "Open", "good"), self.since)
        head.setStretch(2, 1)
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID + GRID // 2)
        layout.addLayout(head)
        layout.addWidget(buttons)
        layout.addWidget(self.lines, 1)
        return inside

    def _make_list(self) -> QWidget:
        watches = self._role.watches_over
        self.look_button = Button(self.look, text="Show the sheet")
        self.theirs_button = Button(self.close_theirs, text="Count and close")
        if not self._role.closes_others_drawers:
            self.theirs_button.hide()
        section = Section(
            "Everybody’s drawers" if watches else "Your drawers so far",
            self.theirs_button,
            self.look_button,
            note="The last month",
        )
        self.table: RowTable[DrawerRow] = RowTable(
            _drawer_columns(self._when, everybody=watches),
            lambda one: one.id,
            name=section.heading.text(),
            empty=EmptyPlace(
                "history", "No drawer was open in the last month.",
                more="Each one is listed here from its opening on.",
            ),
        )  # fmt: skip
        self.table.opened.connect(lambda _: self._on_look())
        self.table.turned_to.connect(lambda _: self._dress())
        section.body.addWidget(self.table, 1)
        return section

    def _when(self, at: datetime) -> str:
        return times.when(at, self._desk.now(), self._desk.settings.zone)

    def _dress(self) -> None:
        is_open = self.state is not None
        self.open_it.setEnabled(self._role.may_handle_cash and not is_open)
        for action in (self.close_it, *self.moves.values()):
            action.setEnabled(is_open)
        chosen = self.table.current_row()
        self.look.setEnabled(chosen is not None and chosen.close is not None)
        self.close_theirs.setEnabled(
            self._role.closes_others_drawers
            and chosen is not None
            and chosen.close is None
            and chosen.id != (self.state and self.state.id)
        )

    # What happens

    def _on_unread(self, problem: ConsoleError) -> None:
        # The banner over the screen says already that the database is away.
        if not isinstance(problem, DatabaseAway):
            self.show_problem(problem)

    def _on_open(self) -> None:
        sheet = OpenSheet(self, self.background)
        sheet.done_with.connect(self._on_opened)
        sheet.open()

    def _on_opened(self, state: DrawerState) -> None:
        say(self, f"Your drawer is open with {state.opening_cash}.")
        self._go_on(state)

    def _on_move(self, kind: MovementKind) -> None:
        if self.state is None:
            return
        sheet = MoveSheet(self, self.background, self.state.id, kind)
        sheet.done_with.connect(self._go_on)
        sheet.open()

    def _on_close(self) -> None:
        if self.state is not None:
            self._count(self.state.id)

    def _on_close_theirs(self) -> None:
        chosen = self.table.current_row()
        if chosen is not None:
            self._count(chosen.id, chosen.clerk_name)

    def _count(self, drawer_id: str, whose: str = "") -> None:
        sheet = CloseSheet(self, self.background, drawer_id, whose)
        sheet.done_with.connect(self._on_closed)
        sheet.open()

    def _on_closed(self, state: DrawerState) -> None:
        mine = state.clerk == self._desk.colleague.login
        whose = "Your drawer" if mine else f"The drawer of {state.clerk_name}"
        how = state.close.words if state.close is not None else ""
        say(
            self, f"{whose} is closed. {how} Enter shows its sheet.".replace("  ", " "), icon="lock"
        )
        self._wanted = state.id
        self.table.setFocus()
        if mine:
            self.show_drawer(None)
        self.load()

    def _go_on(self, state: DrawerState) -> None:
        self.clear_problem()
        self.show_drawer(state)
        self.lines.setFocus()
        self.load()

    def _on_look(self) -> None:
        chosen = self.table.current_row()
        if chosen is None:
            return
        if chosen.close is None:
            self.problem.say(
                f"The drawer of {chosen.clerk_name} is still open. Its sheet is there as soon as "
                "it is counted and closed."
            )
            return
        self._show_sheet(chosen.id)

    def _show_sheet(self, drawer_id: str) -> None:
        self.clear_problem()
        self.background.ask(drawers.paper, drawer_id).then(
            self, partial(self._show_paper, drawer_id), busy=[self.look_button]
        )

    def _show_paper(self, drawer_id: str, pdf: bytes) -> None:
        day = next((one.opened_at for one in self.rows if one.id == drawer_id), self._desk.now())
        on = times.day_of(day, self._desk.settings.zone)
        from console.views.printing import PrintSheet  # what prints is not wanted at start

        PrintSheet(self, self.background, "Drawer sheet", pdf, f"drawer-{on:%Y-%m-%d}.pdf").open()


def _line_columns(when: Callable[[datetime], str]) -> tuple[Column[Line], ...]:
    def tone(line: Line) -> str:
        return "muted" if line.voided else "ink"

    return (
        Column("When", lambda line: line.at, when, width=150, least=124),
        Column(
            "What", lambda line: line.word, width=190, least=150,
            icon=lambda line: line.icon, tone=tone, hint=lambda line: line.word,
        ),
        Column(
            "For whom, what for", lambda line: line.about, stretch=True,
            second=lambda line: line.more, tone=tone,
            hint=lambda line: f"{line.about}\n{line.more}",
        ),
        Column("Amount", lambda line: line.amount, align="right", width=130, least=110, tone=tone),
    )  # fmt: skip


def _drawer_columns(
    when: Callable[[datetime], str], *, everybody: bool
) -> tuple[Column[DrawerRow], ...]:
    clerk = Column[DrawerRow](
        "Clerk", lambda one: one.clerk_name, width=180, least=110, bold=True,
        hint=lambda one: one.clerk_name,
    )  # fmt: skip
    return (
        *((clerk,) if everybody else ()),
        Column(
            "Opened", lambda one: one.opened_at, when, width=160, least=142,
            second=lambda one: f"at {one.workstation}",
        ),
        Column(
            "Closed",
            lambda one: one.close and one.close.closed_at,
            lambda at: when(at) if at else "–",
            width=160,
            least=142,
            second=lambda one: f"by {one.close.closed_by}" if one.close else "",
        ),
        Column(
            "Cash counted",
            lambda one: one.close and one.close.counted.cash,
            lambda cash: str(cash) if cash else "–",
            align="right",
            width=130,
            least=112,
            spare=True,
        ),
        Column(
            "How it came out", _outcome, stretch=True, icon=lambda one: _marks(one)[0],
            tone=lambda one: _marks(one)[1],
            second=_explained,
            hint=lambda one: f"{_outcome(one)}\n{_explained(one)}".strip(),
        ),
    )  # fmt: skip


def _outcome(one: DrawerRow) -> str:
    return one.close.words if one.close else "Open"


def _explained(one: DrawerRow) -> str:
    return one.close.explanation if one.close else ""


def _marks(one: DrawerRow) -> tuple[str, str]:
    if one.close is None:
        return "unlock", "accent"
    return ("check-circle", "good") if one.close.is_right else ("scales", "warn")


# The sheets


class CountBox(QSpinBox):
    """How many there are of one thing: typed; Enter goes on to the next one."""

    def __init__(self, spoken: str, most: int) -> None:
        super().__init__()
        self.setAccessibleName(spoken)
        self.setRange(0, most)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedWidth(theme.current().px(84))
        self.lineEdit().setTextMargins(0, 0, theme.current().px(GRID), 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not (
            event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self.interpretText()
            self.focusNextChild()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.selectAll()
        if event.reason() == Qt.FocusReason.MouseFocusReason:
            # The click puts the cursor somewhere after this; what is typed replaces the number too.
            QTimer.singleShot(0, self, self.selectAll)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # a hand on the wheel must not change what was counted


class CountGrid(QWidget):
    """The notes and coins with a number for each, what they come to, and the sum of it all."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.boxes: dict[int, CountBox] = {}
        self._sums: dict[int, Words] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID + GRID // 2)
        grid.setVerticalSpacing(GRID - 2)
        for first, some in ((0, _NOTES), (4, _COINS)):
            for place, cents in enumerate(some):
                self._add(grid, place, first, cents)
        grid.setColumnMinimumWidth(3, 3 * GRID)
        grid.setColumnStretch(2, 1)
        grid.setColumnStretch(6, 1)
        self.total = Words("", "title")
        self.total.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        # Below the coins, which are one less than the notes.
        grid.addWidget(Words("Cash counted", "bold"), len(_COINS), 4, 1, 2)
        grid.addWidget(self.total, len(_COINS), 6)
        self.setLayout(grid)
        self.setFocusProxy(self.boxes[DENOMINATIONS[0]])
        self._add_up()

    @property
    def counted(self) -> dict[int, int]:
        """How many there are of each note and coin."""
        return {cents: box.value() for cents, box in self.boxes.items() if box.value()}

    def _add(self, grid: QGridLayout, place: int, first: int, cents: int) -> None:
        name = coin_words(cents)
        box = CountBox(f"{name}: how many", MOST_OF_ONE)
        words = Words(name)
        words.setBuddy(box)
        comes_to = muted("")
        comes_to.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        comes_to.setMinimumWidth(theme.current().px(84))
        grid.addWidget(words, place, first)
        grid.addWidget(box, place, first + 1)
        grid.addWidget(comes_to, place, first + 2)
        self.boxes[cents], self._sums[cents] = box, comes_to
        box.valueChanged.connect(self._on_changed)

    def _on_changed(self) -> None:
        self._add_up()
        self.changed.emit()

    def _add_up(self) -> None:
        for cents, box in self.boxes.items():
            self._sums[cents].setText(str(Money(cents * box.value())) if box.value() else "–")
        total = str(counted_sum(self.counted))
        self.total.setText(total)
        self.total.setAccessibleName(f"Cash counted: {total}")


class _DrawerSheet(Sheet):
    """A sheet about a drawer: sends once, and asks before what was typed is forgotten."""

    done_with = Signal(object)
    """The drawer as it stands afterwards."""

    def __init__(self, over: QWidget, background: Background, name: str, *, wide: int) -> None:
        super().__init__(over, name, wide=wide)
        self.background = background
        self._sending = False

    def show_problem(self, problem: ConsoleError) -> None:
        self._sending = False
        super().show_problem(problem)

    def reject(self) -> None:
        """Close; what was typed is asked about first."""
        if self._is_touched():
            self.ask_to_leave(
                "Nothing happens to the drawer, and what you typed here is forgotten.",
                self._leave,
            )
            return
        self._leave()

    def _leave(self) -> None:
        # Qt would look `super().reject` up by its name, and ask again.
        super().reject()

    def _is_touched(self) -> bool:
        """Whether anything was typed."""
        return False

    def _add_save(self, name: str, icon: str) -> Button:
        save = act(self, name, self._on_save, key="Ctrl+Return", icon=icon, listed=False)
        self.add_cancel()
        return self.add_button(Button(save, "primary"))

    def _on_save(self) -> None:
        if not self._sending:
            self.clear_problem()
            self._send()

    def _send(self) -> None:
        """Do what the sheet is for."""

    def _on_done(self, state: DrawerState) -> None:
        self.accept()
        self.done_with.emit(state)


class OpenSheet(_DrawerSheet):
    """Opens one's drawer with what is in it, counted note by note."""

    def __init__(self, over: QWidget, background: Background) -> None:
        super().__init__(over, background, "Open your drawer", wide=620)
        self._id = str(uuid4())
        self.count = CountGrid()
        self.body.addWidget(
            muted("Count what is in the drawer to begin with. Enter goes to the next.", wrap=True)
        )
        self.body.addWidget(self.count)
        self.save_button = self._add_save("Open the drawer", "unlock")
        self.count.setFocus()

    def _is_touched(self) -> bool:
        return bool(self.count.counted)

    def _send(self) -> None:
        self._sending = True
        self.background.ask(drawers.open_drawer, self._id, self.count.counted).then(
            self, self._on_done, busy=[self.save_button]
        )


class MoveSheet(_DrawerSheet):
    """Puts cash into one's drawer, or takes some out, beside payments."""

    def __init__(
        self, over: QWidget, background: Background, drawer_id: str, kind: MovementKind
    ) -> None:
        name, icon, _, more = _MOVES[kind]
        super().__init__(over, background, name, wide=440)
        self._id, self._drawer_id, self._kind = str(uuid4()), drawer_id, kind
        self.amount = line_edit("84.10", spoken="Amount", longest=16)
        self.amount.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.words = line_edit(spoken="What it is for", longest=MOST_WORDS)
        needed = kind is not MovementKind.TO_SAFE
        self.place = Field("Amount", self.amount)
        self.amount.textChanged.connect(lambda _: self.place.say())
        self.body.addWidget(muted(more, wrap=True))
        self.body.addWidget(self.place)
        self.body.addWidget(
            Field("What it is for" if needed else "What it is for, if you like", self.words)
        )
        self.amount.returnPressed.connect(self.words.setFocus)
        self.words.returnPressed.connect(self._on_save)
        self.save_button = self._add_save(name, icon)
        self.amount.setFocus()

    def show_problem(self, problem: ConsoleError) -> None:
        if isinstance(problem, BadAmount):
            self._sending = False
            self.place.say(str(problem), "bad")
            self.amount.setFocus()
            self.amount.selectAll()
            return
        super().show_problem(problem)

    def _is_touched(self) -> bool:
        return bool(self.amount.text().strip() or self.words.text().strip())

    def _send(self) -> None:
        try:
            amount = Money.parse(self.amount.text())
        except BadAmount as problem:
            self.show_problem(problem)
            return
        self._sending = True
        self.background.ask(
            drawers.move, self._id, self._drawer_id, self._kind, amount, self.words.text()
        ).then(self, self._on_done, busy=[self.save_button])


class CloseSheet(_DrawerSheet):
    """Counts a drawer blind; only then is told what should be in it, and a difference explained."""

    def __init__(
        self, over: QWidget, background: Background, drawer_id: str, whose: str = ""
    ) -> None:
        name = f"Count and close the drawer of {whose}" if whose else "Count and close your drawer"
        super().__init__(over, background, name, wide=620)
        self._drawer_id = drawer_id
        self._told: DrawerDiffers | None = None
        self._told_about: tuple[object, ...] = ()
        self.first = muted(
            "Count first. What should be there is told when you close; Enter goes to the next.",
            wrap=True,
        )
        self.body.addWidget(self.first)
        self.count = CountGrid()
        self.body.addWidget(self.count)
        self._make_cheques()
        self._make_difference()
        self.save_button = self._add_save("Close the drawer", "lock")
        self.count.changed.connect(self._on_counted)
        self.count.setFocus()

    def show_problem(self, problem: ConsoleError) -> None:
        """Show a difference with room to explain it; say anything else at the foot."""
        if isinstance(problem, DrawerDiffers):
            self._sending = False
            self._told, self._told_about = problem, self._counted()
            self.difference.say(str(problem), "scales", "warn")
            self.first.hide()
            self.why.show()
            bring_up(self.why)
            self.explanation.setFocus()
            return
        if isinstance(problem, BadAmount):
            self._sending = False
            self.sum_place.say(str(problem), "bad")
            self.cheque_sum.setFocus()
            self.cheque_sum.selectAll()
            return
        super().show_problem(problem)

    def _make_cheques(self) -> None:
        self.cheques = CountBox("Cheques: how many", MOST_CHEQUES)
        self.cheque_sum = line_edit("0.00", spoken="What the cheques come to", longest=16)
        self.cheque_sum.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.cheque_sum.setFixedWidth(theme.current().px(160))
        self.sum_place = Field("What they come to", self.cheque_sum)
        self.cheques.valueChanged.connect(self._on_counted)
        self.cheque_sum.textChanged.connect(self._on_counted)
        self.cheque_sum.returnPressed.connect(self._on_save)
        self.body.addWidget(rule())
        self.body.addLayout(row(Field("Cheques", self.cheques), self.sum_place, 0, gap=2 * GRID))

    def _make_difference(self) -> None:
        self.difference = Notice("scales", "", "warn")
        self.difference.hide()
        self.explanation = QPlainTextEdit()
        self.explanation.setAccessibleName("How the difference may have come about")
        self.explanation.setTabChangesFocus(True)
        self.explanation.setFixedHeight(theme.current().px(72))
        self.why = Field("How it may have come about", self.explanation)
        self.why.hide()
        self.body.addWidget(self.difference)
        self.body.addWidget(self.why)

    def _counted(self) -> tuple[object, ...]:
        return self.count.counted, self.cheques.value(), self.cheque_sum.text().strip()

    def _is_touched(self) -> bool:
        return self._counted() != ({}, 0, "") or bool(self.explanation.toPlainText().strip())

    def _on_counted(self) -> None:
        self.sum_place.say()
        if self._told is not None:
            # Another count has another difference, which is told before it is explained.
            if self._counted() == self._told_about:
                self.difference.say(str(self._told), "scales", "warn")
            else:
                self.difference.say("Counted anew. Close the drawer to compare.", "info", "accent")

    def _send(self) -> None:
        typed = self.cheque_sum.text().strip()
        try:
            cheque_sum = Money.parse(typed) if typed else Money(0)
        except BadAmount as problem:
            self.show_problem(problem)
            return
        explained = self._told if self._counted() == self._told_about else None
        self._sending = True
        self.background.ask(
            drawers.close_drawer,
            self._drawer_id,
            self.count.counted,
            self.cheques.value(),
            cheque_sum,
            self.explanation.toPlainText() if explained else "",
            explained.expected if explained else None,
        ).then(self, self._on_done, busy=[self.save_button])

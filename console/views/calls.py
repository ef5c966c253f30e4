"""The caller: facts to tick off against the file, and what is still missing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QGridLayout, QMenu, QWidget

from console.background import Background
from console.domain import times
from console.domain.calls import Fact
from console.domain.errors import ConsoleError
from console.services import calls
from console.services.calls import CallState
from console.services.member_page import FactRow
from console.views.theme import GRID
from console.views.widgets import (
    Badge,
    Button,
    Card,
    KeyHint,
    ProblemLine,
    Words,
    act,
    heading,
    row,
)


class CallerPanel(Card):
    """Ticks facts off; the first one begins the call, and enough of them verify the caller."""

    call_changed = Signal(object)
    """The call as it stands now."""

    def __init__(self, background: Background, member_id: int) -> None:
        super().__init__(gap=GRID // 2)
        self.setAccessibleName("Who is on the line")
        self.background = background
        self._member_id = member_id
        self._call: CallState | None = None
        self._fresh_id = str(uuid.uuid4())
        self._wanted: frozenset[Fact] = frozenset()
        self._asking = False
        self._unfolded = False
        self._facts: tuple[FactRow, ...] = ()
        self.boxes: dict[Fact, FactBox] = {}
        self.state = Badge("unverified", "Not verified", "warn")
        self.missing = Words("", "text", "muted", wrap=True)
        self.fold = Button("Show the facts", "plain")
        self.fold.clicked.connect(self._on_fold)
        self.began = Button("Begin a call", icon="phone")
        self.began.setToolTip("Ticking the first fact begins the call by itself.")
        menu = QMenu(self.began)
        self.they_called = self._offer(menu, "The member called us", member_began=True)
        self.we_called = self._offer(menu, "We called the member", member_began=False)
        self.began.setMenu(menu)
        head = row(heading("Who is calling?"), self.state, 0, self.fold, self.began)
        self.problem = ProblemLine()
        self.list = QWidget()
        self._grid = QGridLayout(self.list)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)
        self.body.addLayout(head)
        self.body.addWidget(self.missing)
        self.body.addWidget(self.list)
        self.body.addWidget(self.problem)
        self._may = background.desk.colleague.role.changes_the_file
        self.ticks: dict[Fact, QAction] = {
            fact: act(
                self,
                f"Caller said: {fact.words[:1].lower()}{fact.words[1:]}",
                partial(self.flip, fact),
                key=f"Alt+{number}",
                icon="verified",
                more="Tick it when it is what the file says.",
            )
            for number, fact in enumerate(Fact, 1)
        }
        for action in self.ticks.values():
            action.setVisible(self._may)
        self._dress()

    @property
    def call(self) -> CallState | None:
        """The call in progress, when it is about this member."""
        call = self._call
        return call if call is not None and call.member_id == self._member_id else None

    def show_facts(self, facts: Sequence[FactRow]) -> None:
        """Show what is on file; a fact that the file lacks proves nothing and is left out."""
        if tuple(facts) == self._facts:
            return
        self._facts = tuple(facts)
        held = next((fact for fact, box in self.boxes.items() if box.hasFocus()), None)
        for number, row_ in enumerate(facts):
            box = self.boxes.get(row_.fact)
            if box is None:
                box = self.boxes[row_.fact] = FactBox(row_.fact, self.ticks[row_.fact])
                box.clicked.connect(lambda _=False, fact=row_.fact: self.flip(fact))
            box.show_on_file(row_.on_file)
            for column, part in enumerate(box.parts):
                self._grid.addWidget(part, number, column)
        gone = set(self.boxes) - {row_.fact for row_ in facts}
        for fact in gone:
            for part in self.boxes.pop(fact).parts:
                part.hide()
                part.deleteLater()
        if held in self.boxes:
            self.boxes[held].setFocus()
        self._dress()

    def show_call(self, call: CallState | None) -> None:
        """Show the call in progress, whoever it is about."""
        if self._call is not None and (call is None or call.id != self._call.id):
            self._unfolded = False
        self._call = call
        if call is None:
            self._fresh_id = str(uuid.uuid4())
        if not self._asking:
            self._wanted = self.call.facts if self.call else frozenset()
        self._dress()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong, and tick what really counts."""
        self._asking = False
        self._wanted = self.call.facts if self.call else frozenset()
        self.problem.say(str(problem))
        self._dress()

    def flip(self, fact: Fact) -> None:
        """Tick a fact, or take its tick away."""
        if fact not in self.boxes:
            self.problem.say(
                f"The file has nothing for “{fact.words}”, so it proves nothing. Ask for another "
                "fact."
            )
            return
        if self._elsewhere() is not None:
            self._dress()
            return
        self.problem.say("")
        self._wanted = self._wanted ^ {fact}
        self._dress()
        self._push()

    def begin(self, *, member_began: bool) -> None:
        """Begin a call about this member before anything is ticked."""
        if self._asking or self._call is not None:
            return
        self._asking = True
        self.background.ask(
            calls.begin, self._fresh_id, self._member_id, member_began=member_began
        ).then(self, self._on_answer)

    def go_to_first(self) -> None:
        """Put the focus on the first fact that is not ticked."""
        self._unfolded = True
        self._dress()
        boxes = list(self.boxes.values())
        if boxes:
            next((box for box in boxes if not box.isChecked()), boxes[0]).setFocus()

    def _push(self) -> None:
        # One question at a time: what is ticked meanwhile goes with the next one.
        if self._asking:
            return
        call = self.call
        if call is None:
            if self._wanted:
                self.begin(member_began=True)
        elif call.facts != self._wanted:
            self._asking = True
            self.background.ask(calls.tick, call.id, self._wanted).then(self, self._on_answer)

    def _on_answer(self, call: CallState) -> None:
        self._asking = False
        if call.verified and not (self.call and self.call.verified):
            # The list folds away; nobody should be left with the focus nowhere.
            self._unfolded = False
        self._call = call
        # What was ticked meanwhile goes out before anybody is told, or it would be forgotten.
        self._push()
        self._dress()
        self.call_changed.emit(call)

    def _elsewhere(self) -> CallState | None:
        call = self._call
        return call if call is not None and call.member_id not in (None, self._member_id) else None

    def _on_fold(self) -> None:
        self._unfolded = not self._unfolded
        self._dress()

    def _offer(self, menu: QMenu, name: str, *, member_began: bool) -> QAction:
        action = menu.addAction(name)
        action.triggered.connect(lambda: self.begin(member_began=member_began))
        return action

    def _dress(self) -> None:
        call, elsewhere = self.call, self._elsewhere()
        may = self._may
        verified = call is not None and call.verified
        for fact, box in self.boxes.items():
            box.setChecked(fact in self._wanted)
            box.setEnabled(may and elsewhere is None)
        for action in self.ticks.values():
            action.setEnabled(may and elsewhere is None)
        open_ = self._unfolded or not verified
        folds = not open_ and any(box.hasFocus() for box in self.boxes.values())
        self.list.setVisible(open_)
        self.fold.setVisible(verified)
        self.fold.setText("Hide the facts" if open_ else "Show the facts")
        if folds:
            self.fold.setFocus()
        self.began.setVisible(self._call is None and may)
        if call is not None and call.verified_at is not None:
            at = times.clock(call.verified_at, self.background.desk.settings.zone)
            told = ", ".join(_short(fact) for fact in Fact if fact in call.facts)
            self.state.show_state("verified", f"Verified {at}", "good")
            self.missing.setText(told[:1].upper() + told[1:])
        elif call is not None:
            self.state.show_state("unverified", "Not verified", "warn")
            self.missing.setText(call.still_missing)
        else:
            self.state.show_state("phone", "No call", "muted")
            self.missing.setText(_no_call_words(elsewhere, may))
        self.state.setVisible(call is not None)
        self.setAccessibleDescription(f"{self.state.text()}. {self.missing.text()}")


class FactBox(QCheckBox):
    """One fact: its key, its name, and what the file says."""

    def __init__(self, fact: Fact, action: QAction) -> None:
        short = _short(fact)
        super().__init__(short[:1].upper() + short[1:])
        self._words = fact.words
        self.setToolTip(fact.words)
        self.value = Words("", "bold", wrap=True)
        self.key = KeyHint(action.shortcut().toString())
        self.parts: tuple[QWidget, ...] = (self.key, self, self.value)

    def show_on_file(self, on_file: str) -> None:
        """Show what the caller's answer is compared with."""
        self.value.setText(on_file)
        self.setAccessibleName(f"{self._words}: {on_file}")

    def nextCheckState(self) -> None:
        # The panel ticks it, once the call says so.
        return


def _short(fact: Fact) -> str:
    return {
        Fact.NAME: "name",
        Fact.SERVICE_ADDRESS: "service address",
        Fact.PHONE: "phone",
        Fact.LAST_PAYMENT: "last payment",
        Fact.LAST_FOUR: "last four of ID",
    }[fact]


def _no_call_words(elsewhere: CallState | None, may: bool) -> str:
    if elsewhere is not None:
        whom = elsewhere.member_name or "somebody else"
        return f"You are in a call with {whom}. Wrap it up, or turn the call to this member."
    if not may:
        return "Your role looks only; a representative verifies callers."
    return "The first tick begins the call."

"""The call in progress: whose, how long, verified or not, and its wrap-up."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPlainTextEdit, QWidget

from console.background import Background
from console.domain.calls import Reason, Result
from console.domain.errors import ConsoleError
from console.services import calls
from console.services.calls import CANNED_NOTES, CallState, WrapUp
from console.services.changes import EVERYTHING
from console.services.drafts import Draft
from console.views import theme
from console.views.drafts import DraftKeeper
from console.views.sheet import Sheet
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import Badge, Button, Field, FlowLayout, Icon, Words, act, column

LONGEST_NOTE = 2_000


class CallBar(QFrame):
    """Begins a call, shows it, and wraps it up."""

    changed = Signal(object)
    """The call as it stands now, or None when there is none."""

    def __init__(
        self,
        background: Background,
        front_member: Callable[[], int | None],
        known: Callable[[], Mapping[str, str]],
    ) -> None:
        super().__init__()
        self.background = background
        self.call: CallState | None = None
        self._front_member = front_member
        self._known = known
        self._drafts: dict[str, WrapUp] = {}
        self._room = 1366.0
        self._may = background.desk.colleague.role.changes_the_file
        self.setAccessibleName("Call in progress")
        self.begin = act(
            self, "Begin a call", self._on_begin, key="F9", icon="phone",
            more="The member has called us.",
        )  # fmt: skip
        self.begin_ours = act(
            self, "Begin a call that we make", self._on_begin_ours, key="Shift+F9", icon="phone",
            more="We call the member; no payment may be taken in such a call.",
        )  # fmt: skip
        self.turn = act(
            self, "Turn the call to the member in front", self._on_turn, key="Ctrl+F9", icon="swap",
            more="What was verified for the other member no longer counts.",
        )  # fmt: skip
        self.wrap = act(
            self, "Wrap up the call", self.open_wrap_up, key="F10", icon="phone-end",
            more="End the call with a reason, a result and a note.",
        )  # fmt: skip
        self.scam = act(
            self, "Report a scam call", self._on_scam, key="F12", icon="scam",
            more="The co-op never asks for card or bank numbers by calling a member.",
        )  # fmt: skip
        self.icon = Icon("headset", "accent", 18)
        self.who = Words("", "bold")
        self.long = Words("0:00", "text", "muted")
        self.long.setAccessibleName("Length of the call")
        self.state = Badge("unverified", "Not verified", "warn")
        self.begin_button = Button(self.begin)
        self.turn_button = Button(self.turn, "plain", show_key=False, text="Turn to this member")
        self.wrap_button = Button(self.wrap, text="Wrap up")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        self._parts: tuple[QWidget, ...] = (self.icon, self.who, self.long, self.state)
        for part in (*self._parts, self.turn_button, self.wrap_button, self.begin_button):
            layout.addWidget(part)
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._tick)
        background.changed.connect(self._on_changed)
        self._dress()

    def load(self) -> None:
        """Take up a call that was going on when the console was closed."""
        if self._may:
            self.background.ask(calls.current).then(self, self._take_up)

    def show_call(self, call: CallState | None) -> None:
        """Show a call, or that there is none."""
        if call == self.call:
            return
        self.call = call
        self._dress()
        self.changed.emit(call)

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong at the foot of the window."""
        say(self, str(problem), icon="alert")

    def fit(self, room: float) -> None:
        """Say less where there is little room; `room` is the window's width at 100 % text."""
        self._room = room
        self._dress()

    def front_changed(self) -> None:
        """Notice that another member is in front: a call about nobody yet is about that one."""
        member_id = self._front_member()
        call = self.call
        if call is not None and call.member_id is None and member_id is not None:
            self._on_turn()
        self._dress()

    def stop(self) -> None:
        """Count the seconds no longer: the window is closing."""
        self._second.stop()

    def open_wrap_up(self, reason: Reason | None = None) -> WrapUpSheet | None:
        """Open the sheet that ends the call; what was written before is still there."""
        call = self.call
        if call is None:
            return None
        draft = self._drafts.get(call.id)
        if draft is None:
            verified = Result.SOLVED if call.verified else Result.NOT_VERIFIED
            draft = WrapUp(reason or Reason.REGISTRATION, verified, "")
        if reason is not None:
            draft = WrapUp(reason, draft.result, draft.note)
        known = {"name": call.member_name, **self._known()}
        sheet = WrapUpSheet(self, self.background, call, draft, known)
        sheet.drafted.connect(self._keep)
        sheet.wrapped.connect(self._on_wrapped)
        self.changed.connect(sheet.show_call)
        sheet.open()
        return sheet

    def _take_up(self, call: CallState | None) -> None:
        # Somebody quick may have begun a call while this answer was on its way.
        if self.call is None:
            self.show_call(call)

    def _on_changed(self, names: frozenset[str]) -> None:
        call = self.call
        if call is None or call.member_id is None:
            return
        if f"member:{call.member_id}" in names or EVERYTHING in names:
            self.background.ask(calls.current).then(
                self, self._name_again, failed=lambda _: None, quiet=True
            )

    def _name_again(self, known: CallState | None) -> None:
        # Only the name: what was ticked meanwhile comes with its own, newer answer.
        call = self.call
        if call is None or known is None:
            return
        if (known.id, known.member_id) == (call.id, call.member_id):
            self.show_call(replace(call, member_name=known.member_name))

    def _on_begin(self) -> None:
        self._begin(member_began=True)

    def _on_begin_ours(self) -> None:
        self._begin(member_began=False)

    def _begin(
        self, *, member_began: bool, then: Callable[[CallState], object] | None = None
    ) -> None:
        def show(call: CallState) -> None:
            self.show_call(call)
            if then is not None:
                then(call)

        self.background.ask(
            calls.begin, str(uuid.uuid4()), self._front_member(), member_began=member_began
        ).then(self, show, busy=[self.begin_button])

    def _on_turn(self) -> None:
        member_id = self._front_member()
        if self.call is not None and member_id is not None:
            self.background.ask(calls.turn_to, self.call.id, member_id).then(
                self, self.show_call, busy=[self.turn_button]
            )

    def _on_scam(self) -> None:
        if self.call is None:
            self._begin(member_began=True, then=lambda _: self.open_wrap_up(Reason.SCAM))
        else:
            self.open_wrap_up(Reason.SCAM)

    def _keep(self, call_id: str, draft: WrapUp) -> None:
        self._drafts[call_id] = draft

    def _on_wrapped(self, call_id: str) -> None:
        self._drafts.pop(call_id, None)
        call = self.call
        if call is not None and call.id == call_id:
            self.show_call(None)
        where = " and on the member’s timeline" if call and call.member_id is not None else ""
        say(self, f"The call is wrapped up{where}.")

    def _dress(self) -> None:
        call = self.call
        for part in (*self._parts, self.wrap_button):
            part.setVisible(call is not None)
        # A role that changes nothing takes no calls, and is not offered what would be refused.
        self.begin_button.setVisible(call is None and self._may)
        self.begin.setEnabled(call is None)
        self.begin_ours.setEnabled(call is None)
        for action in (self.begin, self.begin_ours, self.turn, self.wrap, self.scam):
            action.setVisible(self._may)
        self.wrap.setEnabled(call is not None)
        front = self._front_member()
        elsewhere = call is not None and front is not None and front != call.member_id
        self.turn.setEnabled(elsewhere)
        self.turn_button.setVisible(elsewhere)
        self.turn_button.show_words(self._room >= 1180, key=False)
        self.wrap_button.show_words(True, key=self._room >= 1000)
        self.who.setVisible(call is not None and self._room >= 760)
        if call is None:
            self._second.stop()
            return
        name = call.member_name or "No member yet"
        self.who.setText(name if len(name) <= 26 else name[:25] + "…")
        self.who.setToolTip(name)
        if call.verified:
            self.state.show_state("verified", "Verified", "good")
        else:
            self.state.show_state("unverified", "Not verified", "warn")
        self.state.setToolTip(call.still_missing)
        self.icon.show_icon("headset" if call.member_began else "phone")
        self.icon.setToolTip("The member called us." if call.member_began else "We called.")
        self._tick()
        self._second.start()

    def _tick(self) -> None:
        if self.call is not None:
            passed = self.background.desk.now() - self.call.began_at
            self.long.setText(length_of_call(passed.total_seconds()))


class WrapUpSheet(Sheet):
    """Ends a call: why it came, how it ended, and a note."""

    drafted = Signal(str, object)
    wrapped = Signal(str)

    def __init__(
        self,
        over: QWidget,
        background: Background,
        call: CallState,
        draft: WrapUp,
        known: Mapping[str, str],
    ) -> None:
        super().__init__(over, _with_whom(call), wide=560)
        self.background = background
        self._call = call
        self._known = dict(known)
        self.reason = QComboBox()
        for reason in Reason:
            self.reason.addItem(reason.words, reason)
        self.reason.setCurrentIndex(list(Reason).index(draft.reason))
        self.result_box = QComboBox()
        for result in Result:
            self.result_box.addItem(result.words, result)
        self.result_box.setCurrentIndex(list(Result).index(draft.result))
        self.note = QPlainTextEdit(draft.note)
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(theme.current().px(112))
        canned = QWidget()
        flow = FlowLayout(canned)
        for name, text in CANNED_NOTES:
            chip = Button(name, "chip")
            chip.clicked.connect(lambda _=False, words=text: self._add(words))
            flow.addWidget(chip)
        choices = QHBoxLayout()
        choices.setSpacing(2 * GRID)
        choices.addWidget(Field("Reason", self.reason), 1)
        choices.addWidget(Field("Result", self.result_box), 1)
        self.body.addLayout(choices)
        self.body.addLayout(column(Field("Note", self.note), canned))
        self.add_cancel("Keep talking")
        self.save_action = act(
            self, "Wrap up", self._on_save, key="Ctrl+Return", icon="check", listed=False
        )
        self.save = self.add_button(Button(self.save_action, "primary"))
        self.reason.setFocus()
        self.drafts = DraftKeeper(
            self, background, f"wrap-up {call.id}", "a wrap-up", call.member_id, self._fields
        )
        self.note.textChanged.connect(self.drafts.touch)
        if not draft.note:
            self.drafts.recall(self._show_draft)

    def show_call(self, call: CallState | None) -> None:
        """Call the member by the name that is on file by now."""
        if call is not None and call.id == self._call.id:
            self._call = call
            self._known["name"] = call.member_name
            self.setWindowTitle(_with_whom(call))
            self.title.setText(_with_whom(call))

    def done(self, result: int) -> None:
        if not result:
            self.drafted.emit(self._call.id, self._wrap_up())
        super().done(result)

    def _wrap_up(self) -> WrapUp:
        return WrapUp(
            list(Reason)[self.reason.currentIndex()],
            list(Result)[self.result_box.currentIndex()],
            self.note.toPlainText()[:LONGEST_NOTE],
        )

    def _fields(self) -> dict[str, str]:
        written = self._wrap_up()
        if not written.note.strip():
            return {}
        return {"reason": written.reason, "result": written.result, "note": written.note}

    def _show_draft(self, draft: Draft) -> None:
        if self.note.toPlainText():
            return
        for box, name in ((self.reason, "reason"), (self.result_box, "result")):
            box.setCurrentIndex(max(0, box.findData(draft.fields.get(name))))
        self.note.setPlainText(draft.fields.get("note", ""))

    def _add(self, words: str) -> None:
        written = self.note.toPlainText().rstrip()
        filled = fill(words, self._known)
        self.note.setPlainText(f"{written} {filled}" if written else filled)
        self.note.setFocus()

    def _on_save(self) -> None:
        self.clear_problem()
        self.background.ask(calls.wrap_up, self._call.id, self._wrap_up()).then(
            self, self._on_saved, busy=[self.save]
        )

    def _on_saved(self, _none: None) -> None:
        self.drafts.forget()
        self.wrapped.emit(self._call.id)
        self.accept()


def _with_whom(call: CallState) -> str:
    return f"Wrap up the call with {call.member_name or 'the caller'}"


def fill(words: str, known: Mapping[str, str]) -> str:
    """Fill a canned note with what is known; what is not is said in general words."""
    general = {"name": "the name on file", "account": "the account", "email": "the address on file"}
    for place, otherwise in general.items():
        words = words.replace("{" + place + "}", known.get(place) or otherwise)
    return words


def length_of_call(seconds: float) -> str:
    """Write a length as minutes and seconds, with hours when it comes to that."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"

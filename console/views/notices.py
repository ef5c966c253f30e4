"""What a member wants to hear of: the panel on the member page, and the sheet that changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from console.background import Background
from console.domain.errors import ConsoleError
from console.domain.notices import Event, Wanted
from console.services import notices
from console.services.member_page import AccountRow, MemberPage
from console.services.notices import (
    WAYS_TO_ASK,
    NoticesChangedMeanwhile,
    NoticeSheet,
    NoticeWish,
)
from console.views.account_panel import AccountPanel
from console.views.asked import AskedField
from console.views.sheet import Sheet
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import (
    Button,
    Mark,
    Notice,
    Words,
    act,
    heading,
    label,
    muted,
    row,
)


class NoticesSheet(Sheet):
    """Changes by which ways a member hears of what, and whether bills come on paper."""

    changed = Signal(object)
    """How it stands after the change."""

    def __init__(
        self,
        over: QWidget,
        background: Background,
        page: MemberPage,
        account: AccountRow,
        call_id: str | None,
        *,
        call_verified: bool = False,
    ) -> None:
        super().__init__(
            over, f"What {page.display_name} hears of account {account.printed_number}", wide=600
        )
        self.background = background
        self._account_number, self._call_id = account.number, call_id
        self._id = str(uuid4())
        self._stands: NoticeSheet | None = None
        self.news = Notice("swap", "", "warn")
        self.news.hide()
        self.asked = AskedField(WAYS_TO_ASK, call_verified=call_verified)
        self.asked.chosen.connect(self._dress)
        self.boxes: dict[Event, tuple[QCheckBox, QCheckBox]] = {}
        self.paperless = QCheckBox("No bill on paper: the member reads it at the portal")
        self.paperless.toggled.connect(self._dress)
        self.step = muted("", wrap=True)
        self.form = QWidget()
        self._make_form()
        self.form.hide()
        for part in (self.news, self.asked, self.form, self.step):
            self.body.addWidget(part)
        self.save = act(
            self, "Save the choices", self._on_save, key="Ctrl+Return", icon="check", listed=False
        )
        self.add_cancel()
        self.save_button = self.add_button(Button(self.save, "primary"))
        self._dress()
        background.ask(notices.refresh, self._account_number).then(self, self.show_sheet)

    # What it does

    def show_sheet(self, stands: NoticeSheet) -> None:
        """Show how everything stands; what was ticked here before stays."""
        mine, paper = self._touched(), self._paper_touched()
        first, self._stands = self._stands is None, stands
        for event, wanted in {**stands.wanted, **mine}.items():
            by_email, by_text = self.boxes[event]
            by_email.setChecked(wanted.by_email)
            by_text.setChecked(wanted.by_text)
        self.paperless.setChecked(stands.paperless if paper is None else paper)
        for by_email, by_text in self.boxes.values():
            by_email.setEnabled(stands.has_email or by_email.isChecked())
            by_text.setEnabled(stands.has_phone or by_text.isChecked())
        self.step.setText(" ".join(one for one in (stands.words, stands.auto_pay_words) if one))
        self.form.show()
        if first:
            (self.asked if self.asked.asked is None else self._first_box()).setFocus()
        self._dress()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong; what was ticked stays."""
        if isinstance(problem, NoticesChangedMeanwhile):
            self.show_sheet(problem.theirs)
        super().show_problem(problem)

    def reject(self) -> None:
        """Close; ticks that were not saved are asked about first."""
        if self._is_touched():
            self.ask_to_leave("Everything stays as it is on file.", self._leave)
            return
        self._leave()

    def _leave(self) -> None:
        super().reject()

    # How it is put together

    def _make_form(self) -> None:
        grid = QGridLayout(self.form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(3 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(0, 1)
        for at, name in ((0, "The member is told when"), (1, "By e-mail"), (2, "By text")):
            grid.addWidget(label(name), 0, at)
        for place, event in enumerate(Event, start=1):
            boxes = (QCheckBox(), QCheckBox())
            grid.addWidget(Words(event.words), place, 0)
            for at, (box, how) in enumerate(zip(boxes, ("e-mail", "text"), strict=True), start=1):
                box.setAccessibleName(f"{event.words}, by {how}")
                box.toggled.connect(self._dress)
                grid.addWidget(box, place, at, Qt.AlignmentFlag.AlignLeft)
            self.boxes[event] = boxes
        below = len(self.boxes) + 1
        grid.setRowMinimumHeight(below, GRID)
        grid.addLayout(row(self.paperless, 0), below + 1, 0, 1, 3)

    def _first_box(self) -> QCheckBox:
        return next(
            (box for pair in self.boxes.values() for box in pair if box.isEnabled()),
            self.paperless,
        )

    # What happens

    def _ticked(self) -> dict[Event, Wanted]:
        return {
            event: Wanted(by_email.isChecked(), by_text.isChecked())
            for event, (by_email, by_text) in self.boxes.items()
        }

    def _touched(self) -> dict[Event, Wanted]:
        if self._stands is None:
            return {}
        stands = self._stands.wanted
        return {event: one for event, one in self._ticked().items() if stands[event] != one}

    def _paper_touched(self) -> bool | None:
        if self._stands is None or self.paperless.isChecked() == self._stands.paperless:
            return None
        return self.paperless.isChecked()

    def _is_touched(self) -> bool:
        return bool(self._touched()) or self._paper_touched() is not None

    def _dress(self) -> None:
        self.save.setEnabled(self._is_touched() and self.asked.asked is not None)

    def _on_save(self) -> None:
        asked, stands = self.asked.asked, self._stands
        if asked is None or stands is None:
            return
        self.clear_problem()
        wish = NoticeWish(
            self._id,
            self._account_number,
            stands.version,
            self._touched(),
            self._paper_touched(),
            asked,
            self._call_id,
        )
        self.background.ask(notices.change, wish).then(
            self, self._on_changed, busy=[self.save_button]
        )

    def _on_changed(self, stands: NoticeSheet) -> None:
        self._stands = None
        self.changed.emit(stands)
        self.accept()


class NoticesPanel(AccountPanel):
    """What the member hears of by e-mail and by text, and whether bills come on paper."""

    def __init__(self, background: Background) -> None:
        super().__init__(background, "Notices and paperless")
        self.shown: NoticeSheet | None = None
        self.words = Words("", wrap=True)
        self.step = Mark("hourglass", "", "muted")
        self.step.setWordWrap(True)
        self.change = act(
            self, "Change the notices", self.open_sheet, icon="mail",
            more="What the member hears of by e-mail or text, and paperless.",
        )  # fmt: skip
        self.change_button = Button(self.change)
        self.body.addWidget(heading("Notices and paperless"))
        self.body.addWidget(self.words)
        self.body.addWidget(self.step)
        self.body.addWidget(self.problem)
        self.body.addLayout(row(self.change_button, 0))
        self.change.setEnabled(False)

    # What it does

    def turn_to(self, *, is_another: bool) -> None:
        self.change.setEnabled(self.background.desk.colleague.role.changes_the_file)
        if is_another:
            self.load()
            self._ask_portal(self.show_problem)

    def load(self) -> None:
        """Ask for what is on file, without asking the portal."""
        if self.account is not None:
            self.background.ask(notices.of_account, self.account.number).latest(
                self, self.show_sheet
            )

    def show_sheet(self, stands: NoticeSheet) -> None:
        """Say in a few lines how it stands."""
        if self.account is None or stands.account_number != self.account.number:
            return
        self.problem.say("")
        auto_pay = stands.auto_pay_words
        if auto_pay is None and self.shown is not None:
            same = self.shown.account_number == stands.account_number
            auto_pay = self.shown.auto_pay_words if same else None
        self.shown = replace(stands, auto_pay_words=auto_pay)
        self.words.setText(_summary(stands))
        icon, tone = ("check-circle", "good") if stands.is_in_step else ("hourglass", "warn")
        if auto_pay:
            icon, tone = "alert", "warn"
        self.step.show_mark(icon, f"{stands.words} {auto_pay or ''}".strip(), tone)

    def open_sheet(self) -> NoticesSheet | None:
        """Open the sheet on which it is changed."""
        if self.page is None or self.account is None:
            return None
        sheet = NoticesSheet(
            self,
            self.background,
            self.page,
            self.account,
            self.call_id,
            call_verified=self.call_verified,
        )
        sheet.changed.connect(self._on_saved)
        sheet.open()
        return sheet

    # What happens

    def _on_saved(self, stands: NoticeSheet) -> None:
        say(self, "The choices are saved.")
        self.show_sheet(stands)

    def _on_changed(self, changed: frozenset[str]) -> None:
        mine = self.account is not None and f"account:{self.account.number}" in changed
        if mine and "AutoPay" in changed:
            # What the portal shows of it is known only by asking.
            self._ask_portal(lambda _: None)
        else:
            super()._on_changed(changed)

    def _ask_portal(self, failed: Callable[[ConsoleError], None]) -> None:
        if self.account is not None:
            self.background.ask(notices.refresh, self.account.number).then(
                self, self.show_sheet, failed=failed, quiet=True
            )


def _summary(stands: NoticeSheet) -> str:
    by_way: dict[str, list[str]] = {}
    for line in stands.lines:
        if line.is_known and line.wanted != Wanted():
            by_way.setdefault(line.wanted.words, []).append(line.event.words)
    told = [
        f"{way}: {'; '.join(name[:1].lower() + name[1:] for name in names)}."
        for way, names in by_way.items()
    ]
    paper = "Bills: paperless." if stands.paperless else "Bills: on paper."
    return "\n".join([paper, *(told or ["Nothing is told by e-mail or text."])])

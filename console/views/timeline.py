"""What happened around a member: by day, newest first, filtered by kind."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.services import contact, members, registration
from console.services.member_page import EntryKind, TimelineEntry
from console.services.registration import Corrected
from console.views import theme
from console.views.screen import Screen
from console.views.tables import ROW_ROLE, Column, Rows
from console.views.theme import GRID
from console.views.toasts import say
from console.views.widgets import Button, Card, EmptyPlace, FlowLayout, act, heading, row

KINDS = {
    EntryKind.CALL: ("Calls", "headset"),
    EntryKind.ATTEMPT: ("Portal", "registrations"),
    EntryKind.EMAIL: ("E-mails", "mail"),
    EntryKind.PAYMENT: ("Payments", "payments"),
    EntryKind.BILL: ("Bills", "bills"),
    EntryKind.ISSUE: ("Issues", "issues"),
    EntryKind.EDIT: ("Edits", "edit"),
    EntryKind.NOTE: ("Notes", "note"),
}
LONGEST_DETAIL = 2_400

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Line:
    """One line of the list: a day, or something that happened on it."""

    key: Hashable
    day: str
    clock: str
    entry: TimelineEntry | None

    @property
    def said(self) -> str:
        """All of it, for a screen reader and for copying."""
        if self.entry is None:
            return self.day
        parts = (self.clock, self.entry.title, self.entry.detail, self.entry.who)
        return " · ".join(part for part in parts if part)


class Timeline(Card):
    """Lists what happened; a note can be removed and a correction undone from here."""

    def __init__(self, background: Background) -> None:
        super().__init__(gap=GRID)
        self.setAccessibleName("What happened")
        self.background = background
        self._entries: tuple[TimelineEntry, ...] = ()
        self.chosen: EntryKind | None = None
        self.chips: dict[EntryKind | None, Button] = {}
        self._chip_place = QWidget()
        flow = FlowLayout(self._chip_place, 6)
        group = QButtonGroup(self)
        for kind in (None, *KINDS):
            chip = Button("All" if kind is None else KINDS[kind][0], "chip")
            chip.setCheckable(True)
            chip.setChecked(kind is None)
            chip.clicked.connect(lambda _=False, kind=kind: self.choose(kind))
            group.addButton(chip)
            flow.addWidget(chip)
            self.chips[kind] = chip
        self.list = TimelineList()
        self.list.setMinimumHeight(1)  # it gives way to a note and what is wrong with it
        self.empty = EmptyPlace("history", "Nothing has happened yet.")
        self.empty.hide()
        self.go_to = act(self, "Go to the timeline", self.list.setFocus, key="F8", icon="history")
        self.remove = act(
            self, "Remove this note", self._on_remove, icon="cross",
            more="The note leaves the page and stays in the history.",
        )  # fmt: skip
        self.undo = act(
            self, "Undo this change", self._on_undo, icon="undo",
            more="Puts it back as it was before; a name goes to the portal again.",
        )  # fmt: skip
        self.remove_button, self.undo_button = Button(self.remove), Button(self.undo)
        self.list.removing.connect(self._on_delete)
        self.list.set_offers((self.remove, self.undo))
        self.list.selectionModel().currentChanged.connect(lambda *_: self._dress())
        self.body.addLayout(row(heading("What happened"), 0, self.remove_button, self.undo_button))
        self.body.addWidget(self._chip_place)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self.empty, 1)
        self.empty.say(
            self.empty.sentence.text(),
            "Calls, notes, e-mails and tries at the portal are listed here by themselves.",
        )
        self._dress()

    def show_entries(self, entries: Sequence[TimelineEntry], *, light: bool = True) -> None:
        """Show what happened; the cursor and the place in the list stay."""
        self._entries = tuple(entries)
        counts = Counter(entry.kind for entry in entries)
        if self.chosen is not None and not counts[self.chosen]:
            self.chosen = None
        for kind, chip in self.chips.items():
            many = len(entries) if kind is None else counts[kind]
            word = "All" if kind is None else KINDS[kind][0]
            chip.setText(f"{word}  {many}")
            chip.setVisible(bool(many) and (kind is not None or bool(entries)))
            chip.setChecked(kind is self.chosen)
        self._show(light=light)

    def choose(self, kind: EntryKind | None) -> None:
        """Show one kind only, or all of them."""
        self.chosen = kind
        self.chips[kind].setChecked(True)
        self._show(light=False)

    def show_problem(self, problem: ConsoleError) -> None:
        """Hand a problem to the screen that this belongs to."""
        above = self.parentWidget()
        while above is not None and not isinstance(above, Screen):
            above = above.parentWidget()
        if above is not None:
            above.show_problem(problem)

    def _show(self, *, light: bool) -> None:
        shown = [e for e in self._entries if self.chosen is None or e.kind is self.chosen]
        desk = self.background.desk
        zone = desk.settings.zone
        lines = _lines(shown, zone, times.day_of(desk.now(), zone))
        self.list.show_lines(lines, light=light)
        self.list.setVisible(bool(shown))
        self.empty.setVisible(not shown)
        self._dress()

    def _dress(self) -> None:
        entry = self.list.current_entry()
        may = self.background.desk.colleague.role.changes_the_file
        self.remove.setEnabled(may and entry is not None and bool(entry.note_id))
        self.undo.setEnabled(may and entry is not None and _can_undo(entry))
        self.remove_button.setVisible(self.remove.isEnabled())
        self.undo_button.setVisible(self.undo.isEnabled())

    def _on_delete(self) -> None:
        if self.remove.isEnabled():
            self.remove.trigger()

    def _on_remove(self) -> None:
        entry = self.list.current_entry()
        if entry is None or not entry.note_id:
            return
        note_id = entry.note_id
        self.background.ask(members.remove_note, note_id).then(
            self, lambda _: self._say_removed(note_id), busy=[self.remove_button]
        )

    def _say_removed(self, note_id: str) -> None:
        say(
            self,
            "The note was removed.",
            lambda: self.background.ask(members.restore_note, note_id).then(self, lambda _: None),
        )

    def _on_undo(self) -> None:
        entry = self.list.current_entry()
        if entry is None:
            return
        click, busy = str(uuid.uuid4()), [self.undo_button]
        if entry.correction_id:
            self.background.ask(registration.undo_correction, click, entry.correction_id).then(
                self, self._say_undone, busy=busy
            )
        elif entry.contact_change_id:
            self.background.ask(contact.undo_change, click, entry.contact_change_id).then(
                self, lambda changed: say(self, changed.words, icon="undo"), busy=busy
            )

    def _say_undone(self, corrected: Corrected) -> None:
        say(self, f"The name on file is “{corrected.after.name}” again.", icon="undo")


def _can_undo(entry: TimelineEntry) -> bool:
    return bool(entry.correction_id or entry.contact_change_id)


class TimelineList(QListView):
    """The list itself, painted by hand."""

    removing = Signal()
    """The delete key was pressed on a line."""

    def __init__(self) -> None:
        super().__init__()
        self.rows_model: Rows[Line] = Rows(
            (Column[Line]("What happened", lambda line: line.said),), lambda line: line.key
        )
        self.setModel(self.rows_model)
        self.setAccessibleName("What happened, newest first")
        self.setItemDelegate(_LineDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setTabKeyNavigation(False)
        self._offers: tuple[QAction, ...] = ()
        self._light = QTimer(self)
        self._light.setInterval(60)
        self._light.timeout.connect(self._fade)
        theme.current().changed.connect(self._measure)

    def set_offers(self, offers: Sequence[QAction]) -> None:
        """Say what can be done with a line, for its menu."""
        self._offers = tuple(offers)

    def show_lines(self, lines: Sequence[Line], *, light: bool = True) -> None:
        """Show these lines; what is new or changed lights up."""
        held, at = self.current_key(), self.verticalScrollBar().value()
        top = at == 0
        self.rows_model.show_rows(lines, light=light)
        place = self.rows_model.place_of(held) if held is not None else -1
        if place >= 0:
            self.selectionModel().setCurrentIndex(
                self.rows_model.index(place, 0),
                QItemSelectionModel.SelectionFlag.ClearAndSelect,
            )
        self.verticalScrollBar().setValue(0 if top else at)
        if self.rows_model.is_lit:
            self._light.start()

    def current_key(self) -> Hashable | None:
        """Answer what identifies the line under the cursor."""
        return self.rows_model.key_at(self.currentIndex().row())

    def current_entry(self) -> TimelineEntry | None:
        """Answer what the cursor stands on."""
        rows, place = self.rows_model.rows, self.currentIndex().row()
        return rows[place].entry if 0 <= place < len(rows) else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.removing.emit()
            return
        if event.matches(QKeySequence.StandardKey.Copy) and self.currentIndex().isValid():
            QGuiApplication.clipboard().setText(
                self.rows_model.rows[self.currentIndex().row()].said
            )
            return
        if event.text().isprintable() and event.text():
            event.ignore()  # letters belong to the search box
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        offers = [offer for offer in self._offers if offer.isEnabled()]
        if offers:
            menu = QMenu(self)
            menu.addActions(offers)
            menu.popup(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid():
            for place, line in enumerate(self.rows_model.rows):
                if line.entry is not None:
                    self.setCurrentIndex(self.rows_model.index(place, 0))
                    break

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def _measure(self) -> None:
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def _fade(self) -> None:
        if not self.rows_model.is_lit:
            self._light.stop()
        self.viewport().update()


class _LineDelegate(QStyledItemDelegate):
    """Paints a day as a small heading, and what happened with its icon, words and who did it."""

    def __init__(self, view: TimelineList) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        look = theme.current()
        line: Line = index.data(ROW_ROLE)
        wide = self._view.viewport().width()
        if line.entry is None:
            return QSize(wide, look.px(30))
        return QSize(
            wide, self._lay(line.entry, QRect(0, 0, wide, 10_000))[2].bottom() + look.px(8)
        )

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look = theme.current()
        line: Line = index.data(ROW_ROLE)
        box: QRect = option.rect
        painter.save()
        if line.entry is None:
            painter.setFont(look.font(theme.SMALL, weight=600))
            painter.setPen(look.colour("muted"))
            painter.drawText(
                box.adjusted(look.px(8), look.px(6), -look.px(8), 0),
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                line.day,
            )
        else:
            self._paint_ground(painter, box, option, index)
            self._paint_entry(painter, box, line, line.entry)
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, box: QRect, option: QStyleOptionViewItem, index: Index
    ) -> None:
        look = theme.current()
        state: QStyle.StateFlag = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected) and self._view.hasFocus()
        ground = look.tokens.soft("accent") if chosen else look.tokens.paper
        light = self._view.rows_model.light_of(index.row())
        if light > 0:
            ground = theme.mix(look.tokens.warn, ground, 0.28 * light)
        painter.fillRect(box, QColor(ground))
        if state & QStyle.StateFlag.State_Selected:
            wide = 3 if chosen else 2
            painter.fillRect(
                QRect(box.left(), box.top(), wide, box.height()), look.colour("accent")
            )

    def _paint_entry(self, painter: QPainter, box: QRect, line: Line, entry: TimelineEntry) -> None:
        look = theme.current()
        title, who, detail = self._lay(entry, box)
        top = box.top() + look.px(6)
        painter.drawPixmap(
            QPoint(box.left() + look.px(10), top + look.px(1)),
            look.pixmap(KINDS[entry.kind][1], _tone(entry), 16),
        )
        wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        painter.setFont(look.font(theme.TEXT, weight=600))
        painter.setPen(look.colour("ink"))
        painter.drawText(title, wrap, entry.title)
        small = look.font(theme.SMALL)
        painter.setFont(small)
        painter.setPen(look.colour("muted"))
        by = by_whom(line.clock, entry.who, QFontMetrics(small), who.width())
        painter.drawText(who, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, by)
        painter.setFont(look.font(theme.TEXT))
        painter.setPen(look.colour("ink" if entry.kind is EntryKind.NOTE else "muted"))
        painter.drawText(detail, wrap, entry.detail[:LONGEST_DETAIL])

    def _lay(self, entry: TimelineEntry, box: QRect) -> tuple[QRect, QRect, QRect]:
        """Place the title, who did it at the right, and the detail below, by their real sizes."""
        look = theme.current()
        left, top = box.left() + look.px(36), box.top() + look.px(6)
        right = box.right() - look.px(6)
        small = QFontMetrics(look.font(theme.SMALL))
        bold = QFontMetrics(look.font(theme.TEXT, weight=600))
        by = min(small.horizontalAdvance(_by("00:00", entry.who)), (right - left) // 2)
        wrap = Qt.TextFlag.TextWordWrap.value
        title = bold.boundingRect(
            QRect(left, top, max(1, right - left - by - look.px(8)), 10_000), wrap, entry.title
        )
        title.setWidth(right - left - by - look.px(8))
        who = QRect(right - by, top + look.px(1), by, small.height())
        text = entry.detail[:LONGEST_DETAIL]
        below = title.bottom() + look.px(2)
        if not text:
            return title, who, QRect(left, title.bottom(), right - left, 0)
        plain = QFontMetrics(look.font(theme.TEXT))
        detail = plain.boundingRect(QRect(left, below, max(1, right - left), 100_000), wrap, text)
        detail.setWidth(right - left)
        return title, who, detail


def _lines(entries: Sequence[TimelineEntry], zone: str, today: date) -> list[Line]:
    lines: list[Line] = []
    seen: Counter[Hashable] = Counter()
    last: date | None = None
    for entry in entries:
        on = times.day_of(entry.at, zone)
        if on != last:
            said = times.day(on, today)
            lines.append(Line(("day", on), said[:1].upper() + said[1:], "", None))
            last = on
        # Names and sums in an entry change with masking; when and of which kind it is does not.
        what: Hashable = (entry.kind, entry.at, entry.note_id)
        seen[what] += 1
        dated = entry.kind in (EntryKind.BILL, EntryKind.PAYMENT) and not entry.who
        clock = "" if dated else times.clock(entry.at, zone)
        lines.append(Line((what, seen[what]), "", clock, entry))
    return lines


def by_whom(clock: str, who: str, sizes: QFontMetrics, room: int) -> str:
    """Say who did it and when; where it is narrow the name gives way, never the time."""
    whole = _by(clock, who)
    if sizes.horizontalAdvance(whole) <= room:
        return whole
    left = room - sizes.horizontalAdvance(f"  {clock}" if clock else "")
    return _by(clock, sizes.elidedText(who, Qt.TextElideMode.ElideRight, max(0, left)))


def _by(clock: str, who: str) -> str:
    return "  ".join(part for part in (who, clock) if part)


def _tone(entry: TimelineEntry) -> str:
    words = entry.title.casefold()
    if "refused" in words or "came back" in words:
        return "bad"
    return "accent" if entry.kind is EntryKind.NOTE else "muted"

"""The sheet on which a member's contact details are changed."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from console.background import Background
from console.domain.contact import (
    FIELD_WORDS,
    FIELDS,
    Asked,
    BadContact,
    Contact,
    clean_detail,
    shown,
)
from console.domain.errors import ConsoleError
from console.domain.merging import merge
from console.services import contact, courier
from console.services.changes import EVERYTHING
from console.services.contact import (
    ContactChanged,
    ContactChangedMeanwhile,
    ContactEdit,
    ContactOnFile,
)
from console.services.drafts import Draft
from console.services.member_page import MemberPage
from console.views.drafts import DraftKeeper, Recalled
from console.views.presence import AtWork
from console.views.sheet import Sheet
from console.views.theme import GRID
from console.views.toasts import say
from console.views.versions import NOTHING, Versions, amid
from console.views.widgets import Button, Field, Notice, Words, act, column, line_edit, row

_LONGEST = {
    "email": 254,
    "phone": 40,
    "second_phone": 40,
    "mailing_line": 120,
    "mailing_city": 60,
    "mailing_state": 2,
    "mailing_zip": 10,
}


class ContactSheet(Sheet):
    """Changes how a member is reached, once it is known who asks for it."""

    changed = Signal(object)
    """The change as it stands on file."""

    def __init__(
        self,
        over: QWidget,
        background: Background,
        page: MemberPage,
        call_id: str | None,
        *,
        call_verified: bool = False,
    ) -> None:
        super().__init__(over, f"How to reach {page.display_name}", wide=600)
        self.background = background
        self._member_id, self._call_id = page.member_id, call_id
        self._id = str(uuid4())
        self._before: ContactOnFile | None = None
        self._asking: Asked | None = None
        self._sending = False
        self.at_work = AtWork(background, page.member_id)
        self.news = Notice("swap", "", "warn")
        self.news.hide()
        self.body.addWidget(self.at_work)
        self.body.addWidget(self.news)
        self._make_asked(call_verified)
        self._make_form()
        self._make_foot()
        self._make_versions()
        self.drafts = DraftKeeper(
            self,
            background,
            f"contact {page.member_id}",
            "a change of the contact details",
            page.member_id,
            self._draft,
        )
        if call_verified:
            self.asked.setCurrentIndex(self.asked.findData(Asked.CALLER_VERIFIED))
        else:
            self.asked.setFocus()
        self._dress()
        background.changed.connect(self._on_changed)

    # What it does

    def show_on_file(self, on_file: ContactOnFile) -> None:
        """Fill the form with what stands on file; what was typed before stays."""
        if self._before is not None:
            # What is in the fields began with what stood on file then; saving looks at both.
            self.show_news(on_file)
            return
        self._before = on_file
        self._fill(on_file.contact.as_fields())
        self.form.show()
        self.fields["phone"].setFocus()
        self.drafts.recall(self._show_draft)
        self._dress()

    def show_news(self, on_file: ContactOnFile) -> None:
        """Say what a colleague has changed since this sheet was opened; what was typed stays."""
        if self._before is None or self._sending or not self.versions.isHidden():
            return
        before, now = self._before.contact.as_fields(), on_file.contact.as_fields()
        stands = [
            f"{amid(FIELD_WORDS[field])} {shown(field, now[field]) or NOTHING}"
            for field in FIELDS
            if now[field] != before[field]
        ]
        by = on_file.changed_by or "A colleague"
        self.news.say(
            f"{by} has just changed these details; what is on file now: {', '.join(stands)}."
            if stands
            else ""
        )

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong, beside its field where it has one; nothing typed is lost."""
        self._sending = False
        if isinstance(problem, ContactChangedMeanwhile):
            self._show_versions(problem.theirs)
            return
        if isinstance(problem, BadContact):
            self._places[problem.field].say(str(problem), "bad")
            self.fields[problem.field].setFocus()
            return
        super().show_problem(problem)

    def reject(self) -> None:
        """Close; half-made changes are asked about first."""
        if self._is_touched():
            self.ask_to_leave(
                "The details on file stay as they are, and what you typed here is forgotten.",
                self._leave,
            )
            return
        self._leave()

    def _draft(self) -> dict[str, str]:
        if self._before is None:
            return {}
        before = self._before.contact.as_fields()
        typed = self._typed().as_fields()
        return {field: typed[field] for field in FIELDS if typed[field] != before[field]}

    def _show_draft(self, draft: Draft) -> None:
        if self._is_touched():
            return
        for field, value in draft.fields.items():
            if field in self.fields:
                self.fields[field].setText(shown(field, value))
        if self._is_touched():
            self.recalled.show_draft(draft, self.background)

    def _begin_afresh(self) -> None:
        if self._before is not None:
            self._fill(self._before.contact.as_fields())
        self.drafts.forget()

    def _leave(self) -> None:
        self.drafts.forget()
        # Qt would look `super().reject` up by its name, and ask again.
        super().reject()

    # How it is put together

    def _make_asked(self, call_verified: bool) -> None:
        self.asked = QComboBox()
        self.asked.setAccessibleName("Who asks for it")
        self.asked.addItem("Choose who asks for it…", None)
        for asked in Asked:
            if asked is not Asked.CALLER_VERIFIED or call_verified:
                self.asked.addItem(asked.words, asked)
        self.asked.currentIndexChanged.connect(self._on_asked)
        self.who = Field(
            "Who asks for it",
            self.asked,
            "A change is made only for somebody we know to be the member.",
        )
        self.body.addWidget(self.who)

    def _make_form(self) -> None:
        self.form = QWidget()
        self.fields: dict[str, QLineEdit] = {}
        self._places: dict[str, Field] = {}
        for field in FIELDS:
            line = line_edit(spoken=FIELD_WORDS[field], longest=_LONGEST[field])
            line.textChanged.connect(self._dress)
            line.textEdited.connect(lambda _: self.drafts.touch())
            self.fields[field] = line
            self._places[field] = Field(FIELD_WORDS[field], line)
        place = self._places
        town = row(
            place["mailing_city"], place["mailing_state"], place["mailing_zip"], gap=2 * GRID
        )
        for index, stretch in enumerate((4, 1, 2)):
            town.setStretch(index, stretch)
        phones = row(place["phone"], place["second_phone"], gap=2 * GRID)
        phones.setStretch(0, 1)
        phones.setStretch(1, 1)
        self.old = Words("", "text", "muted", wrap=True)
        self.form.setLayout(
            column(phones, place["email"], place["mailing_line"], town, self.old, gap=12)
        )
        self.form.hide()
        self.recalled = Recalled()
        self.recalled.afresh.connect(self._begin_afresh)
        self.body.addWidget(self.recalled)
        self.body.addWidget(self.form)

    def _make_versions(self) -> None:
        self.versions = Versions(FIELD_WORDS, self, self.close_button)
        self.versions.chosen.connect(self._on_chosen)
        self.body.addWidget(self.versions)

    def _make_foot(self) -> None:
        self.save = act(self, "Save the details", self._on_save, key="Ctrl+Return", icon="check")
        self.close_button = self.add_cancel()
        self.save_button = self.add_button(Button(self.save, "primary"))

    # What happens

    def _fill(self, details: Mapping[str, str]) -> None:
        for field, value in details.items():
            self.fields[field].setText(shown(field, value))

    def _typed(self) -> Contact:
        """Read the form; what was not touched is as it stands on file."""
        before = self._before.contact.as_fields() if self._before else Contact().as_fields()
        return Contact(
            **{
                field: before[field]
                if line.text() == shown(field, before[field])
                else line.text().strip()
                for field, line in self.fields.items()
            }
        )

    def _is_touched(self) -> bool:
        return self._before is not None and self._typed() != self._before.contact

    def _dress(self) -> None:
        for place in self._places.values():
            place.say()
        self.save.setEnabled(self._is_touched() and self.versions.isHidden())
        email = self._before.contact.email if self._before else ""
        desk = self.background.desk
        if not email or (desk.carries and desk.no_mail):
            told = "Nobody can be told by e-mail of this change."
        else:
            told = (
                f"{email} is told that something changed, so that a stranger’s change is noticed."
            )
        self.old.setText(told)

    def _on_asked(self) -> None:
        chosen = self.asked.currentData()
        self._asking = Asked(chosen) if chosen else None
        if self._asking is not None:
            self.clear_problem()
            self.background.ask(contact.on_file, self._member_id, self._asking, self._call_id).then(
                self, self.show_on_file
            )

    def _on_save(self) -> None:
        self._send(self._typed())

    def _send(self, after: Contact) -> None:
        if self._before is None or self._asking is None:
            return
        self.clear_problem()
        self._sending = True
        edit = ContactEdit(
            self._id,
            self._member_id,
            self._before.version,
            self._before.contact,
            after,
            self._asking,
            self._call_id,
        )
        self.background.ask(contact.change_contact, edit).then(
            self, self._on_saved, busy=[self.save_button]
        )

    def _on_saved(self, changed: ContactChanged) -> None:
        self.background.ask(courier.make_round).then(
            self, lambda _: None, failed=lambda _: None, quiet=True
        )
        self.drafts.forget()
        self.changed.emit(changed)
        self.accept()

    def _on_changed(self, changed: frozenset[str]) -> None:
        if self._before is None or self._asking is None or self._sending:
            return
        if {f"member:{self._member_id}", "ContactChange"} <= changed or EVERYTHING in changed:
            self.background.ask(contact.on_file, self._member_id, self._asking, self._call_id).then(
                self, self.show_news, failed=lambda _: None, quiet=True
            )

    def _show_versions(self, theirs: ContactOnFile) -> None:
        if self._before is None:
            return
        before = self._before.contact.as_fields()
        # As it would stand on file, so that a phone typed with dots clashes with nothing.
        mine = {
            field: _as_filed(field, value) for field, value in self._typed().as_fields().items()
        }
        stands = theirs.contact.as_fields()
        merged = merge(before, mine, stands)
        self._before = theirs
        # Only what I changed stands against what is on file now, in a draft kept meanwhile too.
        self._fill(merged.choosing(mine, frozenset(merged.clashes)))
        self.news.say("")
        self._show_form(False)
        self.versions.show_versions(
            theirs.changed_by,
            mine,
            stands,
            merged,
            said={
                field: (shown(field, mine[field]), shown(field, stands[field])) for field in FIELDS
            },
        )
        self._dress()

    def _show_form(self, there: bool) -> None:
        """Show the form, or both versions in its place with buttons of their own."""
        for part in (self.who, self.form, self.save_button):
            part.setVisible(there)
        if there:
            self.versions.put_away()
        self._dress()

    def _on_chosen(self, chosen: dict[str, str] | None) -> None:
        if chosen is None:
            self._leave_theirs()
            return
        self._fill(chosen)
        self._show_form(True)
        if self._is_touched():
            self.drafts.touch()
            self._send(self._typed())
        else:
            self._leave_theirs()

    def _leave_theirs(self) -> None:
        by = self._before.changed_by if self._before is not None else ""
        say(self, f"The details stand as {by or 'your colleague'} left them. Nothing was saved.")
        self._leave()


def _as_filed(field: str, value: str) -> str:
    try:
        return clean_detail(field, value)
    except BadContact:
        return value

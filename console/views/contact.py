"""The sheet on which a member's contact details are changed."""

from __future__ import annotations

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
from console.services.contact import (
    ContactChanged,
    ContactChangedMeanwhile,
    ContactEdit,
    ContactOnFile,
)
from console.services.drafts import Draft
from console.services.member_page import MemberPage
from console.views.drafts import DraftKeeper, Recalled
from console.views.sheet import Sheet, confirm
from console.views.theme import GRID
from console.views.versions import Versions
from console.views.widgets import Button, Field, Words, act, column, line_edit, row

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
        self._make_asked(call_verified)
        self._make_form()
        self._make_versions()
        self._make_foot()
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

    # What it does

    def show_on_file(self, on_file: ContactOnFile) -> None:
        """Fill the form with what stands on file; what was typed before stays."""
        first, self._before = self._before is None, on_file
        if not first:
            return
        for field, value in on_file.contact.as_fields().items():
            self.fields[field].setText(shown(field, value))
        self.form.show()
        self.fields["phone"].setFocus()
        self.drafts.recall(self._show_draft)
        self._dress()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong, beside its field where it has one; nothing typed is lost."""
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
            confirm(
                self,
                "Leave without saving?",
                "The details on file stay as they were, and what you typed here is forgotten.",
                "Leave",
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
            for field, value in self._before.contact.as_fields().items():
                self.fields[field].setText(shown(field, value))
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
        self.versions = Versions(FIELD_WORDS)
        self.versions.chosen.connect(self._on_chosen)
        self.versions.hide()
        self.body.addWidget(self.versions)

    def _make_foot(self) -> None:
        self.save = act(self, "Save the details", self._on_save, key="Ctrl+Return", icon="check")
        self.close_button = self.add_cancel()
        self.save_button = self.add_button(Button(self.save, "primary"))

    # What happens

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
        if self.background.desk.mail is None or not email:
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
        self.versions.show_versions(
            theirs.changed_by,
            mine,
            stands,
            merged,
            said={
                field: (shown(field, mine[field]), shown(field, stands[field])) for field in FIELDS
            },
        )
        self._show_form(False)

    def _show_form(self, there: bool) -> None:
        """Show the form, or both versions in its place with buttons of their own."""
        for part in (self.who, self.form, self.save_button):
            part.setVisible(there)
        self.versions.setVisible(not there)
        self._dress()

    def _on_chosen(self, chosen: dict[str, str] | None) -> None:
        if chosen is None:
            self._leave()
            return
        for field, value in chosen.items():
            self.fields[field].setText(shown(field, value))
        self._show_form(True)
        if self._is_touched():
            self._send(self._typed())
        else:
            self._leave()


def _as_filed(field: str, value: str) -> str:
    try:
        return clean_detail(field, value)
    except BadContact:
        return value

"""The staff place: who works here, as what, and where each is signed in."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.domain.folding import fold
from console.domain.staff import (
    LONGEST_LOGIN,
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    BadLogin,
    BadPassword,
    Role,
    login_from,
)
from console.domain.texts import CardNumberTyped, TooLong
from console.services import staff
from console.services.staff import LoginTaken, NameMissing, Seat, StaffRow, WrongPassword
from console.views import toasts
from console.views.sheet import Sheet, confirm
from console.views.sign_in import NOT_YOURS, ROLE_ICONS, ROLE_WORDS
from console.views.tables import Column
from console.views.widgets import Button, EmptyPlace, Field, Words, act, line_edit, row
from console.views.worklist import Filter, Worklist

LOOK_AGAIN_MILLISECONDS = 2_000
"""Who signs in and out elsewhere is seen without anybody pressing anything."""

_NOBODY = ("Nobody works here yet.", "Add a colleague with Ctrl+Shift+N.")
WORKING, SIGNED_IN, DISMISSED = "working", "signed in", "dismissed"


class StaffScreen(Worklist[StaffRow]):
    """Everybody of the office; for administrators."""

    shows = frozenset({"Staff"})

    def __init__(self, background: Background) -> None:
        self._desk = background.desk
        self._all: Sequence[StaffRow] = ()
        self._wanted = ""
        empty = EmptyPlace(
            "staff", "Nobody works here yet.", more="Add a colleague with Ctrl+Shift+N."
        )
        super().__init__(
            background,
            "Staff",
            self._columns(),
            lambda row: row.login,
            [
                Filter(WORKING, "Working here", "person"),
                Filter(SIGNED_IN, "Signed in now", "door"),
                Filter(DISMISSED, "Dismissed", "ban"),
            ],
            empty,
            mine=False,
        )
        self._empty = empty
        self.add = act(
            self, "Add a colleague", self._on_add, key="Ctrl+Shift+N", icon="person-add",
            more="Gives them a login, a role and a first password.",
        )  # fmt: skip
        self.change = act(
            self, "Change this colleague", self._on_change, key="F2", icon="edit",
            more="Name, role, or a new password.",
        )  # fmt: skip
        self.dismiss = act(
            self, "Dismiss this colleague", self._on_dismiss, key="Ctrl+Del", icon="ban",
            more="Ends what they are signed in to at once.",
        )  # fmt: skip
        self.add_button = Button(self.add, "primary", text="Add")
        self.change_button = Button(self.change, text="Change")
        self.dismiss_button = Button(self.dismiss, text="Dismiss")
        for button in (self.add_button, self.change_button, self.dismiss_button):
            self.head.addWidget(button)
        self.table.opened.connect(lambda _: self._on_change())
        self.table.turned_to.connect(self._on_turn)
        self.table.turned_to.connect(self._on_turned_by_hand)
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_AGAIN_MILLISECONDS)
        self._clock.timeout.connect(self.load)
        self.setFocusProxy(self.table)
        self._on_turn(None)

    def load(self) -> None:
        """Ask for the staff as they are now."""
        self.background.ask(staff.everybody).latest(self, self.show_staff)

    def show_staff(self, everybody: Sequence[StaffRow]) -> None:
        """Show who fits the filter; the cursor stays on its row."""
        self._all = everybody
        wanted_row, self._wanted = self._wanted, ""
        counts = {
            kind: sum(_belongs(one, kind) for one in everybody)
            for kind in (WORKING, SIGNED_IN, DISMISSED)
        }
        wanted = fold(self.narrowed_to)
        rows = [
            one
            for one in everybody
            if _belongs(one, str(self.chosen))
            and all(word in _searched(one) for word in wanted.split())
        ]
        self.show_list(rows, counts, counts[str(self.chosen)])
        if self.narrowed_to:
            self._empty.say(
                f"Nobody here matches “{self.narrowed_to}”.",
                "Names, logins and roles are searched. Esc clears the field.",
            )
        elif self.chosen == DISMISSED:
            self._empty.say("Nobody has been dismissed.", "Whoever leaves is listed here.")
        elif self.chosen == SIGNED_IN:
            self._empty.say("Nobody is signed in.", "Whoever signs in is listed here by itself.")
        else:
            self._empty.say(*_NOBODY)
        if not self.table.turn_to(wanted_row) and self.table.current_row() is None and rows:
            self.table.turn_to(rows[0].login)
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

    def _columns(self) -> tuple[Column[StaffRow], ...]:
        return (
            Column(
                "Name",
                lambda row: row.name,
                stretch=True,
                bold=True,
                second=lambda row: row.login + (" · you" if self._is_me(row) else ""),
            ),
            Column(
                "Role",
                lambda row: row.role,
                lambda role: role.words,
                width=170,
                icon=lambda row: ROLE_ICONS[row.role],
                tone=lambda row: "muted" if row.dismissed else "accent",
            ),
            Column(
                "Signed in",
                lambda row: "Dismissed" if row.dismissed else _where(row.seats),
                width=280,
                icon=lambda row: (
                    "ban" if row.dismissed else "check-circle" if row.seats else "dash"
                ),
                tone=lambda row: "bad" if row.dismissed else "good" if row.seats else "muted",
                second=self._since,
                hint=lambda row: "\n".join(
                    f"{seat.workstation} {seat.address}, since {self._when(seat)}".replace(
                        " ,", ","
                    )
                    for seat in row.seats
                ),
            ),
        )

    def _is_me(self, row: StaffRow) -> bool:
        return row.login == self._desk.colleague.login

    def _since(self, row: StaffRow) -> str:
        return "" if row.dismissed or not row.seats else f"since {self._when(row.seats[0])}"

    def _when(self, seat: Seat) -> str:
        return times.when(seat.since, self._desk.now(), self._desk.settings.zone)

    # What happens

    def _on_turn(self, row: StaffRow | None) -> None:
        back = row is not None and row.dismissed
        self.change.setText("Bring this colleague back" if back else "Change this colleague")
        self.change.setStatusTip(
            "Their login, with a new password." if back else "Name, role, or a new password."
        )
        self.change.setProperty("icon_name", "undo" if back else "edit")
        self.change_button.show_icon("undo" if back else "edit")
        self.change_button.say("Bring back" if back else "Change")
        self.change.setEnabled(row is not None)
        self.dismiss.setEnabled(row is not None and not row.dismissed and not self._is_me(row))

    def _on_turned_by_hand(self, _row: StaffRow | None) -> None:
        # A cursor that jumped away from under somebody's hand could have the wrong one dismissed.
        self._wanted = ""

    def _on_add(self) -> None:
        self._open(AddSheet(self, self.background))

    def _on_change(self) -> None:
        row = self.table.current_row()
        if row is None:
            return
        if row.dismissed:
            self._open(AddSheet(self, self.background, row))
        else:
            self._open(ColleagueSheet(self, self.background, row))

    def _open(self, sheet: AddSheet | ColleagueSheet) -> None:
        sheet.done_with.connect(self._on_done)
        sheet.open()

    def _on_done(self, login: str, words: str) -> None:
        toasts.say(self, words)
        self.table.setFocus()
        # The cursor goes there as soon as the list has the row, whatever was shown before.
        self._wanted = login
        shown = {row.login for row in self.table.rows_model.rows}
        if self.chosen == DISMISSED or login not in shown:
            self.narrow.clear()
            self.choose(WORKING)
        else:
            self.load()

    def _on_dismiss(self) -> None:
        row = self.table.current_row()
        if row is None or row.dismissed:
            return
        confirm(
            self,
            f"Dismiss {row.name}?",
            f"The login “{row.login}” opens nothing any more, and what it is signed in to ends at "
            "once. What was done with it stays on the trail. You can bring a colleague back.",
            "Dismiss",
            lambda: self._dismiss(row),
            danger=True,
        )

    def _dismiss(self, row: StaffRow) -> None:
        self.clear_problem()
        self.background.ask(staff.dismiss, row.login).then(
            self, lambda _: self._on_dismissed(row.name)
        )

    def _on_dismissed(self, name: str) -> None:
        toasts.say(self, f"{name} is dismissed.")
        self.load()


class _PasswordField(Field):
    """A new password: typed, or made up so that it can be read out or copied."""

    def __init__(self, name: str, hint: str) -> None:
        self.typed = line_edit(spoken=name, longest=LONGEST_PASSWORD)
        self.typed.setEchoMode(QLineEdit.EchoMode.Password)
        self.make_up = Button("Make one up", icon="key")
        self.copy = Button("Copy", icon="copy")
        self.copy.setAccessibleName("Copy the password")
        self.copy.hide()
        both = QWidget()
        both.setLayout(row(self.typed, self.copy, self.make_up))
        both.setFocusProxy(self.typed)
        super().__init__(name, both, hint)
        self.make_up.clicked.connect(self._on_make_up)
        self.copy.clicked.connect(self._on_copy)
        self.typed.textEdited.connect(self._on_edited)

    @property
    def text(self) -> str:
        """What was typed or made up."""
        return self.typed.text()

    def _on_make_up(self) -> None:
        self.typed.setText(staff.made_up_password())
        self.typed.setEchoMode(QLineEdit.EchoMode.Normal)
        self.copy.show()
        self.say(
            "It is shown here once and nowhere again: copy it, or read it out to your colleague, "
            "before this sheet closes.",
            "accent",
        )
        self.typed.setFocus()
        self.typed.selectAll()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self.say("Copied. Paste it to your colleague now: it is shown nowhere again.", "good")

    def _on_edited(self) -> None:
        self.typed.setEchoMode(QLineEdit.EchoMode.Password)
        self.copy.hide()
        self.say()


class _RoleField(Field):
    """A choice of role, with what each does below it."""

    def __init__(self, chosen: Role) -> None:
        self.choice = QComboBox()
        self.choice.setAccessibleName("Role")
        for role in Role:
            self.choice.addItem(role.words, role)
        super().__init__("Role", self.choice)
        self.choice.currentIndexChanged.connect(lambda _: self.say(ROLE_WORDS[self.role]))
        self.choice.setCurrentIndex(list(Role).index(chosen))
        self.say(ROLE_WORDS[chosen])

    @property
    def role(self) -> Role:
        """The role that is chosen."""
        return list(Role)[self.choice.currentIndex()]


class _StaffSheet(Sheet):
    """A sheet about a colleague: says what is wrong beside its field, and asks before it closes."""

    done_with = Signal(str, str)
    """The login, and what was done in words."""
    forgotten = "Nothing is changed, and what you typed here is forgotten."

    def __init__(self, over: QWidget, background: Background, name: str, *, wide: int) -> None:
        super().__init__(over, name, wide=wide)
        self.background = background
        self._places: list[tuple[type[ConsoleError], Field, QLineEdit]] = []
        self._at_first: tuple[object, ...] = ()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong, beside its field where it has one; nothing typed is lost."""
        self.end_waiting()
        for kind, place, field in self._places:
            if isinstance(problem, kind) and not place.isHidden():
                place.say(str(problem), "bad")
                field.selectAll()
                field.setFocus()
                return
        super().show_problem(problem)

    def reject(self) -> None:
        """Close; what was typed is asked about first."""
        if self._filled() != self._at_first:
            self.ask_to_leave(self.forgotten, self._leave)
            return
        self._leave()

    def _leave(self) -> None:
        # Qt would look `super().reject` up by its name, and ask again.
        super().reject()

    def _filled(self) -> tuple[object, ...]:
        """Answer what stands in the fields, to tell whether anything was typed."""
        return ()

    def _beside(self, kind: type[ConsoleError], place: Field, field: QLineEdit) -> None:
        """Say problems of this kind beside this field until it is edited."""
        self._places.append((kind, place, field))
        field.textChanged.connect(lambda _: place.say())

    def _add_save(self, name: str, word: str, icon: str) -> Button:
        save = act(self, name, self._on_save, key="Ctrl+Return", icon=icon, listed=False)
        return self.add_button(Button(save, "primary", text=word))

    def _on_save(self) -> None:
        """Do what the sheet is for."""


class AddSheet(_StaffSheet):
    """Gives a new colleague a login, or one who left theirs back."""

    def __init__(self, over: QWidget, background: Background, back: StaffRow | None = None) -> None:
        name = f"Bring {back.name} back" if back else "Add a colleague"
        super().__init__(over, background, name, wide=520)
        self.forgotten = (
            "Your colleague stays dismissed, and what you typed here is forgotten."
            if back
            else "Nobody is added, and what you typed here is forgotten."
        )
        self.name = line_edit("First and last name", spoken="Name", longest=80)
        self.login = line_edit(spoken="Login", longest=LONGEST_LOGIN)
        self.role = _RoleField(back.role if back else Role.REPRESENTATIVE)
        self.password = _PasswordField(
            "First password", f"{SHORTEST_PASSWORD} characters or more; they change it themselves."
        )
        self.name_place = Field("Name", self.name)
        self.login_place = Field("Login", self.login, "" if back else "What they type to sign in.")
        for part in (self.name_place, self.login_place, self.role, self.password):
            self.body.addWidget(part)
        self.password.setVisible(not background.desk.settings.training)
        if back is not None:
            self.name.setText(back.name)
            self.login.setText(back.login)
            self.login.setReadOnly(True)
        else:
            self.name.textEdited.connect(self._on_name)
        self._beside(NameMissing, self.name_place, self.name)
        self._beside(TooLong, self.name_place, self.name)
        self._beside(CardNumberTyped, self.name_place, self.name)
        self._beside(BadLogin, self.login_place, self.login)
        self._beside(LoginTaken, self.login_place, self.login)
        self._beside(BadPassword, self.password, self.password.typed)
        self._at_first = self._filled()
        self.add_cancel()
        if back:
            self.save = self._add_save("Bring the colleague back", "Bring back", "undo")
        else:
            self.save = self._add_save("Add the colleague", "Add", "person-add")
        self.name.setFocus()

    def _filled(self) -> tuple[object, ...]:
        return self.name.text(), self.login.text(), self.role.role, self.password.text

    def _on_name(self, name: str) -> None:
        if not self.login.isModified():
            self.login.setText(login_from(name))

    def _on_save(self) -> None:
        self.clear_problem()
        self.begin_waiting("Saving the colleague…")
        self.background.ask(
            staff.add, self.login.text(), self.name.text(), self.role.role, self.password.text
        ).then(self, self._on_added, busy=[self.save])

    def _on_added(self, login: str) -> None:
        name = self.name.text().strip()
        self.done_with.emit(login, f"{name} can sign in as “{login}” now.")
        self.accept()


class ColleagueSheet(_StaffSheet):
    """Changes a colleague's name, role or password."""

    def __init__(self, over: QWidget, background: Background, colleague: StaffRow) -> None:
        super().__init__(over, background, f"Change {colleague.name}", wide=520)
        self.forgotten = f"{colleague.name} stays as before, and what you typed here is forgotten."
        self._colleague = colleague
        me = colleague.login == background.desk.colleague.login
        self.name = line_edit("First and last name", spoken="Name", longest=80)
        self.name.setText(colleague.name)
        self.role = _RoleField(colleague.role)
        self.role.choice.setEnabled(not me)
        if me:
            self.role.say("Another administrator would have to change your own role.")
        self.password = _PasswordField("New password", "Leave it empty to keep the one they have.")
        self.password.setVisible(not me and not background.desk.settings.training)
        self.name_place = Field("Name", self.name)
        self.body.addWidget(Words(f"Login {colleague.login}", "label"))
        for part in (self.name_place, self.role, self.password):
            self.body.addWidget(part)
        self._beside(NameMissing, self.name_place, self.name)
        self._beside(TooLong, self.name_place, self.name)
        self._beside(CardNumberTyped, self.name_place, self.name)
        self._beside(BadPassword, self.password, self.password.typed)
        self._at_first = self._filled()
        self.add_cancel()
        self.save = self._add_save("Save the colleague", "Save", "check")
        self.name.setFocus()

    def _filled(self) -> tuple[object, ...]:
        return self.name.text(), self.role.role, self.password.text

    def _on_save(self) -> None:
        self.clear_problem()
        self.begin_waiting("Saving the colleague…")
        self.background.ask(
            staff.change,
            self._colleague,
            self.name.text(),
            self.role.role,
            self.password.text,
        ).then(self, self._on_saved, busy=[self.save])

    def _on_saved(self, changed: bool) -> None:
        if changed:
            self.done_with.emit(self._colleague.login, f"{self.name.text().strip()} is changed.")
        self.accept()


class OwnPasswordSheet(_StaffSheet):
    """Takes another password for the colleague at this desk."""

    def __init__(self, over: QWidget, background: Background) -> None:
        super().__init__(over, background, "Change my password", wide=440)
        self.forgotten = "Your password stays as it was."
        self.current, self.new, self.again = (
            line_edit(spoken=name, longest=LONGEST_PASSWORD)
            for name in ("Password you have", "New password", "New password once more")
        )
        for field in (self.current, self.new, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
            field.returnPressed.connect(self._on_save)
        self.current_place = Field("Password you have", self.current)
        self.new_place = Field(
            "New password",
            self.new,
            f"{SHORTEST_PASSWORD} characters or more. A sentence is easier to keep than a riddle.",
        )
        self.again_place = Field("New password once more", self.again)
        for part in (self.current_place, self.new_place, self.again_place):
            self.body.addWidget(part)
        self._beside(WrongPassword, self.current_place, self.current)
        self._beside(BadPassword, self.new_place, self.new)
        self._beside(_TypedInTwoWays, self.again_place, self.again)
        self._at_first = self._filled()
        self.add_cancel()
        self.save = self._add_save("Change my password", "Change it", "key")
        self.current.setFocus()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say what went wrong beside its field; nobody asked for a login here."""
        if isinstance(problem, WrongPassword):
            problem = WrongPassword(NOT_YOURS)
        super().show_problem(problem)

    def _filled(self) -> tuple[object, ...]:
        return self.current.text(), self.new.text(), self.again.text()

    def _on_save(self) -> None:
        self.clear_problem()
        if self.new.text() != self.again.text():
            self.show_problem(_TypedInTwoWays())
            return
        self.begin_waiting("Changing your password…")
        self.background.ask(staff.change_own_password, self.current.text(), self.new.text()).then(
            self, self._on_changed, busy=[self.save]
        )

    def _on_changed(self, _none: None) -> None:
        toasts.say(self, "Your new password counts from now on.")
        self.accept()


class _TypedInTwoWays(ConsoleError):
    def __init__(self) -> None:
        super().__init__("The new password was typed in two ways. Type it twice alike.")


def _belongs(one: StaffRow, kind: str) -> bool:
    if kind == DISMISSED:
        return one.dismissed
    return not one.dismissed and (kind == WORKING or bool(one.seats))


def _searched(one: StaffRow) -> str:
    return fold(f"{one.name} {one.login} {one.role.words}")


def _where(seats: Sequence[Seat]) -> str:
    places = [seat.workstation or _place(seat) for seat in seats]
    return (
        " and ".join([", ".join(places[:-1]), places[-1]] if places[1:] else places)
        or "Not signed in"
    )


def _place(seat: Seat) -> str:
    return " at ".join(part for part in (seat.workstation, seat.address) if part) or "somewhere"

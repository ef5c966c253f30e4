"""The window: the rail of places, the top bar, the open members, and the lock over it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, get_args

from PySide6.QtCore import QEvent, QObject, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from console.background import Background
from console.domain import times
from console.domain.errors import ConsoleError
from console.services import diagnostics, drafts, rounds, staff
from console.services.calls import CallState
from console.services.diagnostics import Copied, DatabaseHealth, Light, SecondCopy
from console.services.drafts import Draft, Unfinished
from console.services.rounds import CourierHealth, Going
from console.services.search import Hit
from console.settings import Settings
from console.views import theme
from console.views.audit import AuditScreen, UnusualWatch
from console.views.call_bar import CallBar
from console.views.diagnostics import DiagnosticsScreen, tone_of
from console.views.members import Form, MemberScreen
from console.views.palette import Palette
from console.views.payments import PaymentsScreen
from console.views.registration import RegistrationsScreen
from console.views.screen import Screen
from console.views.search_box import SearchBox
from console.views.shortcuts import ShortcutSheet
from console.views.sign_in import ROLE_ICONS, Lock
from console.views.staff import OwnPasswordSheet, StaffScreen
from console.views.tabs import MemberTabs
from console.views.theme import GRID, Theme
from console.views.toasts import Toasts
from console.views.training import TrainingPlan, TrainingScreen
from console.views.widgets import (
    BusyStrip,
    Button,
    Icon,
    IconButton,
    KeyHint,
    Ribbon,
    Words,
    act,
    column,
    row,
    rule,
)

HEALTH_MILLISECONDS = 4_000
RAIL, NARROW_RAIL = 208, 64
RAIL_ICON_FROM, RAIL_ICON = 12, 18
"""Where a button of the rail begins its icon, as in the style sheet, and how wide that is."""
FORMS: Final[tuple[Form, ...]] = get_args(Form)
"""The forms on a member's page, which what is left half done is named after."""
NARROW_BELOW = 940
"""Below this width, at 100 % text, the rail shows its icons only."""


@dataclass(frozen=True)
class Place:
    """One place of the left rail."""

    word: str
    icon: str
    make: Callable[[Window], QWidget]


SCREENS: tuple[Place, ...] = (
    Place("Members", "members", lambda window: window.tabs),
    Place("Registrations", "registrations", lambda window: window.make_registrations()),
    Place("Payments", "payments", lambda window: window.make_payments()),
)
"""The places in their order; a feature adds its line here."""

FOOT_SCREENS: tuple[Place, ...] = (
    Place("Diagnostics", "diagnostics", lambda window: DiagnosticsScreen(window.background)),
)
OVERSEERS_SCREENS: tuple[Place, ...] = (
    Place("Audit trail", "auditor", lambda window: window.make_audit()),
)
ADMINISTRATORS_SCREENS: tuple[Place, ...] = (
    Place("Staff", "staff", lambda window: StaffScreen(window.background)),
)
TRAINING_SCREENS: tuple[Place, ...] = (
    Place("Training", "training", lambda window: window.make_training()),
)


class Window(QMainWindow):
    """Everything a colleague works in once signed in."""

    signed_out = Signal()
    """The colleague wants to leave; app.py shows the sign-in again."""
    sent_away = Signal(str)
    """The colleague may not go on here, with the reason; app.py shows the sign-in with it."""
    begin_afresh = Signal()
    """The training co-op is to be made anew, and the console opened again on it."""

    background: Background
    settings: Settings

    def __init__(
        self,
        background: Background,
        settings: Settings,
        look: Theme,
        *,
        training: TrainingPlan | None = None,
    ) -> None:
        super().__init__()
        self.background = background
        self.settings = settings
        self.look = look
        self.training = training or TrainingPlan(
            pages_url=settings.portal_pages_url, mailbox_url=settings.mailbox_url
        )
        self._store: QSettings | None = None
        self._asking: set[str] = set()
        self.database_light: Light | None = None
        self._away_since = ""
        self.portal_light: Light | None = None
        self._outbox = 0
        self._hidden_by_lock: list[QDialog] = []
        self._focus_before_lock: QWidget | None = None
        self._titles: dict[int, Hit] = {}
        self.setWindowTitle(_window_title(settings))
        self.setMinimumSize(720, 480)
        self.resize(1366, 768)

        self.body = QWidget()
        self.places = QStackedWidget()
        self.home = Home()
        self.tabs: MemberTabs[MemberScreen] = MemberTabs(self._make_member, self.home)
        self.search = SearchBox(background)
        self.call_bar = CallBar(background, self._front_member, self._known_of_front)
        self.toasts = Toasts(self.body)  # the lock covers them with everything else
        self.banner = Banner()
        self.lock = Lock(background, training=settings.training)
        self._made: dict[str, QWidget] = {}
        self._make_actions()
        self._lay_out()
        self._connect()
        self.idle = IdleWatch(self, max(1.0, settings.lock_minutes) * 60)
        self.idle.idle.connect(self.lock_now)
        self._health = QTimer(self)
        self._health.setInterval(HEALTH_MILLISECONDS)
        self._health.timeout.connect(self.ask_health)
        self.watch = UnusualWatch(background)
        self.watch.told.connect(self.show_unusual)
        self.go_to("Members")

    # What it does

    def begin(self) -> None:
        """Begin to work: take up the call, look whether the servers answer.

        The window does so by itself when it is first shown.
        """
        if self._health.isActive():
            return
        self.call_bar.load()
        self.ask_health()
        self._health.start()
        self.watch.begin()
        self.search.field.setFocus()

    def open_member(self, member_id: int, label: str = "") -> MemberScreen:
        """Open a member, or turn to the page that shows it already."""
        self.go_to("Members")
        fresh = all(page.member_id != member_id for page in self.tabs.pages)
        page = self.tabs.open(member_id, label or "Opening…")
        if fresh:
            page.expect(label)
            page.show_call(self.call_bar.call)
            page.load()
        page.setFocus()
        return page

    def open_account(self, member_id: int, account_number: str) -> MemberScreen:
        """Open a member at one of their accounts."""
        page = self.open_member(member_id)
        page.turn_to_account(account_number)
        return page

    def go_to(self, word: str) -> QWidget:
        """Turn to a place of the rail, and bring the keys there."""
        if word not in self._made:
            place = next(place for place in self._all_places() if place.word == word)
            self._made[word] = place.make(self)
            self.places.addWidget(self._made[word])
        if self.places.currentWidget() is not self._made[word]:
            self.toasts.clear()  # it tells of another place, and may lie over what is needed here
        self.places.setCurrentWidget(self._made[word])
        self.rail_buttons[word].setChecked(True)
        self.call_bar.front_changed()
        self._bring_the_keys(self._made[word])
        return self._made[word]

    def ask_health(self) -> None:
        """Ask whether the database and the portal answer."""
        if "database" not in self._asking:
            self._asking.add("database")
            self.background.ask(diagnostics.database).then(self, self.show_database, quiet=True)
        if "portal" not in self._asking and self.settings.portal_url:
            self._asking.add("portal")
            self.background.ask(diagnostics.portal).then(self, self.show_portal, quiet=True)

        if "gateway" not in self._asking:
            self._asking.add("gateway")
            self.background.ask(diagnostics.gateway).then(
                self, self.show_gateway, failed=lambda _: self.show_gateway(None), quiet=True
            )
        if "second copy" not in self._asking:
            self._asking.add("second copy")
            self.background.ask(diagnostics.second_copy).then(
                self, self.show_second_copy, quiet=True
            )
        if "courier" not in self._asking:
            self._asking.add("courier")
            self.background.ask(rounds.health).then(
                self, self.show_courier, failed=lambda _: self.show_courier(None), quiet=True
            )

    def show_gateway(self, light: Light | None) -> None:
        """Show how payments fare; while the database is away nobody knows."""
        self._asking.discard("gateway")
        if light is not None:
            self.gateway_button.show_light(light)

    def show_second_copy(self, copy: SecondCopy | None) -> None:
        """Warn when commits are on one machine only, where two are expected."""
        self._asking.discard("second copy")
        self.second_copy_button.show_copy(copy)

    def show_courier(self, health: CourierHealth | None) -> None:
        """Show whether what was asked for goes out."""
        self._asking.discard("courier")
        self.courier_button.show_health(health)

    def show_database(self, health: DatabaseHealth) -> None:
        """Show whether the database answers."""
        self._asking.discard("database")
        back = self.database_light is not None and not self.database_light.answers
        if not back and not health.light.answers:
            self._away_since = times.clock(self.background.desk.now(), self.settings.zone)
        self.database_light, self._outbox = health.light, health.outbox
        self.database_button.show_light(health.light)
        self._show_banner()
        if not health.light.answers:
            self._ask_whether_still_here()
        if back and health.light.answers:
            self.toasts.say("The database answers again.")
            self._load_again()

    def _ask_unfinished(self) -> None:
        desk = self.background.desk

        def home(left: tuple[Unfinished, ...]) -> None:
            self.home.show_unfinished(left, desk.now(), self.settings.zone)

        # The banner says that the database is away; here there is only less to go on with.
        self.background.ask(drafts.unfinished).then(self, home, failed=lambda _: None, quiet=True)

    def show_portal(self, light: Light) -> None:
        """Show whether the portal answers."""
        self._asking.discard("portal")
        back = self.portal_light is not None and not self.portal_light.answers
        self.portal_light = light
        self.portal_button.show_light(light)
        self._show_banner()
        if back and light.answers:
            self.toasts.say("The portal answers again. What waited is on its way.")

    def show_unusual(self, people: int) -> None:
        """Say at the audit trail how many people open an unusual number of members."""
        if (button := self.rail_buttons.get("Audit trail")) is None:
            return
        said = f"{people} unusual" if people else ""
        self._rail_words["Audit trail"] = f"Audit trail: {said}" if said else "Audit trail"
        button.setAccessibleName(f"Go to Audit trail{f', {said}' if said else ''}")
        button.show_icon("eye" if people else "auditor", "warn" if people else "")
        self._fit_rail()

    def show_problem(self, problem: ConsoleError) -> None:
        """Say at the foot of the window what went wrong."""
        self._asking.clear()
        self.toasts.say(str(problem), icon="alert")

    def lock_now(self) -> None:
        """Hide everything until the colleague is back; nothing is lost."""
        if self.is_locked:
            return
        self._focus_before_lock = QApplication.focusWidget()
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
        self._hidden_by_lock = [
            dialog for dialog in self.findChildren(QDialog) if dialog.isVisible()
        ]
        for dialog in self._hidden_by_lock:
            dialog.hide()
        self.search.popup.hide()
        self.toasts.clear()
        self.whole.setCurrentWidget(self.lock)
        self.setWindowTitle("Locked")
        self.lock.take_focus()

    def unlock(self) -> None:
        """Show everything again as it was left."""
        self.whole.setCurrentWidget(self.body)
        self.setWindowTitle(_window_title(self.settings))
        for dialog in self._hidden_by_lock:
            dialog.show()
        self._hidden_by_lock = []
        self.idle.touch()
        if self._focus_before_lock is not None and self._focus_before_lock.isVisible():
            self._focus_before_lock.setFocus()
        self._focus_before_lock = None

    @property
    def is_locked(self) -> bool:
        """Whether everything is hidden."""
        return self.whole.currentWidget() is self.lock

    def recall_place(self, store: QSettings) -> None:
        """Take the place on the desktop that the window had last, and remember the next."""
        self._store = store
        geometry = store.value("window/geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)

    def make_registrations(self) -> RegistrationsScreen:
        """Build the registrations place."""
        screen = RegistrationsScreen(self.background)
        screen.open_member.connect(self.open_account)
        screen.load()
        return screen

    def make_payments(self) -> PaymentsScreen:
        """Build the payments place."""
        screen = PaymentsScreen(self.background)
        screen.open_member.connect(self.open_account)
        return screen

    def make_audit(self) -> AuditScreen:
        """Build the audit trail's place."""
        screen = AuditScreen(self.background)
        screen.unusual_shown.connect(self.watch.note_seen)
        return screen

    def make_training(self) -> TrainingScreen:
        """Build the training place."""
        screen = TrainingScreen(self.background, self.training)
        screen.open_member.connect(self.open_account)
        screen.begin_afresh.connect(self.begin_afresh)
        return screen

    # Qt overrides

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # What no field, list or button wanted begins a search.
        text = event.text()
        plain = not event.modifiers() & ~(
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        )
        if plain and text and text.isprintable() and not text.isspace() and not self.is_locked:
            self.search.look_up(text)
            return
        super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.begin()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_rail()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._health.stop()
        self.watch.stop()
        self.idle.stop()
        self.call_bar.stop()
        if self._store is not None:
            self._store.setValue("window/geometry", self.saveGeometry())
        super().closeEvent(event)

    # How it is put together

    def _make_actions(self) -> None:
        owner = self.body
        self.look_up = act(
            owner, "Look up a member", self.search.look_up, key="Ctrl+K", icon="search"
        )
        self.palette_action = act(
            owner, "All commands", self._on_palette, icon="command", listed=False
        )
        self.palette_action.setShortcuts([QKeySequence("Ctrl+P"), QKeySequence("Ctrl+Shift+P")])
        self.keys_action = act(owner, "Keys", self._on_keys, icon="keyboard")
        self.keys_action.setShortcuts([QKeySequence("?"), QKeySequence("F1")])
        self.lock_action = act(owner, "Lock the console", self.lock_now, key="Ctrl+L", icon="lock")
        self.dark_action = act(
            owner, "Light or dark", self._on_dark, key="Ctrl+Shift+D", icon="contrast"
        )
        self.larger_action = act(owner, "Larger text", self._on_larger, icon="text-size")
        self.larger_action.setShortcuts([QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")])
        self.smaller_action = act(
            owner, "Smaller text", self._on_smaller, key="Ctrl+-", icon="text-size"
        )
        self.usual_action = act(
            owner, "Text at its usual size", self._on_usual, key="Ctrl+0", icon="text-size"
        )
        self.password_action = act(
            owner, "Change my password", self._on_own_password, icon="key",
            more="The database wants the one you have as well.",
        )  # fmt: skip
        self.password_action.setVisible(not self.settings.training)
        self.password_action.setEnabled(not self.settings.training)
        self.sign_out_action = act(
            owner, "Sign out", self.signed_out.emit, key="Ctrl+Shift+Q", icon="sign-out"
        )
        self.place_actions: dict[str, QAction] = {}
        for number, place in enumerate(self._all_places(), 1):
            self.place_actions[place.word] = act(
                owner,
                f"Go to {place.word}",
                partial(self.go_to, place.word),
                key=f"Ctrl+{number}",
                icon=place.icon,
            )

    def _lay_out(self) -> None:
        look = self.look
        self.whole = QStackedWidget()
        self.whole.addWidget(self.body)
        self.whole.addWidget(self.lock)
        # The ribbon stays in sight under the lock as well.
        central = QWidget()
        outer = column(gap=0)
        if self.settings.training:
            outer.addWidget(Ribbon())
        outer.addWidget(self.whole, 1)
        central.setLayout(outer)
        self.setCentralWidget(central)
        across = QHBoxLayout()
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self._make_rail())
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self._make_top())
        self.busy = BusyStrip(self.background)
        right.addWidget(self.busy)
        right.addWidget(self.banner)
        right.addWidget(self.places, 1)
        across.addLayout(right, 1)
        page = QVBoxLayout(self.body)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addLayout(across, 1)
        look.changed.connect(self._fit_rail)
        self._fit_rail()

    def _make_rail(self) -> QFrame:
        self.rail = QFrame()
        theme.role(self.rail, "rail")
        self.rail.setAccessibleName("Places")
        self.rail_buttons: dict[str, Button] = {}
        self._rail_words: dict[str, str] = {}
        group = QButtonGroup(self)
        self.coop_icon = Icon("issues", "accent", 24)
        self.coop_name = Words(self.settings.coop_name, "bold", wrap=True)
        head = row(self.coop_icon, self.coop_name, gap=GRID)
        head.setStretch(1, 1)
        head.setAlignment(self.coop_icon, Qt.AlignmentFlag.AlignLeft)
        self._rail_head = head
        layout = column(head, gap=4)
        layout.setContentsMargins(GRID, 12, GRID, GRID)
        foot = [place.word for place in self._foot_places()]
        for place in self._all_places():
            button = Button(place.word, "rail", icon=place.icon)
            button.setCheckable(True)
            button.setAccessibleName(f"Go to {place.word}")
            button.clicked.connect(lambda _=False, word=place.word: self.go_to(word))
            group.addButton(button)
            self.rail_buttons[place.word] = button
            if place.word in foot[:1]:
                layout.addStretch(1)
            layout.addWidget(button)
        self.database_button = LightButton("database", "Database")
        self.portal_button = LightButton("portal", "Portal")
        self.gateway_button = LightButton("payments", "Gateway")
        self.courier_button = CourierButton()
        self.second_copy_button = SecondCopyButton()
        self.second_copy_button.hide()
        for light in (
            self.database_button, self.second_copy_button, self.portal_button,
            self.gateway_button, self.courier_button,
        ):  # fmt: skip
            light.clicked.connect(lambda: self.go_to("Diagnostics"))
        self.portal_button.setVisible(bool(self.settings.portal_url))
        desk = self.background.desk
        self.courier_button.setVisible(bool(self.settings.portal_url) or not desk.carries)
        layout.addSpacing(4)
        layout.addWidget(rule())
        layout.addSpacing(4)
        layout.addWidget(self.database_button)
        layout.addWidget(self.second_copy_button)
        layout.addWidget(self.portal_button)
        layout.addWidget(self.gateway_button)
        layout.addWidget(self.courier_button)
        layout.addSpacing(4)
        layout.addWidget(rule())
        layout.addLayout(self._make_person())
        self.rail.setLayout(layout)
        return self.rail

    def _make_person(self) -> QHBoxLayout:
        colleague = self.background.desk.colleague
        self.person_icon = Icon(ROLE_ICONS[colleague.role], "accent", 20)
        self.person_icon.setToolTip(f"{colleague.name}, {colleague.role.words}")
        self.person_name = Words(colleague.name, "bold")
        self.person_role = Words(colleague.role.words, "label")
        self.menu = QMenu(self)
        for action in (
            self.dark_action, self.larger_action, self.smaller_action, self.usual_action, None,
            self.palette_action, self.keys_action, None, self.password_action,
            self.lock_action, self.sign_out_action,
        ):  # fmt: skip
            if action is None:
                self.menu.addSeparator()
            else:
                self.menu.addAction(action)
        self.menu_button = IconButton("more", "Look, keys, lock and sign out")
        self.menu_button.setMenu(self.menu)
        self.menu_button.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        names = QWidget()
        names.setLayout(column(self.person_name, self.person_role, gap=0))
        self.person_names = names
        person = row(self.person_icon, names, self.menu_button)
        person.setStretch(1, 1)
        person.setAlignment(self.menu_button, Qt.AlignmentFlag.AlignLeft)
        self._rail_foot = person
        return person

    def _make_top(self) -> QFrame:
        top = QFrame()
        theme.role(top, "top")
        self.search.setMinimumWidth(240)
        layout = QHBoxLayout(top)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout.setSpacing(2 * GRID)
        layout.addStretch(1)
        layout.addWidget(self.search, 6)
        layout.addStretch(1)
        layout.addWidget(self.call_bar)
        return top

    def _connect(self) -> None:
        self.search.opened.connect(self._on_hit)
        self.home.opened.connect(self._on_hit)
        self.home.taken_up.connect(self._on_taken_up)
        self.home.thrown_away.connect(self._on_thrown_away)
        self.home.shown.connect(self._ask_unfinished)
        self.home.look_up.clicked.connect(self.look_up.trigger)
        self.tabs.turned_to.connect(self._on_turned)
        self.tabs.closed.connect(self._on_closed)
        self.call_bar.changed.connect(self._on_call)
        self.lock.unlocked.connect(self.unlock)
        self.lock.left.connect(self.signed_out)
        self.banner.again.clicked.connect(self.ask_health)
        self.background.changed.connect(self._on_changed)

    def _all_places(self) -> tuple[Place, ...]:
        return (*SCREENS, *self._foot_places())

    def _foot_places(self) -> tuple[Place, ...]:
        role = self.background.desk.colleague.role
        return (
            *(TRAINING_SCREENS if self.settings.training else ()),
            *(OVERSEERS_SCREENS if role.watches_over else ()),
            *(ADMINISTRATORS_SCREENS if role.looks_after_staff else ()),
            *FOOT_SCREENS,
        )

    def _make_member(self, member_id: int) -> MemberScreen:
        page = MemberScreen(self.background, member_id)
        page.titled.connect(lambda name, member=member_id: self._on_titled(member, name))
        page.call_changed.connect(self.call_bar.show_call)
        return page

    # What happens

    def _on_hit(self, hit: Hit) -> None:
        self._titles[hit.member_id] = hit
        self._remember(hit)
        self.open_member(hit.member_id, hit.name)

    def _on_taken_up(self, left: Unfinished) -> None:
        page = self.open_member(left.member_id, left.member_name)
        form = next((one for one in FORMS if left.name.startswith(f"{one} ")), None)
        if form is not None:
            page.take_up(form)
        elif (call := self.call_bar.call) is not None and call.member_id == left.member_id:
            self.call_bar.open_wrap_up()

    def _on_thrown_away(self, left: Unfinished) -> None:
        self.background.ask(drafts.recall, left.name).then(
            self, partial(self._throw_away, left), local=True
        )

    def _throw_away(self, left: Unfinished, draft: Draft | None) -> None:
        def done(_none: None) -> None:
            self._ask_unfinished()
            if draft is not None:
                what = left.words.partition(" ")[2]
                self.toasts.say(
                    f"The {what} for {left.member_name} is thrown away.",
                    lambda: self._keep_again(draft),
                )

        self.background.ask(drafts.forget, left.name, time.monotonic_ns()).then(
            self, done, local=True
        )

    def _keep_again(self, draft: Draft) -> None:
        self.background.ask(drafts.keep, draft, time.monotonic_ns()).then(
            self, lambda _: self._ask_unfinished(), local=True
        )

    def _on_titled(self, member_id: int, name: str) -> None:
        self.tabs.title(member_id, name)
        known = self._titles.get(member_id)
        if known is None or known.name != name:
            printed = known.printed_number if known else ""
            address = known.service_address if known else ""
            number = known.account_number if known else ""
            self._titles[member_id] = Hit(member_id, name, number, printed, address, "")
            self._remember(self._titles[member_id])

    def _remember(self, hit: Hit) -> None:
        self.search.remember(hit)
        self.home.show_recent(self.search.recent)

    def _on_turned(self, page: MemberScreen | None) -> None:
        self.toasts.clear()
        self.call_bar.front_changed()
        if page is None and not self.is_locked:
            self.search.field.setFocus()

    def _on_closed(self, _member_id: int) -> None:
        self.call_bar.front_changed()

    def _on_call(self, call: CallState | None) -> None:
        for page in self.tabs.pages:
            page.show_call(call)

    def _on_changed(self, names: frozenset[str]) -> None:
        if "Staff" in names:
            self._ask_whether_still_here()

    def _ask_whether_still_here(self) -> None:
        self.background.ask(staff.check_still_here).then(
            self, lambda _: None, failed=self._on_not_here, quiet=True
        )

    def _on_not_here(self, problem: ConsoleError) -> None:
        if isinstance(problem, staff.SentAway):
            self.sent_away.emit(str(problem))

    def _on_own_password(self) -> None:
        OwnPasswordSheet(self, self.background).open()

    def _on_palette(self) -> None:
        Palette(self).open()

    def _on_keys(self) -> None:
        ShortcutSheet(self).open()

    def _on_dark(self) -> None:
        self.look.set_dark(not self.look.dark)
        self._keep_look()

    def _on_larger(self) -> None:
        self.look.larger()
        self._keep_look()

    def _on_smaller(self) -> None:
        self.look.smaller()
        self._keep_look()

    def _on_usual(self) -> None:
        self.look.set_scale(100)
        self._keep_look()

    def _keep_look(self) -> None:
        if self._store is not None:
            theme.keep(self.look, self._store)

    def _front_member(self) -> int | None:
        if self.places.currentWidget() is not self.tabs:
            return None
        front = self.tabs.front
        return None if front is None else front.member_id

    def _known_of_front(self) -> Mapping[str, str]:
        call = self.call_bar.call
        hit = self._titles.get(call.member_id) if call and call.member_id is not None else None
        return {"account": hit.account_number} if hit and hit.account_number else {}

    def _show_banner(self) -> None:
        if self.database_light is not None and not self.database_light.answers:
            self.banner.say(
                f"{self.database_light.words} Away since {self._away_since}; the console keeps "
                "trying by itself. You can go on reading and typing: what you type stays."
            )
        elif self.portal_light is not None and not self.portal_light.answers:
            waits = f" ({self._outbox} waiting)" if self._outbox else ""
            self.banner.say(
                f"{self.portal_light.words} You can go on: corrections and e-mails wait in the "
                f"outbox{waits} and go by themselves."
            )
        else:
            self.banner.say("")

    def _load_again(self) -> None:
        for page in self.tabs.pages:
            page.look_again()
        for place in self._made.values():
            if isinstance(place, Screen):
                place.clear_problem()
                place.load()
        if self.home.isVisible():
            self._ask_unfinished()

    def _bring_the_keys(self, place: QWidget) -> None:
        page = (self.tabs.front or self.home) if place is self.tabs else place
        held = page.focusWidget() if place is self.tabs else None
        if held is not None and held.isVisibleTo(page):
            held.setFocus()  # where one was at work before
        else:
            page.setFocus()

    def _fit_rail(self) -> None:
        narrow = self.width() < self.look.px(NARROW_BELOW)
        self.rail.setFixedWidth(self.look.px(NARROW_RAIL if narrow else RAIL))
        for place, button in self.rail_buttons.items():
            word = self._rail_words.get(place, place)
            button.setText("" if narrow else word)
            button.setToolTip(word if narrow else "")
        for light in (
            self.database_button, self.second_copy_button, self.portal_button,
            self.gateway_button, self.courier_button,
        ):  # fmt: skip
            light.show_name(not narrow)
        for part in (self.coop_name, self.person_names, self.person_icon):
            part.setVisible(not narrow)
        # Every icon of the rail stands on one line, whatever its size and that of the text.
        axis = 1 + self.look.px(RAIL_ICON_FROM + RAIL_ICON / 2)
        self._rail_head.setContentsMargins(axis - self.look.px(12), GRID // 2, 0, GRID)
        first = self.menu_button.sizeHint().width() if narrow else self.look.px(20)
        self._rail_foot.setContentsMargins(max(0, axis - first // 2), 4, 0, 0)
        self.search.setMaximumWidth(self.look.px(600))
        self.call_bar.fit(self.width() * 100 / self.look.scale)


class Home(QWidget):
    """The members place while nobody is open: how to look one up, and who was open lately."""

    opened = Signal(object)
    taken_up = Signal(object)
    """Something left half done is to be gone on with."""
    thrown_away = Signal(object)
    """Something left half done is not wanted any more."""
    shown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Members")
        self.look_up = Button("Look up a member", "primary", icon="search")
        self.recent_head = Words("Open lately", "caps")
        self.recent_head.hide()
        self._recent = QVBoxLayout()
        self._recent.setSpacing(4)
        self.recent: list[Button] = []
        self.left_head = Words("Left half done", "caps")
        self.left_head.hide()
        self._left = QGridLayout()
        self._left.setSpacing(4)
        self._left.setColumnStretch(0, 1)
        self.left: list[Button] = []
        self.throw_away: list[IconButton] = []
        words = Words("Who is calling?", "figure")
        more = Words(
            "Type a name in any order and spelling, an account number with or without its point, "
            "a phone number, an e-mail or service address, or a meter number. You can simply "
            "start typing.",
            "text",
            "muted",
            wrap=True,
        )
        inside = QWidget()
        inside.setMaximumWidth(theme.current().px(520))
        middle = column(
            words, more, GRID, row(self.look_up, KeyHint("Ctrl+K"), 0), 3 * GRID,
            self.left_head, self._left, 2 * GRID, self.recent_head, self._recent, gap=GRID,
        )  # fmt: skip
        inside.setLayout(middle)
        self._inside = inside
        page = QVBoxLayout(self)
        page.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        page.addStretch(2)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(inside, 4)
        across.addStretch(1)
        page.addLayout(across)
        page.addStretch(3)
        theme.current().changed.connect(self._measure)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def show_recent(self, hits: tuple[Hit, ...]) -> None:
        """Offer those who were open lately."""
        for button in self.recent:
            button.hide()
            button.deleteLater()
        self.recent = []
        for hit in hits[:5]:
            account = f"  ·  {hit.printed_number}" if hit.printed_number else ""
            label = f"{hit.name}{account}".replace("&", "&&")
            button = Button(label, "rail", icon="person")
            button.clicked.connect(lambda _=False, hit=hit: self.opened.emit(hit))
            self._recent.addWidget(button)
            self.recent.append(button)
        self.recent_head.setVisible(bool(hits))

    def show_unfinished(self, drafts: tuple[Unfinished, ...], now: datetime, zone: str) -> None:
        """Offer what was typed before a crash or a closed page, and never saved."""
        for widget in (*self.left, *self.throw_away):
            widget.hide()
            widget.deleteLater()
        self.left, self.throw_away = [], []
        for place, draft in enumerate(drafts[:5]):
            when = times.when(draft.written_at, now, zone)
            said = f"{draft.member_name}  ·  {draft.words}, {when}"
            button = Button(said.replace("&", "&&"), "rail", icon="edit")
            button.clicked.connect(partial(self.taken_up.emit, draft))
            cross = IconButton("cross", f"Throw away: {said}", size=14)
            cross.clicked.connect(partial(self.thrown_away.emit, draft))
            self._left.addWidget(button, place, 0)
            self._left.addWidget(cross, place, 1)
            self.left.append(button)
            self.throw_away.append(cross)
        self.left_head.setVisible(bool(drafts))

    def _measure(self) -> None:
        self._inside.setMaximumWidth(theme.current().px(520))


class Banner(QFrame):
    """Says that something does not answer, while everything else goes on."""

    def __init__(self) -> None:
        super().__init__()
        theme.role(self, "banner")
        self.words = Words("", wrap=True)
        self.again = Button("Try now", "plain", icon="refresh")
        layout = row(Icon("offline", "warn"), self.words, self.again, gap=12)
        layout.setStretch(1, 1)
        layout.setContentsMargins(3 * GRID, 6, 2 * GRID, 6)
        self.setLayout(layout)
        self.hide()

    def say(self, words: str) -> None:
        """Show what does not answer; nothing to say takes the banner away."""
        self.words.setText(words)
        self.setAccessibleName(words)
        self.setVisible(bool(words))


class LightButton(Button):
    """Whether a server answers: icon, word and colour; a press shows more."""

    def __init__(self, icon: str, name: str) -> None:
        super().__init__("", "light", icon=icon)
        self._name = name
        self._light: Light | None = None
        self._worded = True
        self._dress()

    def show_light(self, light: Light) -> None:
        """Show whether it answers."""
        self._light = light
        self._dress()

    def show_name(self, worded: bool) -> None:
        """Leave the words away where there is no room for them."""
        self._worded = worded
        self._dress()

    def _dress(self) -> None:
        light = self._light
        if light is None:
            state, tone, mark = "is being asked", "muted", "ring"
        elif light.answers:
            state, tone, mark = "answers", "good", "check-circle"
        elif light.speaks:
            state, tone, mark = "is in trouble", "bad", "alert"
        else:
            state, tone, mark = "does not answer", "bad", "cross-circle"
        short = {
            "does not answer": "no answer", "is in trouble": "trouble", "is being asked": "…",
        }.get(state, state)  # fmt: skip
        more = "" if light is None else f" {light.words} ({light.milliseconds} ms)"
        spoken = f"{self._name} {state}"
        self._say(short, mark, tone, spoken, f"{spoken}.{more}")

    def _say(self, short: str, mark: str, tone: str, spoken: str, tip: str) -> None:
        self.setText(f"{self._name}: {short}" if self._worded else "")
        self.show_icon(mark, tone)
        self.setAccessibleName(spoken)
        self.setToolTip(tip)


class SecondCopyButton(LightButton):
    """Warns while a lost server would take the last commits with it, or holds them all up."""

    def __init__(self) -> None:
        self._copy: SecondCopy | None = None
        super().__init__("copy", "Second copy")

    def show_copy(self, copy: SecondCopy | None) -> None:
        """Show what is wrong with the second copy; nothing while it is well."""
        self._copy = copy
        well = copy is None or copy.state in (Copied.BOTH, Copied.UNKNOWN)
        self.setVisible(not well)
        self._dress()

    def _dress(self) -> None:
        copy = self._copy
        if copy is None:
            return
        short = "behind" if copy.state is Copied.BEHIND else str(copy.state)
        spoken = f"Second copy: {copy.state}"
        self._say(short, "alert", tone_of(copy), spoken, f"{spoken}. {copy.words}")


class CourierButton(LightButton):
    """Whether what was asked for goes out to the portal, and how much waits."""

    def __init__(self) -> None:
        self._health: CourierHealth | None = None
        self._asked = False
        super().__init__("outbox", "Courier")

    def show_health(self, health: CourierHealth | None) -> None:
        """Show how errands fare; None while the database does not say."""
        self._health, self._asked = health, True
        self._dress()

    def _dress(self) -> None:
        health = self._health
        if health is None and self._asked:
            self._say(
                "not known", "help", "muted", "Courier: not known",
                "Whether errands go out is not known while the database does not answer.",
            )  # fmt: skip
            return
        if health is None:
            self._say("…", "ring", "muted", "Courier is being asked", "Courier is being asked.")
            return
        waiting = f"{health.waiting} waiting" if health.waiting else "nothing waits"
        short, mark, tone = {
            Going.WELL: (waiting, "check-circle", "good"),
            Going.HELD_UP: (f"{health.waiting} held up", "hourglass", "warn"),
            Going.NOBODY: ("nobody there", "cross-circle", "bad"),
        }[health.going]
        self._say(short, mark, tone, f"Courier: {short}", health.words)


class IdleWatch(QObject):
    """Tells when nobody has touched the console for a while, by the wall clock.

    A laptop that slept counts as well: the first touch after it wakes locks before it works.
    """

    idle = Signal()

    _TOUCHES = frozenset(
        {
            QEvent.Type.KeyPress,
            QEvent.Type.MouseButtonPress,
            QEvent.Type.MouseMove,
            QEvent.Type.Wheel,
            QEvent.Type.TouchBegin,
        }
    )

    def __init__(
        self, window: QMainWindow, seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(window)
        self.seconds = seconds
        self.clock = clock
        self._touched = clock()
        self._often = QTimer(self)
        self._often.setInterval(5_000)
        self._often.timeout.connect(self.check)
        self._often.start()
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def stop(self) -> None:
        """Watch no longer."""
        self._often.stop()
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)

    def touch(self) -> None:
        """Note that somebody is there."""
        self._touched = self.clock()

    def check(self) -> bool:
        """Tell that it is idle, if it is."""
        away = self.clock() - self._touched
        if away >= self.seconds or away < -60:  # a clock set back must not keep it open
            self.idle.emit()
            return True
        return False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in self._TOUCHES:
            if self.check():
                self.touch()
                return True
            self.touch()
        return False


def _window_title(settings: Settings) -> str:
    start = "Training · " if settings.training else ""
    return f"{start}{settings.coop_name}"

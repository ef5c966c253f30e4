"""Puts the house together: settings, records, desk, background, windows."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QSettings, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from console.background import Background, Preparation, Sweeper
from console.clients.portal import Portal
from console.clients.stripe_gateway import API, StripeGateway, StripeTeller
from console.domain.errors import ConsoleError
from console.domain.staff import Role
from console.models import schema
from console.models.base import Records
from console.services import backups, changes, presence, registration, rounds, staff, trail_proof
from console.services.desk import Colleague, Desk
from console.services.staff import Entry
from console.settings import PROGRAM, Settings, load, log_folder, settings_file
from console.views import theme
from console.views.crash import CrashHandler, CrashLog
from console.views.sign_in import SignIn
from console.views.training import TrainingPlan
from console.views.window import Window

NOBODY = Colleague("", "", Role.AUDITOR)
"""At the desk before anybody has signed in; may change nothing."""

BEGIN_AFRESH = 100
"""The exit status that asks for the training co-op to be made anew and opened again."""
COURIER_MILLISECONDS = 1_000
WITNESS_MILLISECONDS = 4 * 60 * 1_000
SLOWEST_POLL_SECONDS = 10.0
"""How rarely a portal that does not answer is asked again."""


@dataclass(frozen=True)
class Furnishing:
    """What a console is put together from."""

    settings: Settings
    records: Records
    portal: Portal
    gateway: StripeGateway | None = None
    """Only where this console is its own courier."""
    teller: StripeTeller | None = None

    def close(self) -> None:
        """Let go of the records and of every connection."""
        self.records.close()
        for client in (self.portal, self.gateway, self.teller):
            if client is not None:
                client.close()


def office(settings: Settings) -> Furnishing:
    """Open the office's database and know its portal.

    On PostgreSQL each colleague opens it with their own login, and nobody before has signed in.
    """
    records = (
        schema.name_only(settings.database_url)
        if schema.is_postgresql(settings.database_url)
        else schema.open_records(settings.database_url)
    )
    portal = Portal(settings.portal_url, settings.portal_token, socket.gethostname())
    return Furnishing(
        settings,
        records,
        portal,
        gateway_with(settings.gateway_url, settings.gateway_key),
        teller_with(settings.gateway_url, settings.gateway_public_key),
    )


def gateway_with(url: str, key: str) -> StripeGateway | None:
    """Answer the gateway as it opens to a key; nothing without one."""
    return StripeGateway(url or API, key) if key else None


def teller_with(url: str, key: str) -> StripeTeller | None:
    """Answer who takes bank accounts told on the phone; nothing without a public key."""
    return StripeTeller(url or API, key) if key else None


def office_settings(database: str, portal: str | None) -> Settings:
    """Read this workstation's settings, with what the command line said on top."""
    settings = load(settings_file(), os.environ)
    return replace(
        settings, database_url=database, portal_url=portal or settings.portal_url, training=False
    )


def application() -> QApplication:
    """Make the Qt application with our look, once."""
    made = QApplication.instance()
    if isinstance(made, QApplication):
        return made
    made = QApplication(sys.argv[:1])
    made.setApplicationName(PROGRAM)
    made.setWindowIcon(QIcon(str(theme.resource("icons", "issues.svg"))))
    return made


class Console(QObject):
    """One console from its first window to its last."""

    def __init__(
        self,
        settings: Settings,
        furnish: Callable[[], Furnishing],
        *,
        plan: TrainingPlan | None = None,
        look: theme.Theme | None = None,
        remember: bool = True,
        size: tuple[int, int] = (1366, 768),
    ) -> None:
        super().__init__()
        self.settings = settings
        self.plan = plan
        self._size = size
        self._store = QSettings(PROGRAM, PROGRAM) if remember else None
        self.look = look or (theme.recall(self._store) if self._store else theme.Theme())
        self.look.apply(application())
        self._furnishing: Furnishing | None = None
        self._lobby: Background | None = None
        self.background: Background | None = None
        self.window: Window | None = None
        self.sign_in: SignIn | None = None
        self._asking: set[str] = set()
        self._copy_trouble = ""
        self._poll = QTimer(self)
        self._poll.timeout.connect(self._ask_portal)
        self._courier = QTimer(self)
        self._courier.setInterval(COURIER_MILLISECONDS)
        self._courier.timeout.connect(self._send_courier)
        self._witness = QTimer(self)
        self._witness.setInterval(WITNESS_MILLISECONDS)
        self._witness.timeout.connect(self._keep_house)
        self._stop_telling: Callable[[], None] | None = None
        self._own: Records | None = None
        """What a colleague opened with a login of their own, to be closed when they leave."""
        self._preparation = Preparation(furnish)
        self._preparation.ready.connect(self._on_ready)
        self._preparation.refused.connect(self._on_refused)

    def open(self) -> None:
        """Show the sign-in at once and open the records meanwhile."""
        self._show_sign_in()
        self._preparation.start()

    def close(self) -> None:
        """Stop asking, finish what is under way, and let everything go."""
        for shown in (self.window, self.sign_in):
            if shown is not None:
                shown.hide()
                shown.deleteLater()
        self.window = self.sign_in = None
        if self._store is not None:
            theme.keep(self.look, self._store)
        self._poll.stop()
        self._courier.stop()
        self._witness.stop()
        self._preparation.close()
        if self.background is not None:
            self.background.take_leave(presence.leave)
        for background in (self._lobby, self.background):
            if background is not None:
                background.close()
        if self.background is not None:
            with suppress(ConsoleError):  # the window goes, whether the database answers or not
                staff.sign_out(self.background.desk)
                trail_proof.remember(self.background.desk)
        if self._own is not None:
            self._own.close()
        if self._furnishing is not None:
            self._furnishing.close()

    def show_problem(self, problem: ConsoleError) -> None:
        """Take what a round in the background could not do; the lights in the window tell it."""

    def _show_sign_in(self) -> None:
        self.sign_in = SignIn(self.settings)
        self.sign_in.signed_in.connect(self._on_signed_in)
        self.sign_in.again.connect(self._preparation.start)
        self.sign_in.resize(*self._size)
        self.sign_in.show()
        if self._furnishing is not None:
            self._attend(self._furnishing)

    def _attend(self, furnishing: Furnishing) -> None:
        desk = Desk(furnishing.records, furnishing.portal, NOBODY, furnishing.settings)
        self._lobby = Background(desk)
        if self.sign_in is not None:
            self.sign_in.attend(self._lobby)

    def _on_ready(self, furnishing: Furnishing) -> None:
        self._furnishing = furnishing
        self._attend(furnishing)

    def _on_refused(self, problem: ConsoleError) -> None:
        if self.sign_in is not None:
            self.sign_in.show_problem(problem)

    def _on_signed_in(self, entry: Entry) -> None:
        assert self._furnishing is not None  # noqa: S101  # nobody signs in before it is there
        held, records = self._furnishing, entry.records
        self._own = records if records.engine is not held.records.engine else None
        self.background = Background(
            Desk(
                records,
                held.portal,
                entry.colleague,
                held.settings,
                gateway=held.gateway,
                teller=held.teller,
            )
        )
        self._stop_telling = records.on_change(self.background.changed.emit)
        self.background.follow(changes.feed(self.background.desk))
        self.window = Window(self.background, held.settings, self.look, training=self.plan)
        self.window.resize(*self._size)
        self.window.signed_out.connect(self._on_signed_out)
        self.window.sent_away.connect(self._on_sent_away)
        self.window.begin_afresh.connect(lambda: QApplication.exit(BEGIN_AFRESH))
        if self._store is not None:
            self.window.recall_place(self._store)
        self.window.show()
        self.window.activateWindow()
        if self.sign_in is not None:
            self.sign_in.close()
            self.sign_in.deleteLater()
            self.sign_in = None
        self._poll.start(max(100, round(held.settings.poll_seconds * 1000)))
        self._courier.start()
        self._witness.start()
        self._keep_house()
        self._ask_portal()

    def _on_signed_out(self) -> None:
        self._poll.stop()
        self._courier.stop()
        self._witness.stop()
        if self._stop_telling is not None:
            self._stop_telling()
        if self.background is not None:
            # The trail says that they left; what else is under way must not hold the window.
            left, self.background = self.background, None
            left.unfollow()
            own, self._own = self._own, None

            def let_go(_came_of_it: object) -> None:
                left.close(wait=False)
                if own is not None:
                    own.close()

            left.ask(presence.leave).then(self, lambda _: None, quiet=True)
            left.ask(trail_proof.remember).then(self, lambda _: None, quiet=True)
            left.ask(staff.sign_out).then(self, let_go, failed=let_go, quiet=True)
        self._asking.clear()
        self._copy_trouble = ""
        self._show_sign_in()
        if self.window is not None:
            self.window.close()
            self.window.deleteLater()
            self.window = None

    def _on_sent_away(self, why: str) -> None:
        if self.window is None:
            return
        self._on_signed_out()
        if self.sign_in is not None:
            self.sign_in.say_why(why)

    def _ask_portal(self) -> None:
        if self.background is None or "poll" in self._asking:
            return
        self._asking.add("poll")
        self.background.ask(registration.poll).then(
            self, self._on_polled, failed=lambda _: self._on_polled(None), quiet=True
        )

    def _on_polled(self, report: registration.PollReport | None) -> None:
        self._asking.discard("poll")
        usual = round(self.settings.poll_seconds * 1000)
        reached = report is not None and report.reachable
        # A portal that is down is not helped by ten desks knocking twice a second.
        slower = min(round(SLOWEST_POLL_SECONDS * 1000), max(usual, self._poll.interval() * 2))
        self._poll.setInterval(max(100, usual) if reached else slower)

    def _keep_house(self) -> None:
        self._bear_witness()
        if self.background is not None:
            self.background.ask(rounds.keep_dates).then(
                self, lambda _: None, failed=lambda _: None, quiet=True
            )
            self.background.ask(backups.make_nightly).then(
                self, self._on_copied, failed=self._on_not_copied, quiet=True
            )

    def _on_copied(self, _made: object) -> None:
        self._copy_trouble = ""

    def _on_not_copied(self, problem: ConsoleError) -> None:
        # It is tried every few minutes; whoever is signed in is told once, and Diagnostics goes on.
        if self.window is not None and str(problem) != self._copy_trouble:
            self.window.toasts.say(str(problem), icon="alert")
            self._copy_trouble = str(problem)

    def _bear_witness(self) -> None:
        if self.background is not None:
            self.background.ask(trail_proof.remember).then(self, lambda _: None, quiet=True)

    def _send_courier(self) -> None:
        if self.background is None or "courier" in self._asking:
            return
        self._asking.add("courier")
        self.background.ask(rounds.carry_all).then(
            self, self._on_courier_back, failed=self._on_courier_back, quiet=True
        )

    def _on_courier_back(self, _came_of_it: object) -> None:
        self._asking.discard("courier")


def run(
    settings: Settings, furnish: Callable[[], Furnishing], plan: TrainingPlan | None = None
) -> int:
    """Show the console until it is closed, and answer its exit status or BEGIN_AFRESH."""
    app = application()
    sweeper = Sweeper(app)
    crash = CrashHandler(CrashLog(log_folder()))
    crash.install()
    console = Console(settings, furnish, plan=plan)
    console.open()
    try:
        return QApplication.exec()
    finally:
        sweeper.stop()
        console.close()
        crash.uninstall()

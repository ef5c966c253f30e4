"""The member page: it answers a call without a click."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal
from uuid import uuid4

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from console.background import Background, DatabaseAway
from console.domain.errors import ConsoleError
from console.domain.members import AlertKind
from console.domain.money import Money
from console.domain.registration import RegistrationState
from console.services import contact, members
from console.services.calls import CallState
from console.services.contact import ContactChanged
from console.services.member_page import AccountRow, MemberPage, NextAct, NextStep
from console.views import theme
from console.views.arrangements import ArrangementsPanel
from console.views.autopay import AutoPayPanel
from console.views.calls import CallerPanel
from console.views.contact import ContactSheet
from console.views.correction import CorrectionDialog
from console.views.explanation import ExplainPanel
from console.views.flash import flash
from console.views.ledger import LedgerSheet
from console.views.member_accounts import AccountsPanel
from console.views.member_alerts import AlertSheet
from console.views.member_header import MemberHeader
from console.views.member_payments import MemberPayments
from console.views.member_portal import PortalCard
from console.views.methods import MethodsPanel
from console.views.next_step import NextStepBar
from console.views.notes import NoteField
from console.views.notices import NoticesPanel
from console.views.payment_sheet import PaymentSheet
from console.views.payment_state import open_in_browser
from console.views.presence import Company
from console.views.screen import Screen
from console.views.theme import GRID
from console.views.timeline import Timeline
from console.views.toasts import say
from console.views.verification import VerificationPanel
from console.views.widgets import EmptyPlace

Form = Literal["correction", "contact", "note"]
"""What is filled in on a member's page; a draft of it can be gone on with."""

NARROW_BELOW = 680
"""Below this width, at 100 % text, the timeline stands under the rest, not beside it."""
LOW_BELOW = 500
"""Below this height, at 100 % text, all but the name and the next step scrolls as one."""


class MemberScreen(Screen):
    """One member: who it is, what to know first, what to do now, what happened."""

    titled = Signal(str)
    """The name to write on the tab."""
    call_changed = Signal(object)
    """The call as it stands after what was done here."""

    def __init__(self, background: Background, member_id: int) -> None:
        super().__init__(background)
        self.member_id = member_id
        self.shows = frozenset({f"member:{member_id}"})
        self.setAccessibleName("Member")
        self.page_shown: MemberPage | None = None
        self._call: CallState | None = None
        self._call_asked: tuple[str | None, bool] = (None, False)
        self._wanted_account = ""
        self._loading = False
        self._again = False
        self._taken_up: Form | None = None
        self._asked_at_portal = ""
        self._own_looks: set[str] = set()
        self._fitted: tuple[bool, bool] | None = None
        self.company = Company(background, member_id)
        self.header = MemberHeader(background.desk.settings.zone, self.company)
        self.step = NextStepBar()
        self.caller = CallerPanel(background, member_id)
        self.accounts = AccountsPanel(background)
        self.payments = MemberPayments(background, member_id)
        self.open_url: Callable[[str], None] = open_in_browser
        self.explain = ExplainPanel(background)
        self.verification = VerificationPanel(background)
        self.portal = PortalCard(background)
        self.methods = MethodsPanel(background)
        self.autopay = AutoPayPanel(background)
        self.arrangements = ArrangementsPanel(background)
        self.notices = NoticesPanel(background)
        self.timeline = Timeline(background)
        self.note = NoteField(background, member_id)
        self.timeline.body.addWidget(self.note)
        self._lay_out()
        self.caller.call_changed.connect(self._on_call_answer)
        self.accounts.chosen.connect(self._on_account)
        self.payments.payment_wanted.connect(self.open_payment)
        self.accounts.detail.add_act(self.payments.take)
        self.payments.ledger_wanted.connect(self.open_ledger)
        self.payments.opened.connect(self.show_payment)
        self.step.taken.connect(self._on_step)
        self.explain.correction_wanted.connect(self.open_correction)
        self.header.alerts_wanted.connect(self.open_alerts)
        self.header.contact_wanted.connect(self.open_contact)
        self.header.correction_wanted.connect(self.open_correction)
        self.header.show_what_may_be_done(self._may)

    # What it does

    def expect(self, name: str) -> None:
        """Show the name that is known already, until the page is there."""
        self.header.expect(name)

    def take_up(self, form: Form) -> None:
        """Open a form whose words are still there, as soon as the page is."""
        if self.page_shown is None:
            self._taken_up = form
        elif form == "correction":
            self.open_correction()
        elif form == "contact":
            self.open_contact()
        else:
            self.note.text.setFocus()

    def look_again(self) -> None:
        """Read everything afresh: the database was away."""
        self.clear_problem()
        if self._asked_at_portal:
            self.verification.problem.say("")
            self.verification.refresh()
        self.load()

    def load(self) -> None:
        """Ask for the page; only the first look is written on the trail."""
        if self._loading:
            self._again = True
            return
        self._loading = True
        use_case = members.look_up if self.page_shown is None else members.refresh
        call = self._own_call()
        self._call_asked = _asked(call)
        self.background.ask(use_case, self.member_id, call.id if call else None).then(
            self, self.show_page, failed=self._on_load_failed
        )

    def show_page(self, page: MemberPage) -> None:
        """Show the member as they stand on file now; focus, cursors and drafts stay."""
        self._loading = False
        self.unread.hide()
        first, before = self.page_shown is None, self.page_shown
        self.page_shown = page
        self.shows = frozenset(
            {f"member:{page.member_id}", *(f"account:{a.number}" for a in page.accounts)}
        )
        self.clear_problem()
        if before is None or before.display_name != page.display_name:
            self.titled.emit(page.display_name)
            self.setAccessibleName(f"Member {page.display_name}")
        self.header.show_page(page)
        self.caller.show_facts(page.facts)
        self.step.show_step(page.next_step, corrected=_corrected_since(page))
        # What a verified caller may hear is uncovered everywhere at once, and what this page has
        # just asked the portal for was there all along: neither is news.
        own_look = before is not None and self._is_own_look(before, page)
        light = before is not None and before.masked == page.masked and not own_look
        self.accounts.show_accounts(
            page.accounts, self._wanted_account or page.next_step.account_number, light=light
        )
        self.payments.show_masked(page.masked)
        self.timeline.show_entries(page.timeline, light=light)
        self._shown_first(True)
        if before is not None:
            for part in self._changed(before, page, own_look=own_look):
                flash(part)
        if first:
            self.payments.load()
            self.company.arrive()
            self.show_call(self._call)
            if self._taken_up is not None:
                self.take_up(self._taken_up)
        if self._again or self._call_asked != _asked(self._own_call()):
            self._again = False
            self.load()

    def show_call(self, call: CallState | None) -> None:
        """Show the call in progress, whoever it is about."""
        self._call = call
        own = self._own_call()
        self.caller.show_call(call)
        self.header.show_call(own)
        self.note.show_call(own.id if own else None)
        if self.page_shown is not None:
            self.methods.load(self.member_id, own)
        if self.page_shown is not None and self._call_asked != _asked(own):
            self.load()

    def turn_to_account(self, number: str) -> None:
        """Show one of the member's accounts, as soon as the page is there."""
        self._wanted_account = number
        if self.page_shown is not None:
            self.accounts.choose(number)

    def open_alerts(self) -> AlertSheet | None:
        """Open the sheet on which alerts are raised and cleared."""
        if self.page_shown is None:
            return None
        sheet = AlertSheet(self, self.background, self.member_id, self.page_shown.alerts)
        sheet.raised.connect(self._on_alert_raised)
        sheet.cleared.connect(self._on_alert_cleared)
        sheet.open()
        return sheet

    def open_contact(self) -> ContactSheet | None:
        """Open the sheet on which the contact details are changed."""
        if self.page_shown is None:
            return None
        own = self._own_call()
        sheet = ContactSheet(
            self,
            self.background,
            self.page_shown,
            own.id if own else None,
            call_verified=own is not None and own.verified,
        )
        sheet.changed.connect(self._on_contact_changed)
        self.company.begin_editing("contact details")
        sheet.finished.connect(self.company.end_editing)
        sheet.open()
        return sheet

    def open_payment(self, shares: Mapping[str, Money] | None = None) -> PaymentSheet | None:
        """Open the sheet on which a payment is taken; `shares` are amounts agreed on before."""
        account = self.accounts.account
        if self.page_shown is None or account is None:
            return None
        own = self._own_call()
        sheet = PaymentSheet.of_page(
            self,
            self.background,
            self.page_shown,
            own.id if own else None,
            account.number,
            shares,
            open_url=self.open_url,
        )
        return self._open_payment_sheet(sheet)

    def show_payment(self, payment_id: str) -> PaymentSheet | None:
        """Open the sheet on which a payment that was taken already is shown as it stands."""
        if self.page_shown is None:
            return None
        sheet = PaymentSheet(
            self,
            self.background,
            member_id=self.member_id,
            member_name=self.page_shown.display_name,
            payment_id=payment_id,
            open_url=self.open_url,
        )
        return self._open_payment_sheet(sheet)

    def _open_payment_sheet(self, sheet: PaymentSheet) -> PaymentSheet:
        sheet.again_wanted.connect(self.open_payment)
        self.company.begin_editing("a payment")
        sheet.finished.connect(self.company.end_editing)
        sheet.open()
        return sheet

    def open_ledger(self) -> LedgerSheet | None:
        """Open the ledger of the account that is chosen."""
        account = self.accounts.account
        if self.page_shown is None or account is None or self.page_shown.masked:
            return None
        sheet = LedgerSheet(self, self.background, account.number)
        sheet.open()
        return sheet

    def open_correction(self) -> CorrectionDialog | None:
        """Open the sheet on which the name on file is corrected."""
        account = self.accounts.account
        if self.page_shown is None or account is None:
            return None
        own = self._own_call()
        sheet = CorrectionDialog(
            self,
            self.background,
            self.page_shown,
            account,
            own.id if own else None,
            call_verified=own is not None and own.verified,
            typed=self.explain.typed_name.text(),
        )
        self.company.begin_editing("name")
        sheet.finished.connect(self.company.end_editing)
        sheet.open()
        return sheet

    # Qt overrides

    def closeEvent(self, event: QCloseEvent) -> None:
        self.company.depart()
        super().closeEvent(event)

    def minimumSizeHint(self) -> QSize:
        # Wrapped lines would otherwise ask for the height they need at their narrowest.
        return QSize(320, 240)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # How it is put together

    def _lay_out(self) -> None:
        self.page.setContentsMargins(0, 0, 0, 0)
        self.page.setSpacing(0)
        self.page.removeWidget(self.problem)
        self._left = QWidget()
        self._column = QVBoxLayout(self._left)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2 * GRID)
        for part in (
            self.caller,
            self.accounts,
            self.payments,
            self.explain,
            self.verification,
            self.portal,
            self.methods,
            self.autopay,
            self.arrangements,
            self.notices,
        ):
            self._column.addWidget(part)
        self.caller.setVisible(self._may)  # who only looks is not called by anybody
        self._column.addStretch(1)
        self._scrolled = inside = QWidget()
        self._inside = QBoxLayout(QBoxLayout.Direction.LeftToRight, inside)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(2 * GRID)
        self._inside.addWidget(self._left, 4)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setWidget(inside)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._body = QWidget()
        self._beside = QHBoxLayout()
        self._beside.setSpacing(GRID)
        self._beside.addWidget(self.area, 4)
        self._beside.addWidget(self.timeline, 3)
        whole = QVBoxLayout(self._body)
        whole.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        whole.setSpacing(2 * GRID)
        self.unread = EmptyPlace("offline", "")
        self.unread.hide()
        whole.addWidget(self.problem)
        whole.addWidget(self.unread, 1)
        self.unread.say(
            "This page cannot be read just now.",
            "It comes by itself as soon as the database answers.",
        )
        whole.addWidget(self.step)
        whole.addWidget(self.payments.open_box)
        whole.addLayout(self._beside, 1)
        self.page.addWidget(self.header)
        self.page.addWidget(self._body, 1)
        self._shown_first(False)
        theme.current().changed.connect(self._fit)
        # Everything focused by key is brought into sight.
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)

    def _shown_first(self, there: bool) -> None:
        for part in (self.step, self.area, self.timeline):
            part.setVisible(there)

    def _fit(self) -> None:
        look = theme.current()
        narrow = self.width() < look.px(NARROW_BELOW)
        low = self.height() < look.px(LOW_BELOW)
        if (narrow, low) == self._fitted:
            return
        self._fitted = narrow, low
        # Where there is little room everything under the name and the next step scrolls as one.
        one = narrow or low
        for layout in (self._beside, self._inside):
            layout.removeWidget(self.timeline)
        (self._inside if one else self._beside).addWidget(self.timeline, 3)
        self.timeline.setMinimumHeight(look.px(420) if one else 0)
        way = QBoxLayout.Direction
        self._inside.setDirection(way.TopToBottom if narrow else way.LeftToRight)
        if one:
            self._column.insertWidget(0, self.header.reach)
        else:
            self.header.page.addWidget(self.header.reach)

    @property
    def _may(self) -> bool:
        return self.background.desk.colleague.role.changes_the_file

    def _is_own_look(self, before: MemberPage, now: MemberPage) -> bool:
        """Whether this page differs by the portal's answer to what it asked when it was opened."""
        asked = {account.number: account.portal.refreshed_at for account in before.accounts}
        heard = {
            account.number
            for account in now.accounts
            if account.portal.refreshed_at not in (None, asked.get(account.number))
        }
        own = self._own_looks & heard
        self._own_looks -= own
        return bool(own)

    def _changed(self, before: MemberPage, now: MemberPage, *, own_look: bool) -> list[QWidget]:
        """List what shows something else than before, other than by being masked or not."""
        header = self.header
        parts: list[QWidget] = []
        if (before.name, before.given_names) != (now.name, now.given_names):
            parts += [header.given, header.name]
        if before.alerts != now.alerts:
            parts.append(header.alerts)
        if before.holders != now.holders:
            parts.append(header.holders)
        if before.masked == now.masked:
            parts += [
                line
                for line, was, is_ in (
                    (header.phone, before.phone, now.phone),
                    (header.second_phone, before.second_phone, now.second_phone),
                    (header.email, before.email, now.email),
                    (header.mailing, before.mailing_address, now.mailing_address),
                )
                if was != is_
            ]
            parts += self._changed_account(
                {account.number: account for account in before.accounts}, own_look=own_look
            )
        return parts

    def _changed_account(
        self, before: Mapping[str, AccountRow], *, own_look: bool
    ) -> list[QWidget]:
        account = self.accounts.account
        was = before.get(account.number) if account is not None else None
        if account is None or was is None or was == account:
            return []
        parts: list[QWidget] = []
        asked = account.portal.refreshed_at  # when it was asked last is nobody's change
        if replace(was.portal, refreshed_at=asked) != account.portal and not own_look:
            parts += [self.verification, self.portal]
        if replace(was, portal=account.portal) != account:
            parts.append(self.accounts.detail)
        return parts

    def _own_call(self) -> CallState | None:
        call = self._call
        return call if call is not None and call.member_id == self.member_id else None

    # What happens

    def _on_load_failed(self, problem: ConsoleError) -> None:
        self._loading = False
        self._again = False
        if not isinstance(problem, DatabaseAway):
            self.show_problem(problem)
        elif self.page_shown is None:
            self.unread.show()  # the banner over the page says the rest

    def _on_call_answer(self, call: CallState) -> None:
        self.show_call(call)
        self.call_changed.emit(call)

    def _on_account(self, account: AccountRow | None) -> None:
        if account is None:
            for part in (
                self.verification, self.portal, self.autopay, self.arrangements, self.notices,
            ):  # fmt: skip
                part.hide()
        # Once the portal has taken a registration there is no refusal to explain.
        self.explain.setVisible(
            account is not None and account.portal.state is RegistrationState.NONE
        )
        if account is not None and self.page_shown is not None:
            own = self._own_call()
            if account.number != self._asked_at_portal:
                self._asked_at_portal = account.number
                self._own_looks.add(account.number)
            self.explain.show_account(self.page_shown, account, own.id if own else None)
            self.verification.show_account(self.page_shown, account, own.id if own else None)
            self.portal.show_account(self.page_shown, account)
            for panel in (self.autopay, self.arrangements, self.notices):
                panel.show_account(
                    self.page_shown,
                    account,
                    own.id if own else None,
                    call_verified=own is not None and own.verified,
                )

    def _on_step(self, step: NextStep) -> None:
        if step.account_number:
            self.accounts.choose(step.account_number)
        match step.act:
            case NextAct.VERIFY_CALLER:
                self.caller.go_to_first()
            case NextAct.EXPLAIN_REFUSAL:
                self._go_to_explanation()
            case NextAct.CORRECT_EMAIL:
                self._bring_up(self.verification)
                self.verification.go_to_address()
            case NextAct.RESEND:
                self._bring_up(self.verification)
                self.verification.resend.trigger()
            case NextAct.READ_PASSWORD_RULE:
                self.verification.open_password_rule()

    def _go_to_explanation(self) -> None:
        explain = self.explain
        explain.show()
        if explain.typed_name.text().strip() and explain.read_button.isEnabled():
            explain.read_button.setFocus()
        else:
            explain.ask_what_was_typed()
        self._bring_up(explain)

    def _bring_up(self, part: QWidget) -> None:
        # The whole of it, not only what has the focus.
        top = part.mapTo(self._scrolled, QPoint(0, 0)).y()
        self.area.verticalScrollBar().setValue(top)

    def _on_alert_raised(self, kind: AlertKind, alert_id: int) -> None:
        say(
            self,
            f"The alert “{kind.words}” stands.",
            lambda: self.background.ask(members.clear_alert, alert_id).then(self, _nothing),
        )

    def _on_alert_cleared(self, kind: AlertKind, alert_id: int) -> None:
        say(
            self,
            f"The alert “{kind.words}” is cleared.",
            lambda: self.background.ask(members.restore_alert, alert_id).then(self, _nothing),
        )

    def _on_contact_changed(self, changed: ContactChanged) -> None:
        undo_id = str(uuid4())
        say(
            self,
            changed.words,
            lambda: self.background.ask(contact.undo_change, undo_id, changed.id).then(
                self, lambda undone: say(self, undone.words, icon="undo")
            ),
        )

    def _on_focus(self, _old: QWidget | None, new: QWidget | None) -> None:
        if new is not None and self._left.isAncestorOf(new):
            self.area.ensureWidgetVisible(new, 0, 3 * GRID)


def _corrected_since(page: MemberPage) -> bool:
    """Whether the name was corrected after the refusal that the next step is about."""
    number = page.next_step.account_number
    tries = [a.at for row in page.accounts if row.number == number for a in row.portal.attempts]
    corrected = [entry.at for entry in page.timeline if entry.correction_id]
    return bool(corrected) and (not tries or max(corrected) > max(tries))


def _nothing(_done: None) -> None:
    # The page reloads by itself once the change is announced.
    return


def _asked(call: CallState | None) -> tuple[str | None, bool]:
    return (call.id, call.verified) if call else (None, False)

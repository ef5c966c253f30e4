from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from console.clients.portal import NoticeChannel, Portal
from console.domain.contact import Asked
from console.domain.courier import ErrandKind, ErrandState
from console.domain.notices import BadNotice, Event, Wanted
from console.models.accounts import Account
from console.models.courier import Errand
from console.models.members import Member
from console.services import courier, notices, preferences
from console.services.desk import LooksOnly
from console.services.notices import NotAsked, NoticesChangedMeanwhile, NoticeWish
from tests import town as outside
from tests.office import ANA, SAM, trail

NUMBER = "1023401"
TEXT = Wanted(by_text=True)


@pytest.fixture
def town(desk, portal):
    return outside.found(desk, portal)


def wish(stands, changed=None, paperless=None, **other):
    asked = {"asked": Asked.IN_PERSON, **other}
    return NoticeWish(str(uuid4()), NUMBER, stands.version, changed or {}, paperless, **asked)


def at_portal(desk):
    held = desk.portal.preferences(NUMBER, staff="pat")
    return held, {name: how.value for name, how in held.notices.items()}


def member_chooses(desk, **channels):
    """Change something at the portal, as the member does."""
    paperless = channels.pop("paperless", None)
    held, _ = at_portal(desk)
    chosen = {**held.notices, **{name: NoticeChannel(how) for name, how in channels.items()}}
    paper = held.paperless if paperless is None else paperless
    desk.portal.change_preferences(replace(held, notices=chosen, paperless=paper), staff="member")


def wanted(desk, event):
    return notices.of_account(desk, NUMBER).wanted[event]


def many(desk, *which):
    with desk.records.read() as db:
        return db.scalar(select(func.count()).select_from(Errand).where(*which))


def test_what_the_member_chose_at_the_portal_is_read_into_the_file(desk, town):
    before = notices.of_account(desk, NUMBER)
    assert (before.version, before.is_in_step) == (0, False)
    assert not any(line.is_known for line in before.lines)
    member_chooses(desk, outage="text", bill_ready="both", usage_alert="none", paperless=True)
    stands = notices.refresh(desk, NUMBER)
    assert stands.wanted[Event.OUTAGE] == TEXT
    assert stands.wanted[Event.BILL_READY] == Wanted(by_email=True, by_text=True)
    assert stands.wanted[Event.HIGH_USAGE] == Wanted()
    assert (stands.paperless, stands.is_in_step) == (True, True)
    assert stands.words == "In step with SmartHub, read today 10:42."
    again = notices.refresh(desk, NUMBER)
    assert again.version == stands.version, "nothing new is no new version"


def test_a_change_stands_here_and_at_the_portal(desk, town):
    stands = notices.refresh(desk, NUMBER)
    changed = notices.change(desk, wish(stands, {Event.OUTAGE: TEXT}, paperless=True))
    assert (changed.wanted[Event.OUTAGE], changed.paperless) == (TEXT, True)
    assert changed.is_in_step
    held, channels = at_portal(desk)
    assert (channels["outage"], channels["bill_ready"]) == ("text", "email")
    assert held.paperless
    with desk.records.read() as db:
        assert db.get(Account, NUMBER).paperless
    assert trail(desk) == ["preferences:changed", "preferences:published"]


def test_what_the_portal_does_not_know_stays_in_the_office(desk, town):
    stands = notices.refresh(desk, NUMBER)
    changed = notices.change(desk, wish(stands, {Event.PAST_DUE: TEXT}))
    assert changed.wanted[Event.PAST_DUE] == TEXT
    assert many(desk) == 0
    assert notices.refresh(desk, NUMBER).wanted[Event.PAST_DUE] == TEXT


def test_pressing_twice_changes_once_even_at_the_same_moment(desk, town):
    asked = wish(notices.refresh(desk, NUMBER), {Event.OUTAGE: TEXT})
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: notices.change(desk, asked), range(6)))
    assert many(desk) == 1
    assert trail(desk).count("preferences:changed") == 1
    assert at_portal(desk)[1]["outage"] == "text"


def test_of_two_desks_the_slower_is_shown_what_stands_and_loses_nothing(desk, town):
    stands = notices.refresh(desk, NUMBER)
    sam = replace(desk, colleague=SAM)
    notices.change(sam, wish(stands, {Event.BILL_READY: TEXT}))
    mine = wish(stands, {Event.OUTAGE: TEXT})
    with pytest.raises(NoticesChangedMeanwhile) as caught:
        notices.change(desk, mine)
    assert caught.value.theirs.wanted[Event.BILL_READY] == TEXT
    notices.change(desk, replace(mine, version=caught.value.theirs.version))
    assert (wanted(desk, Event.BILL_READY), wanted(desk, Event.OUTAGE)) == (TEXT, TEXT)


def test_many_desks_at_the_same_moment_leave_one_change(desk, town):
    stands = notices.refresh(desk, NUMBER)

    def save(_):
        try:
            notices.change(desk, wish(stands, {Event.PAST_DUE: TEXT, Event.OUTAGE: TEXT}))
        except NoticesChangedMeanwhile:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(save, range(6)))
    assert trail(desk).count("preferences:changed") == 1


def test_the_members_own_newer_choice_stays_where_we_changed_nothing(desk, town):
    stands = notices.refresh(desk, NUMBER)
    member_chooses(desk, bill_ready="none", outage="both", paperless=True)
    changed = notices.change(desk, wish(stands, {Event.OUTAGE: TEXT}))
    held, channels = at_portal(desk)
    assert (channels["outage"], channels["bill_ready"], held.paperless) == ("text", "none", True)
    assert changed.wanted[Event.BILL_READY] == Wanted()
    assert (changed.wanted[Event.OUTAGE], changed.paperless) == (TEXT, True)


class Crossed(Portal):
    """Reaches the portal, where the member chooses something between our reading and writing."""

    def __init__(self, portal, choose):
        super().__init__(portal.url, portal.token, "desk 3", deadline=10)
        self._choose = [choose]

    def preferences(self, account_number, *, staff):
        held = super().preferences(account_number, staff=staff)
        if self._choose:
            self._choose.pop()()
        return held


def test_what_the_member_chooses_just_between_is_read_again_and_kept(desk, town, portal):
    stands = notices.refresh(desk, NUMBER)
    with closing(
        Crossed(portal, lambda: member_chooses(desk, bill_ready="none", outage="both"))
    ) as crossed:
        notices.change(replace(desk, portal=crossed), wish(stands, {Event.OUTAGE: TEXT}))
    _, channels = at_portal(desk)
    assert (channels["outage"], channels["bill_ready"]) == ("text", "none")
    after = notices.of_account(desk, NUMBER)
    assert (after.wanted[Event.BILL_READY], after.is_in_step) == (Wanted(), True)


def silent(desk):
    """A desk whose portal answers nobody."""
    portal = type(desk.portal)("http://127.0.0.1:9", "token", "desk 3", deadline=1)
    return replace(desk, portal=portal)


def test_while_the_portal_is_silent_the_change_waits_and_reading_does_not_undo_it(
    desk, town, clock
):
    stands = notices.refresh(desk, NUMBER)
    waiting = notices.change(silent(desk), wish(stands, {Event.OUTAGE: TEXT}))
    assert not waiting.is_in_step
    assert "On its way to SmartHub." in waiting.words
    member_chooses(desk, outage="both", bill_ready="none")
    read = notices.refresh(desk, NUMBER)
    assert read.wanted[Event.OUTAGE] == TEXT, "ours is still on its way"
    assert read.wanted[Event.BILL_READY] == Wanted()
    clock.advance(minutes=5)
    assert courier.make_round(desk).carried == 1
    assert at_portal(desk)[1]["outage"] == "text"
    assert notices.of_account(desk, NUMBER).is_in_step


def test_of_two_quick_changes_the_newer_one_wins(desk, town, clock):
    stands = notices.refresh(desk, NUMBER)
    first = notices.change(silent(desk), wish(stands, {Event.OUTAGE: TEXT}))
    notices.change(desk, wish(first, {Event.OUTAGE: Wanted()}))
    clock.advance(minutes=5)
    assert courier.make_round(desk).carried == 1
    assert at_portal(desk)[1]["outage"] == "none"
    assert wanted(desk, Event.OUTAGE) == Wanted()


def test_a_courier_killed_after_the_portal_heard_it_does_no_harm(desk, town, clock):
    stands = notices.refresh(desk, NUMBER)
    notices.change(silent(desk), wish(stands, {Event.OUTAGE: TEXT}))
    clock.advance(minutes=5)
    commits = []

    def dies(_db, touched):
        if "Errand" in touched:
            commits.append(touched)
            if len(commits) == 2:  # the claim was the first
                raise KeyboardInterrupt

    desk.records.before_commit(dies)
    with pytest.raises(KeyboardInterrupt):
        courier.make_round(desk)
    held, channels = at_portal(desk)
    assert channels["outage"] == "text"
    assert many(desk, Errand.state == ErrandState.SENDING) == 1
    member_chooses(desk, bill_ready="text")
    clock.advance(minutes=5)
    assert courier.make_round(desk).carried == 1
    now_held, channels = at_portal(desk)
    assert (channels["outage"], channels["bill_ready"]) == ("text", "text")
    assert now_held.version == held.version + 1, "only the member's own change came on top"
    assert wanted(desk, Event.BILL_READY) == TEXT


def test_an_older_answer_that_comes_late_undoes_nothing(desk, town):
    stands = notices.refresh(desk, NUMBER)
    old, _ = at_portal(desk)
    notices.change(desk, wish(stands, {Event.OUTAGE: TEXT}))
    with desk.records.begin() as db:
        preferences.take(db, desk, old)
    assert wanted(desk, Event.OUTAGE) == TEXT


def test_an_account_the_portal_does_not_know_is_said_so(desk, town):
    with town.portal.store.begin() as db:
        db.execute("DELETE FROM account")
    stands = notices.refresh(desk, NUMBER)
    assert not stands.is_in_step
    changed = notices.change(desk, wish(stands, {Event.OUTAGE: TEXT}))
    assert changed.wanted[Event.OUTAGE] == TEXT
    assert not changed.is_in_step
    assert many(desk, Errand.state == ErrandState.REFUSED) == 1
    assert trail(desk)[-1] == "preferences:not_published"


def test_when_the_portal_is_silent_what_is_on_file_is_shown(desk, town):
    member_chooses(desk, outage="text")
    notices.refresh(desk, NUMBER)
    stands = notices.refresh(silent(desk), NUMBER)
    assert stands.wanted[Event.OUTAGE] == TEXT
    assert not stands.is_in_step
    assert "In step with SmartHub, read today 10:42." in stands.words


def test_what_differs_of_auto_pay_is_said(desk, town):
    assert notices.refresh(desk, NUMBER).auto_pay_words == ""
    with town.portal.store.begin() as db:
        db.execute("UPDATE account SET auto_pay = 1")
    assert notices.refresh(desk, NUMBER).auto_pay_words == (
        "SmartHub shows Auto Pay as on; here it is off."
    )


def test_what_could_never_arrive_and_who_may_not_ask_is_refused(desk, town):
    stands = notices.refresh(desk, NUMBER)
    with pytest.raises(NotAsked):
        notices.change(desk, wish(stands, {Event.OUTAGE: TEXT}, asked=Asked.CALLER_VERIFIED))
    with pytest.raises(LooksOnly):
        notices.change(replace(desk, colleague=ANA), wish(stands, {Event.OUTAGE: TEXT}))
    with desk.records.begin() as db:
        member = db.get(Member, town.rose)
        member.phone = member.email = ""
    for bad in (wish(stands, {Event.OUTAGE: TEXT}), wish(stands, paperless=True)):
        with pytest.raises(BadNotice):
            notices.change(desk, bad)
    assert many(desk) == 0


def test_who_only_looks_sees_the_portals_answer_without_writing(desk, town):
    notices.refresh(replace(desk, colleague=ANA), NUMBER)
    assert notices.of_account(desk, NUMBER).version == 0


def test_the_errand_goes_to_the_portal():
    assert ErrandKind.PUT_PREFERENCES.way.value == "portal"

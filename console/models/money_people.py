"""Who may move money on a PostgreSQL database, whatever they write there with psql.

`money_moves` says how money moves at all. Who it was, only a server with a login for each person
can tell: a desk asks, the courier alone says what the gateway did, and supervisors decide.
"""
# ruff: noqa: S608  # every statement is put together from names of our own; nothing was typed

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from console.models.money_moves import NOT_WHOLE
from console.models.roles import (
    ADMINISTRATOR_SAYS,
    APPROVES,
    COURIER,
    COURIER_SAYS,
    at_the_end,
    before,
    refuses,
    rule,
)
from console.models.row_rules import what_is_spoken

HANDLERS: Final = ("console_clerk", "console_supervisor", "console_administrator")
"""Who may have a drawer."""
APPROVERS: Final = ("console_supervisor", "console_administrator")

GATEWAY_SAYS: Final = (
    "payment:declined", "payment:not_known", "payment:abandoned", "payment:under_review",
    "receipt:sent", "receipt:not_sent", "pay_link:sent", "pay_link:not_sent",
    "refund:refused", "refund:under_review", "method:stored", "method:not_stored",
    "auto_pay:run", "auto_pay:skipped", "preferences:published", "preferences:not_published",
    "authorization:sent", "authorization:not_sent",
)  # fmt: skip
"""What is heard from the gateway, the mail or the portal; only a courier speaks to them."""
GIVEN_BY_HAND: Final = ("payment:charged", "refund:given")
"""A courier says these too, and otherwise only who handed the money over at the counter."""
HANDLERS_SAY: Final = (
    "payment:voided", "drawer:opened", "drawer:moved", "drawer:counted", "drawer:closed",
)  # fmt: skip
APPROVERS_SAY: Final = (
    "payment:decided", "refund:asked", "refund:approved", "refund:called_off",
    "mismatch:cleared",
)  # fmt: skip


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"'{one}'" for one in words)


def _is_one_of(groups: Sequence[str]) -> str:
    asked = " OR ".join(f"pg_has_role(session_user, '{one}', 'MEMBER')" for one in groups)
    return f"({asked})"


_IS_COURIER: Final = _is_one_of((COURIER,))
_HANDLES: Final = _is_one_of(HANDLERS)
_IN_CALL: Final = """
EXISTS (SELECT 1 FROM call c WHERE c.id = NEW.call_id AND c.staff = session_user
  AND c.member_id = NEW.member_id AND c.member_began AND c.verified_at IS NOT NULL
  AND c.ended_at IS NULL)"""
_OWN_DRAWER: Final = """
EXISTS (SELECT 1 FROM drawer d WHERE d.id = NEW.drawer_id AND d.clerk = session_user
  AND d.closed_at IS NULL)"""
_OF_NOW: Final = "xmin = pg_current_xact_id()::xid"
_ASKED_NOW: Final = """
NEW.asked_at BETWEEN clock_timestamp() - interval '1 hour'
  AND clock_timestamp() + interval '5 minutes'"""
_COUNTS_NOW: Final = """
NEW.counts_on := least(greatest(coalesce(NEW.counts_on, current_date), current_date - 1),
  current_date + 1);"""
"""Nobody dates money back: the day is the database's own, give or take a zone."""
_UNSENT: Final = """
NEW.sends = 0 AND NOT NEW.was_answered AND NEW.leased_by = '' AND NEW.leased_until IS NULL
  AND NEW.gateway_id = '' AND NEW.code = '' AND NEW.answer = '' AND NEW.first_sent_at IS NULL
  AND NEW.last_sent_at IS NULL AND NEW.settled_at IS NULL AND NEW.finished_at IS NULL
  AND NEW.counts_on IS NULL AND NEW.next_try_at < clock_timestamp() + interval '1 day'"""
_SAID: Final = ("state", "answer", "code", "gateway_id", "finished_at", "counts_on", "settled_at")
"""What of a payment speaks for the gateway."""
_AS_BEFORE: Final = " AND ".join(f"OLD.{one} IS NOT DISTINCT FROM NEW.{one}" for one in _SAID)
_SAYS_NO_MORE: Final = "(OLD.gateway_id, OLD.code) = (NEW.gateway_id, NEW.code)"
_DECIDED: Final = f"""
OLD.state = 'review' AND NEW.state IN ('charged', 'declined') AND {APPROVES}
  AND NEW.settled_at IS NULL AND EXISTS (SELECT 1 FROM review_decision d
    WHERE d.id = NEW.id AND d.decided_by = session_user AND d.{_OF_NOW}
    AND NEW.gateway_id IN (OLD.gateway_id, d.gateway_id)
    AND d.verdict = CASE NEW.state WHEN 'charged' THEN 'charged' ELSE 'not_charged' END)"""
_COURIER_MAY_NOT: Final = f"""
IF {_IS_COURIER} THEN
  IF OLD.state = 'review' AND NEW.state <> OLD.state
    OR NEW.state = 'charged' AND OLD.state = 'intent' THEN
    {refuses("only a supervisor decides this")};
  ELSIF NEW.state = 'charged' AND NEW.gateway_id = '' THEN
    {refuses("what was charged has a name at the gateway")};
  END IF;
  RETURN NEW;
END IF;"""
_DRAWER_PAYMENTS: Final = """
FROM payment p WHERE p.drawer_id = OLD.id AND p.state = 'charged' AND NOT EXISTS (
  SELECT 1 FROM payment_return v WHERE v.payment_id = p.id AND v.kind = 'void')"""
_CONTENTS: Final = f"""
OLD.opening_cash
  + (SELECT coalesce(sum(p.amount), 0) {_DRAWER_PAYMENTS} AND p.way = 'cash')
  - (SELECT coalesce(sum(r.amount), 0) FROM refund r
    WHERE r.drawer_id = OLD.id AND r.state = 'charged')
  + (SELECT coalesce(sum(m.amount), 0) FROM drawer_movement m WHERE m.drawer_id = OLD.id)"""
_GIVEN_IN_ALL: Final = """
(SELECT coalesce(sum(r.amount), 0) FROM refund r
  WHERE r.payment_id = NEW.payment_id AND r.state NOT IN ('declined', 'abandoned'))"""


def _limit(name: str) -> str:
    return f"(SELECT l.amount FROM money_limit l WHERE l.name = '{name}')"


RULES: Final = (
    # Taking a payment
    rule(
        "payment_is_asked_for",
        f"""
      IF NOT ({_UNSENT}) OR NEW.page_id <> '' OR NEW.page_url <> '' OR NEW.charge_id <> ''
        OR NEW.page_expires_at IS NOT NULL OR NEW.shut_asked OR NOT ({_ASKED_NOW}) THEN
        {refuses("a payment begins now, and unsent")};
      ELSIF (NEW.origin = 'auto_pay') <> {_IS_COURIER} THEN
        {refuses("only a courier runs Auto Pay")};
      ELSIF NEW.origin = 'call' AND NOT {_IN_CALL} THEN
        {refuses("money is taken in a call that the member began, from a verified caller")};
      ELSIF NEW.origin = 'counter' AND (NEW.way NOT IN ('page', 'cash', 'cheque')
        OR NOT {_HANDLES}) THEN
        {refuses("only a clerk takes money at the counter, by card, cash or cheque")};
      ELSIF (NEW.way IN ('cash', 'cheque')) <> (NEW.drawer_id IS NOT NULL)
        OR NEW.drawer_id IS NOT NULL AND NOT {_OWN_DRAWER} THEN
        {refuses("cash and cheques go into a drawer of one''s own")};
      ELSIF NEW.amount > {_limit("largest_payment")} THEN
        {refuses("this is more than the office takes at once")};
      ELSIF (NEW.way = 'stored') <> (NEW.method_id IS NOT NULL)
        OR NEW.method_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM stored_method m
          WHERE m.id = NEW.method_id AND m.member_id = NEW.member_id AND m.removed_at IS NULL) THEN
        {refuses("this method is another member''s, or gone")};
      END IF;""",
    ),
    before("payment", "INSERT", "payment_is_asked_for"),
    rule(
        "payment_is_agreed",
        f"""
      IF NEW.amount <> (SELECT coalesce(sum(s.amount), 0) FROM payment_share s
        WHERE s.payment_id = NEW.id) THEN
        {refuses(NOT_WHOLE)};
      ELSIF NEW.way IN ('cash', 'cheque')
        AND EXISTS (SELECT 1 FROM payment p WHERE p.id = NEW.id AND p.state = 'intent') THEN
        {refuses("what is handed over is taken at once")};
      ELSIF NEW.way = 'bank' AND (
        NOT EXISTS (SELECT 1 FROM method_token t WHERE t.id = NEW.id AND t.token <> '')
        OR NOT EXISTS (SELECT 1 FROM phone_authorization a WHERE a.id = NEW.id
          AND (btrim(a.recording) <> '' OR btrim(a.notice_to) <> ''))) THEN
        {refuses("a bank account is debited with the caller''s authorization")};
      ELSIF NEW.origin = 'auto_pay' AND NOT EXISTS (
        SELECT 1 FROM auto_pay_run r JOIN auto_pay a ON a.id = r.auto_pay_id
        JOIN payment_share s ON s.payment_id = NEW.id AND s.account_number = a.account_number
        WHERE r.id = NEW.id AND r.account_number = a.account_number AND a.ended_at IS NULL
        AND a.member_id = NEW.member_id AND a.method_id = NEW.method_id
        AND s.amount = NEW.amount AND NEW.amount <= coalesce(a.most, NEW.amount)) THEN
        {refuses("Auto Pay takes what was agreed on")};
      END IF;""",
        definer=True,
    ),
    at_the_end("payment", "INSERT", "payment_is_agreed"),
    rule(
        "payment_is_moved_by",
        f"""
      {_COURIER_MAY_NOT}
      IF {_AS_BEFORE} THEN
        RETURN NEW;
      ELSIF OLD.state = 'intent' AND {_SAYS_NO_MORE} AND (NEW.state = 'abandoned'
          OR NEW.state = 'charged' AND {_OWN_DRAWER}
            AND (NEW.settled_at IS NULL OR NEW.way = 'cash'))
        OR {_DECIDED} THEN
        {_COUNTS_NOW}
        RETURN NEW;
      END IF;
      {refuses("only a courier speaks for the gateway")};""",
    ),
    before("payment", "UPDATE", "payment_is_moved_by"),
    rule(
        "authorization_is_of_now",
        f"""
      IF length(NEW.script) < 40 OR NOT EXISTS (SELECT 1 FROM payment p
          WHERE p.id = NEW.id AND p.member_id = NEW.member_id AND p.way = 'bank' AND p.{_OF_NOW})
        AND NOT EXISTS (SELECT 1 FROM auto_pay a
          WHERE a.id = NEW.id AND a.member_id = NEW.member_id AND a.{_OF_NOW})
        AND NOT EXISTS (SELECT 1 FROM method_request q
          WHERE q.id = NEW.id AND q.member_id = NEW.member_id AND q.{_OF_NOW}) THEN
        {refuses("an authorization is kept with what it was given for")};
      END IF;""",
        definer=True,
    ),
    at_the_end("phone_authorization", "INSERT", "authorization_is_of_now"),
    # A console that gives a bank account to the gateway leaves its name with what it is for, and
    # with nothing that was there before.
    rule(
        "method_token_is_of_now",
        f"""
      IF NOT {_IS_COURIER} AND NOT EXISTS (SELECT 1 FROM payment p
          WHERE p.id = NEW.id AND p.way = 'bank' AND p.asked_by = session_user AND p.{_OF_NOW})
        AND NOT EXISTS (SELECT 1 FROM method_request q WHERE q.id = NEW.id AND q.kind = 'add'
          AND q.asked_by = session_user AND q.{_OF_NOW}) THEN
        {refuses("a bank account comes with the payment or the wish it is for")};
      END IF;""",
        definer=True,
    ),
    at_the_end("method_token", "INSERT", "method_token_is_of_now"),
    # What did not last
    rule(
        "payment_return_is_known",
        f"""
      IF (NEW.kind IN ('debit', 'dispute')) <> {_IS_COURIER} THEN
        {refuses("only a courier says what came back at the gateway")};
      ELSIF NEW.kind = 'void' AND NOT EXISTS (SELECT 1 FROM payment p
        JOIN drawer d ON d.id = p.drawer_id WHERE p.id = NEW.payment_id
        AND (d.clerk = session_user OR {APPROVES})) THEN
        {refuses("a void is for one''s own drawer, or a supervisor")};
      ELSIF NEW.kind <> 'void' AND NOT EXISTS (SELECT 1 FROM payment p
        WHERE p.id = NEW.payment_id AND (p.way = 'cheque') = (NEW.kind = 'cheque')
        AND p.way <> 'cash') THEN
        {refuses("only a cheque bounces, and only the gateway''s payments come back there")};
      ELSIF NEW.fee > {_limit("return_fee")} THEN
        {refuses("the fee is more than the office asks")};
      END IF;
      {_COUNTS_NOW}""",
    ),
    before("payment_return", "INSERT", "payment_return_is_known"),
    rule(
        "refund_is_asked_for",
        f"""
      IF NOT ({_UNSENT}) OR NEW.approved_by <> '' OR NEW.approved_at IS NOT NULL
        OR NOT ({_ASKED_NOW}) THEN
        {refuses("a refund begins now, and unsent")};
      ELSIF NOT NEW.needs_second
        AND NEW.amount + {_GIVEN_IN_ALL} > {_limit("refund_alone")} THEN
        {refuses("two people give back more than the limit, in one go or in several")};
      ELSIF NEW.drawer_id IS NOT NULL AND NOT {_OWN_DRAWER} THEN
        {refuses("cash comes out of a drawer of one''s own")};
      ELSIF (NEW.drawer_id IS NULL) <> (SELECT p.way NOT IN ('cash', 'cheque') FROM payment p
        WHERE p.id = NEW.payment_id) THEN
        {refuses("money goes back the way it came")};
      END IF;""",
    ),
    before("refund", "INSERT", "refund_is_asked_for"),
    rule(
        "refund_is_moved_by",
        f"""
      {_COURIER_MAY_NOT}
      IF {_AS_BEFORE} THEN
        RETURN NEW;
      ELSIF OLD.state = 'intent' AND {_SAYS_NO_MORE} AND NEW.settled_at IS NULL
          AND (NEW.state = 'abandoned' OR NEW.state = 'charged' AND {_OWN_DRAWER})
        OR {_DECIDED} THEN
        {_COUNTS_NOW}
        RETURN NEW;
      END IF;
      {refuses("only a courier speaks for the gateway")};""",
    ),
    before("refund", "UPDATE", "refund_is_moved_by"),
    rule(
        "review_is_decided",
        f"""
      IF length(btrim(NEW.evidence)) < 10
        OR NOT EXISTS (SELECT 1 FROM payment p
          WHERE p.id = NEW.id AND p.member_id = NEW.member_id AND p.state = 'review')
        AND NOT EXISTS (SELECT 1 FROM refund r
          WHERE r.id = NEW.id AND r.member_id = NEW.member_id AND r.state = 'review') THEN
        {refuses("a decision is about a case under review, with evidence")};
      END IF;""",
    ),
    before("review_decision", "INSERT", "review_is_decided"),
    rule(
        "review_is_over",
        f"""
      IF EXISTS (SELECT 1 FROM payment p WHERE p.id = NEW.id AND p.state = 'review')
        OR EXISTS (SELECT 1 FROM refund r WHERE r.id = NEW.id AND r.state = 'review') THEN
        {refuses("what is decided is carried out at once")};
      END IF;""",
        definer=True,
    ),
    at_the_end("review_decision", "INSERT", "review_is_over"),
    # Stored methods
    rule(
        "method_request_is_asked_for",
        f"""
      IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'waiting' OR NEW.tries <> 0 OR NEW.leased_by <> '' OR NEW.page_id <> ''
          OR NEW.page_url <> '' OR NEW.finished_at IS NOT NULL OR NEW.answer <> ''
          OR NEW.leased_until IS NOT NULL OR NOT ({_ASKED_NOW}) THEN
          {refuses("a wish begins now, and waiting")};
        ELSIF NEW.kind = 'add' AND (NEW.method_id IS NOT NULL OR NOT {_IN_CALL}) THEN
          {refuses("a method is stored in a call that the member began, for a verified caller")};
        ELSIF NEW.kind = 'remove' AND NOT EXISTS (SELECT 1 FROM stored_method m
          WHERE m.id = NEW.method_id AND m.member_id = NEW.member_id) THEN
          {refuses("this method is another member''s")};
        END IF;
      ELSIF NOT {_IS_COURIER} AND (OLD.state NOT IN ('waiting', 'open') OR NEW.state <> 'shut')
      THEN
        {refuses("only a courier speaks for the gateway")};
      END IF;""",
    ),
    before("method_request", "INSERT OR UPDATE", "method_request_is_asked_for"),
    rule(
        "stored_method_goes",
        f"""
      IF (NEW.removed_at IS NULL) <> (NEW.removed_by = '') THEN
        {refuses("whoever takes a method away signs for it")};
      END IF;""",
    ),
    before("stored_method", "UPDATE", "stored_method_goes"),
    # The drawer
    rule(
        "drawer_is_ones_own",
        f"""
      IF TG_OP = 'INSERT' THEN
        IF NEW.closed_at IS NOT NULL OR NEW.closed_by <> '' OR NEW.opening_cash < 0 THEN
          {refuses("a drawer begins open")};
        END IF;
      ELSIF OLD.clerk <> session_user AND NOT {APPROVES} THEN
        {refuses("this drawer is a colleague''s")};
      ELSIF NEW.closed_at IS NOT NULL THEN
        SELECT {_CONTENTS} INTO cash;
        SELECT count(*), coalesce(sum(p.amount), 0) INTO cheques, cheque_sum
          {_DRAWER_PAYMENTS} AND p.way = 'cheque';
        NEW.expected_cash := coalesce(NEW.expected_cash, cash);
        NEW.expected_cheques := coalesce(NEW.expected_cheques, cheques);
        NEW.expected_cheque_sum := coalesce(NEW.expected_cheque_sum, cheque_sum);
        IF NEW.closed_by <> session_user THEN
          {refuses("whoever counts a drawer signs for it")};
        ELSIF EXISTS (SELECT 1 FROM refund r WHERE r.drawer_id = OLD.id
          AND r.state NOT IN ('charged', 'declined', 'abandoned')) THEN
          {refuses("cash is yet to be given back out of this drawer")};
        ELSIF (NEW.expected_cash, NEW.expected_cheques, NEW.expected_cheque_sum)
          <> (cash, cheques, cheque_sum) THEN
          {refuses("what should be in a drawer is what came in less what went out")};
        ELSIF btrim(NEW.explanation) = ''
          AND (NEW.counted_cash, NEW.counted_cheques, NEW.counted_cheque_sum)
          <> (cash, cheques, cheque_sum) THEN
          {refuses("a difference is explained")};
        END IF;
      END IF;""",
        "cash bigint; cheques bigint; cheque_sum bigint;",
    ),
    before("drawer", "INSERT OR UPDATE", "drawer_is_ones_own"),
    rule(
        "drawer_movement_is_ones_own",
        f"""
      IF NOT {_OWN_DRAWER} THEN
        {refuses("this drawer is a colleague''s")};
      END IF;""",
    ),
    before("drawer_movement", "INSERT", "drawer_movement_is_ones_own"),
    # Promises, Auto Pay and wishes
    rule(
        "promise_is_of_now",
        f"""
      IF NEW.amount <= 0 OR NOT EXISTS (SELECT 1 FROM arrangement a
        WHERE a.id = NEW.arrangement_id AND a.{_OF_NOW}) THEN
        {refuses("promises are made with their arrangement")};
      END IF;""",
        definer=True,
    ),
    before("promise", "INSERT", "promise_is_of_now"),
    rule(
        "arrangement_ends_once",
        f"""
      IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' OR NEW.ended_at IS NOT NULL OR NEW.ended_by <> ''
          OR NOT EXISTS (SELECT 1 FROM account a WHERE a.number = NEW.account_number
            AND a.member_id = NEW.member_id) THEN
          {refuses("an arrangement begins open")};
        END IF;
      ELSIF NEW.state = 'called_off' AND OLD.state <> NEW.state
        AND NEW.ended_by <> session_user THEN
        {refuses("whoever calls an arrangement off signs for it")};
      ELSIF NEW.state = 'called_off' AND {_IS_COURIER} THEN
        {refuses("a courier calls nothing off")};
      END IF;""",
    ),
    before("arrangement", "INSERT OR UPDATE", "arrangement_ends_once"),
    rule(
        "auto_pay_is_agreed",
        f"""
      IF TG_OP = 'INSERT' THEN
        IF NEW.ended_at IS NOT NULL OR NEW.ended_by <> '' OR NOT {_IN_CALL} OR NOT EXISTS (
          SELECT 1 FROM account a JOIN stored_method m ON m.member_id = a.member_id
          WHERE a.number = NEW.account_number AND a.member_id = NEW.member_id
          AND m.id = NEW.method_id AND m.removed_at IS NULL) THEN
          {refuses("Auto Pay is agreed in a call that the member began")};
        ELSIF NEW.day_of_month NOT BETWEEN 1 AND 28 OR NEW.most <= 0 THEN
          {refuses("Auto Pay has a day that every month has, and takes something")};
        END IF;
      ELSIF NOT {_IS_COURIER} AND NEW.ended_by <> session_user THEN
        {refuses("whoever ends Auto Pay signs for it")};
      END IF;""",
    ),
    before("auto_pay", "INSERT OR UPDATE", "auto_pay_is_agreed"),
    rule(
        "notice_preference_fits",
        f"""
      IF NOT EXISTS (SELECT 1 FROM account a WHERE a.number = NEW.account_number
        AND a.member_id = NEW.member_id) THEN
        {refuses("a wish is for an account of the member''s")};
      END IF;""",
    ),
    before("notice_preference", "INSERT", "notice_preference_fits"),
    *(
        before(table, "UPDATE", "version_follows")
        for table in ("arrangement", "auto_pay", "drawer", "stored_method", "notice_preference")
    ),
    # The day
    rule(
        "mismatch_is_cleared",
        f"""
      IF TG_OP = 'INSERT' THEN
        IF NEW.cleared_by <> '' OR NEW.cleared_at IS NOT NULL OR NEW.cleared_words <> '' THEN
          {refuses("a difference begins uncleared")};
        END IF;
      ELSIF OLD.cleared_at IS NOT NULL OR NEW.cleared_at IS NULL
        OR NEW.cleared_by <> session_user OR btrim(NEW.cleared_words) = '' THEN
        {refuses("a difference is cleared once, with what was found out")};
      END IF;""",
    ),
    before("reconciliation_line", "INSERT OR UPDATE", "mismatch_is_cleared"),
    # Letters about money
    rule(
        "errand_is_a_couriers",
        f"""
      IF {_IS_COURIER} AND NEW.kind NOT IN
        ('send_receipt', 'send_pay_link', 'send_notice', 'put_preferences') THEN
        {refuses("a courier asks for nothing of its own")};
      ELSIF NEW.kind = 'send_pay_link' AND NOT {_IS_COURIER} THEN
        {refuses("a pay link goes out when the gateway has made it")};
      ELSIF NEW.kind = 'send_receipt' AND NOT EXISTS (SELECT 1 FROM payment p
        WHERE p.id = NEW.payload::jsonb ->> 'payment' AND p.member_id = NEW.member_id
        AND p.state = 'charged') THEN
        {refuses("a receipt is for a payment of the member''s that was taken")};
      END IF;""",
    ),
    before("errand", "INSERT", "errand_is_a_couriers"),
    # The trail
    what_is_spoken(
        f"""
      ELSIF NEW.action IN ({COURIER_SAYS}, {_listed(GATEWAY_SAYS)}) AND NOT {_IS_COURIER} THEN
        {refuses("only a courier says what the portal or the gateway did")};
      ELSIF NEW.action IN ({_listed(HANDLERS_SAY)}) AND NOT {_HANDLES} THEN
        {refuses("only who may have a drawer says what is done with one")};
      ELSIF NEW.action = 'payment:returned' AND NOT {_HANDLES} AND NOT {_IS_COURIER} THEN
        {refuses("only a clerk or a courier says what came back")};
      ELSIF NEW.action IN ({_listed(APPROVERS_SAY)}) AND NOT {APPROVES} THEN
        {refuses("only a supervisor decides this")};
      ELSIF NEW.action = 'day:reconciled' AND NOT {APPROVES} AND NOT {_IS_COURIER} THEN
        {refuses("only a supervisor or a courier closes a day")};
      ELSIF NEW.action IN ({ADMINISTRATOR_SAYS})
        AND NOT pg_has_role(session_user, 'console_administrator', 'MEMBER') THEN
        {refuses("only an administrator looks after the staff")};"""
    ),
    rule(
        "audit_entry_is_by_hand",
        f"""
      IF NEW.chain = session_user AND NOT {_IS_COURIER}
        AND NOT EXISTS (SELECT 1 FROM payment p JOIN drawer d ON d.id = p.drawer_id
          WHERE NEW.action = 'payment:charged' AND p.member_id = NEW.member_id
          AND p.state = 'charged' AND d.clerk = session_user AND p.{_OF_NOW})
        AND NOT EXISTS (SELECT 1 FROM refund r JOIN drawer d ON d.id = r.drawer_id
          WHERE NEW.action = 'refund:given' AND r.member_id = NEW.member_id
          AND r.state = 'charged' AND d.clerk = session_user AND r.{_OF_NOW}) THEN
        {refuses("only a courier says what the portal or the gateway did")};
      END IF;""",
        definer=True,
    ),
    at_the_end("audit_entry", "INSERT", "audit_entry_is_by_hand").replace(
        "EXECUTE", f"WHEN (NEW.action IN ({_listed(GIVEN_BY_HAND)})) EXECUTE"
    ),
)

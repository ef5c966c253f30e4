"""The callers a newcomer practises on: who they are, what they say, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from console.domain.members import AlertKind, HolderRole, MayAct
from console.domain.registration import Channel, Outcome, RegistrationState
from console.domain.verification import DeliveryStatus


@dataclass(frozen=True)
class Try:
    """One attempt of a story's caller: what was typed, how long ago, and what became of it."""

    minutes: int
    name: str
    account: str = ""
    """The account's own number when empty."""
    outcome: Outcome = Outcome.NAME_MISMATCH
    channel: Channel = Channel.WEB


@dataclass(frozen=True)
class Cast:
    """One made-up member with a story, and where they stand at the portal."""

    title: str
    given: str
    name: str
    says: str
    learn: str
    base: int
    street: str
    town: str
    email: str = ""
    phone: str = "7155550000"
    last_four: str = "4821"
    icon: str = "speak"
    business: bool = False
    tries: tuple[Try, ...] = ()
    state: RegistrationState | None = None
    minutes_ago: int = 0
    deliveries: tuple[tuple[DeliveryStatus, str], ...] = ()
    signed_in: bool = False
    holders: tuple[tuple[str, str, HolderRole, MayAct], ...] = ()
    alerts: tuple[tuple[AlertKind, str], ...] = ()
    former: tuple[str, ...] = ()
    former_address: str = ""
    more_accounts: tuple[tuple[int, str], ...] = ()
    balance: int = 14_210
    past_due: int = 0
    caller: str = ""
    notes: tuple[str, ...] = ()


_QUEUED, _SENT = (DeliveryStatus.QUEUED, ""), (DeliveryStatus.SENT, "")
_DELIVERED = (DeliveryStatus.DELIVERED, "")
_HOUR, _DAY = 60, 24 * 60

CAST: Final = (
    Cast(
        "One name or two words", "Rosalind", "DeLong", "It says my name is wrong. I know how to "
        "spell my own name! D, e, space, L, o, n, g.",
        "The file has it as one word. Read the spelling out, or correct the file when she can "
        "show that it is two.", 10234, "418 Pine Ln", "Kettle Prairie",
        "rosalind.delong@example.com", "7155550147", "4821", "speak",
        tries=(
            Try(9, "De Long", channel=Channel.IOS), Try(4, "de long", channel=Channel.IOS),
        ),
        former_address="12 Oak St",
    ),
    Cast(
        "The curly apostrophe", "Declan", "O'Brien", "My phone keeps telling me the name does not "
        "match. I type O’Brien, like always.",
        "A phone types a curly apostrophe, the file has a straight one. Tell him how to type it.",
        10311, "77 Harbor Rd", "Heron Lake", "declan@example.org", "7155550111", "0392",
        tries=(Try(16, "O’Brien", channel=Channel.ANDROID),),
    ),
    Cast(
        "A couple in the name field", "", "Harold & June Whitcomb", "I put in Whitcomb. What else "
        "would it be?",
        "The old system kept both names in one field. Correct the file: the surname alone, and "
        "June as second holder.", 10402, "2210 Granary Rd", "Nordby", "whitcombs@example.com",
        "7155550122", "7716", tries=(Try(27, "Whitcomb"),),
        holders=(("Whitcomb", "June", HolderRole.SECOND_HOLDER, MayAct.EVERYTHING),),
    ),
    Cast(
        "A farm with its legal form", "", "Prairie Rose Farms LLC", "We are Prairie Rose Farms. "
        "Everybody knows us.",
        "The file ends in LLC. Read it out letter by letter: a space, capital L, L, C.",
        10508, "N4410 County Road Q", "Marsh Landing", "office@prairierose.example", "7155550133",
        "1180", icon="building", business=True,
        tries=(Try(41, "Prairie Rose Farms"), Try(38, "prairie rose farms")),
        holders=(("Lindgard", "Tess", HolderRole.AUTHORIZED, MayAct.EVERYTHING),),
        more_accounts=((10509, "N4416 County Road Q"), (10510, "W882 Silo Dr")), balance=88_240,
        caller="Tess Lindgard of Prairie Rose Farms",
    ),
    Cast(
        "Cut off by the old system", "", "Northern Lakes Veter", "It is Northern Lakes Veterinary "
        "Clinic, as on our sign.",
        "The old system kept twenty characters. Correct the file to the whole name.",
        10617, "903 Market St", "Riverton", "desk@northernlakes.example", "7155550144", "6634",
        icon="building", business=True, tries=(Try(52, "Northern Lakes Veterinary Clinic"),),
        caller="The front desk of Northern Lakes Veterinary Clinic",
    ),
    Cast(
        "The second holder calls", "Gunnar", "Halvorsen", "I am Mary, his wife. I pay the bill, so "
        "I put in my name. I kept mine when we married: Tveit.",
        "Mary is second holder. The portal wants the primary holder's name; she must not be told "
        "more than she may know.", 10733, "55 Sandhill Trl", "Clearbrook", "tveit@example.net",
        "7155550155", "2077", tries=(Try(63, "Tveit"),),
        holders=(("Tveit", "Mary", HolderRole.SECOND_HOLDER, MayAct.EVERYTHING),),
        caller="Mary Tveit",
    ),
    Cast(
        "The decimal point", "Agnes", "Moen", "I typed the account number exactly as it stands on "
        "the bill.",
        "Old bills print a point. The portal wants numerals only.", 10844, "8 Depot St", "Lindale",
        "agnes.moen@example.com", "7155550166", "5521",
        tries=(Try(75, "Moen", "10844.01", Outcome.ACCOUNT_NOT_FOUND),),
    ),
    Cast(
        "With and without the tilde", "Lucía", "Núñez", "It refuses Nunez. My keyboard has no "
        "other letter.",
        "The file has the marks. Tell her how to type them, or correct the file if she prefers it "
        "without.", 10951, "31 Cranberry Ct", "Juniper", "lucia@example.org", "7155550177", "9034",
        tries=(Try(88, "Nunez", channel=Channel.ANDROID),),
    ),
    Cast(
        "Something nobody sees", "Pao", "Xiong", "I copied my name from an e-mail and it looks "
        "exactly the same.",
        "A character without width came along with the copy. Nothing to see: ask him to type it.",
        11063, "640 Orchard Ave", "Elk Crossing", "pao.xiong@example.com", "7155550188", "3319",
        tries=(Try(97, "Xi\u200bong"),),
    ),
    Cast(
        "First and last name", "Walter", "Kessler", "Name is name, no? Walter Kessler.",
        "The portal wants the last name alone.", 11178, "14 Station St", "Dunmore",
        "wkessler@example.net", "7155550199", "8450",
        tries=(Try(120, "Walter Kessler"), Try(118, "Kessler Walter")),
    ),
    Cast(
        "Not who is on file", "Elmer", "Rasmussen", "I moved into Dad's house in March. My name is "
        "Dana Brightwater.",
        "Another person is no spelling fix. A supervisor decides, with papers.",
        11290, "3305 Old Mill Rd", "Quarry Hill", "dana@example.com", "7155550112", "1204",
        tries=(Try(140, "Brightwater"),), caller="Dana Brightwater",
        alerts=((AlertKind.DECEASED, "Daughter called in March; estate not settled yet."),),
    ),
    Cast(
        "Waiting for the e-mail", "Siobhán", "Adeyemi", "It said I would get a password by e-mail. "
        "Nothing came.",
        "It is no password but a link, and it went out. Look in the spam folder first; then send "
        "it again.", 11405, "72 Lake Dr", "Fairhaven", "siobhan@example.com", "7155550113", "7702",
        icon="mail", state=RegistrationState.AWAITING_VERIFICATION, minutes_ago=3 * _HOUR,
        deliveries=(_QUEUED, _SENT, _DELIVERED),
    ),
    Cast(
        "A slip in the address", "Otto", "Baumgartner", "Still no e-mail. I check every hour.",
        "The address ends in gmial.com. Correct it, and the portal sends again.",
        11512, "9 Windmill Way", "Stonefield", "otto.baumgartner@gmial.com", "7155550114", "6120",
        icon="mail-bounced", state=RegistrationState.AWAITING_VERIFICATION, minutes_ago=20 * _HOUR,
        deliveries=(_QUEUED, (
            DeliveryStatus.BOUNCED, "550 5.1.2 The domain gmial.com does not exist"
        )),
    ),
    Cast(
        "The mailbox is full", "Ingrid", "Solberg", "You people never write.",
        "Her mailbox is full. Ask her to make room, or for another address.",
        11630, "118 Birch St", "Granite Bluff", "full.ingrid@example.org", "7155550115", "4410",
        icon="mail-bounced", state=RegistrationState.AWAITING_VERIFICATION, minutes_ago=26 * _HOUR,
        deliveries=(_QUEUED, (DeliveryStatus.BOUNCED, "552 5.2.2 Mailbox full")),
    ),
    Cast(
        "The link ran out", "Marcus", "Okafor", "I pressed the button this morning and it says the "
        "link is no good.",
        "Links live for 72 hours. Send a new one.", 11744, "2001 Ridge Rd", "Pine Barrens",
        "marcus.okafor@example.com", "7155550116", "9958", icon="hourglass",
        state=RegistrationState.AWAITING_VERIFICATION, minutes_ago=4 * _DAY,
        deliveries=(_QUEUED, _SENT, _DELIVERED),
    ),
    Cast(
        "Locked out", "Thora", "Lindqvist", "It says locked. I may have tried the wrong password "
        "once or twice.",
        "Five wrong passwords lock. See what the portal says, and read out the password rule.",
        11851, "5 Ferry Landing", "Turtle Point", "thora@example.net", "7155550117", "3003",
        icon="lock", state=RegistrationState.LOCKED, minutes_ago=9 * _DAY,
        deliveries=(_QUEUED, _SENT, _DELIVERED, (DeliveryStatus.OPENED, "")),
        tries=(Try(33, "Lindqvist", outcome=Outcome.LOCKED),),
    ),
    Cast(
        "All is well", "Beatrice", "Sorensen", "I just wanted to say that it works.",
        "Nothing to do but be glad: verified, and signed in yesterday.", 11962, "27 Meadow Ln",
        "Otter Creek", "beatrice@example.com", "7155550118", "8127", icon="verified",
        state=RegistrationState.VERIFIED, minutes_ago=12 * _DAY, signed_in=True, balance=0,
        deliveries=(_QUEUED, _SENT, _DELIVERED, (DeliveryStatus.OPENED, "")),
        former=("Holm",), notes=("Married in June; the name was changed with the certificate.",),
    ),
    Cast(
        "A life on the line", "Eugene", "Pawlak", "My wife is on oxygen and I had a letter about "
        "the power.",
        "Medical necessity and a disconnect date: alerts stand first for a reason.",
        12077, "W611 Quarry Rd", "Ironwood Bend", "", "7155550119", "5540", icon="medical",
        alerts=(
            (AlertKind.MEDICAL_NECESSITY, "Oxygen concentrator; doctor's letter on file."),
            (AlertKind.DISCONNECT_PENDING, "Call before anybody is sent."),
        ),
        balance=48_015, past_due=33_870,
    ),
    Cast(
        "No cheques, please", "Vera", "Novak", "I sent you a cheque and you sent it back.",
        "Two returned cheques in a year: card, bank account or cash.", 12185, "340 Church St",
        "Alder Falls", "vera.novak@example.com", "7155550120", "1911", icon="payments",
        alerts=((AlertKind.NO_CHEQUES, "Two returned in twelve months."),), past_due=6_240,
        balance=20_450,
    ),
)  # fmt: skip

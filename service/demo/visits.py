"""Visits to the product of the demo: the visitors, and their events from the first page to the last."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from service.demo.arrivals import NEW, RETURNING, Arrivals
from service.demo.people import Person, is_loyal, is_member, person_of
from service.demo.product import (
    ACTIONS,
    APP,
    BOUGHT,
    FEATURES,
    FILES,
    HOST,
    LOST_PAGES,
    NEXT,
    OUTBOUND,
    PLANS,
    RISK_MODES,
    SCROLLED,
    TITLES,
    TOOLS,
    Choice,
)
from service.ingest.event import Event

# The share of visits by those who were there before, and of these by members.
RETURN = 0.46
RETURN_MEMBERS = 0.9
# Of members who came before so much of all visitors, only the loyal ones return.
LONG_AGO = 0.3
# Of visits without an account: those that end on their first page, and that go on from each further page.
BOUNCE = 0.42
GO_ON = 0.66
# Of pages that are read: those where somebody takes a file, and follows a link to elsewhere.
TAKES_FILE = 0.12
FOLLOWS_LINK = 0.08
LOST = 0.03
# Of visits of members: those that look at prices, and of these that buy.
SHOPS = 0.06
BUYS = 0.45
# How often a member does something, one after another, and what.
MEAN_DEEDS = 7.0
MOST_DEEDS = 30
DEEDS = Choice({"tool_used": 46.0, "page_viewed": 22, "feature_used": 18, "risk_mode_changed": 8, "report_exported": 6})
# What those without an account do in a tool.
TRIES = Choice({"tool_used": 8.0, "risk_mode_changed": 1, "feature_used": 1})
FAVOURITES = Choice({"Portfolio": 5.0, "Screener": 3, "Backtest": 2})
MODES = Choice({"conservative": 3.0, "balanced": 5, "aggressive": 2})
PLAN_OF_NEW = Choice({"free": 8.0, "pro": 2})
TOOL_OF = {path: tool for tool, path in APP.items()}
SHORTEST_GAP = 400
MEAN_GAP = 40_000.0
# A client begins another session after 30 minutes of silence.
LONGEST_GAP = 600_000
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Visits:
    """Makes one visit after another, the same visits for the same seed. visitors: the number of visitors so far.

    launch: when the product was launched, which brings visitors in other ways.
    """

    def __init__(self, seed: str, launch: datetime, visitors: int = 0) -> None:
        self.visitors = visitors
        self._chance = random.Random(seed)  # noqa: S311  # the same for the same seed
        self._new = Arrivals(NEW, launch)
        self._returning = Arrivals(RETURNING, launch)

    def visit(self, start: datetime) -> list[Event]:
        """Return the events of one session, in the order in which they happen."""
        visitor, is_new = self._visitor()
        person = person_of(visitor)
        user = f"user_{visitor}"
        arrivals = self._returning if person.is_member and not is_new else self._new
        arrival = arrivals.at(start, self._chance)
        session = _Session(self._chance, start, person, user if person.is_member and not is_new else None)
        session.view(arrival.page, f"{arrival.members}," if arrival.members else "")
        if not person.is_member:
            self._look_around(session, arrival.page)
        elif is_new:
            self._join(session, arrival.page, user)
        else:
            self._work(session)
        session.leave()
        return session.events

    def _visitor(self) -> tuple[int, bool]:
        """Return the next visitor, and whether it is new. Recent visitors are likelier to return."""
        chance = self._chance.random
        if not self.visitors or chance() >= RETURN:
            self.visitors += 1
            return self.visitors, True
        ago = chance() ** 2
        visitor = self.visitors - int(self.visitors * ago)
        if chance() < RETURN_MEMBERS:
            returns = is_loyal if ago > LONG_AGO else is_member
            while visitor > 1 and not returns(visitor):
                visitor -= 1
        return visitor, False

    def _look_around(self, session: _Session, page: str) -> None:
        chance = self._chance.random
        if chance() < LOST:
            session.add("page_not_found", None, None, f'"path":"{LOST_PAGES.of(self._chance)}",')
        if chance() < BOUNCE:
            return
        while True:
            self._look_at(session, page)
            if chance() >= GO_ON:
                return
            page = NEXT[page].of(self._chance)
            session.view(page)

    def _look_at(self, session: _Session, page: str) -> None:
        chance = self._chance
        if page in TOOL_OF:
            for _ in range(1 + int(3 * chance.random())):
                session.do(TRIES.of(chance), TOOL_OF[page])
        elif chance.random() < TAKES_FILE:
            session.add("file_downloaded", None, None, f'"url":"https://{HOST}{FILES.of(chance)}",')
        elif chance.random() < FOLLOWS_LINK:
            session.add("outbound_link_clicked", None, None, f'"url":"{OUTBOUND.of(chance)}",')

    def _join(self, session: _Session, page: str, user: str) -> None:
        """Sign up, on the way by the prices in most cases, and try a tool."""
        if page != "/pricing" and self._chance.random() < 0.65:
            session.view("/pricing")
        session.view("/signup")
        session.add("form_submitted", None, None, '"form":"signup","path":"/signup",')
        session.user = user
        plan = PLAN_OF_NEW.of(self._chance)
        session.add("signed_up", None, "register", f'"plan":"{plan}",')
        if plan in PLANS:
            session.view("/checkout")
            session.buy(plan)
        self._work(session, "/portfolio")

    def _work(self, session: _Session, page: str = "") -> None:
        """Use the tools as a member does, and sometimes buy a plan."""
        chance = self._chance
        tool = TOOL_OF.get(page) or FAVOURITES.of(chance)
        if page:
            session.view(page)
        elif chance.random() < SHOPS:
            session.view("/pricing")
            session.view("/checkout")
            if chance.random() < BUYS:
                session.buy(BOUGHT.of(chance))
        for _ in range(min(1 + int(chance.expovariate(1 / MEAN_DEEDS)), MOST_DEEDS)):
            kind = DEEDS.of(chance)
            if kind == "page_viewed":
                tool = TOOLS[int(chance.random() * len(TOOLS))]
                session.view(APP[tool])
            else:
                session.do(kind, tool)


class _Session:
    """A session under way. user: None until it is known."""

    def __init__(self, chance: random.Random, start: datetime, person: Person, user: str | None) -> None:
        self.events: list[Event] = []
        self.user = user
        self._chance = chance
        self._start = start
        self._began = _milliseconds(start)
        self._after = 0  # milliseconds from the start to the next event
        self._name = f"session_{self._began}_{''.join(chance.choices(LETTERS, k=9))}"
        self._person = person
        self._page = ""
        self._viewed = 0
        self._mode = MODES.of(chance)

    def add(self, kind: str, tool: str | None, action: str | None, members: str, before: int = 0) -> None:
        """Add an event, and let time pass after it. before: milliseconds that it happens before that moment."""
        after = self._after - before
        moment = self._start + timedelta(milliseconds=after)
        properties = f"{{{members}{self._person.told}}}"
        name = _event_id(self._chance, self._began + after)
        self.events.append(
            Event(name, self._name, self.user, kind, tool, action, properties, self.user is None, moment)
        )
        if not before:
            gap = SHORTEST_GAP + self._chance.expovariate(1 / MEAN_GAP)
            self._after += int(min(gap, LONGEST_GAP))

    def view(self, page: str, link: str = "") -> None:
        """View a page, and leave the one before. link: members of the properties."""
        if self._page:
            self.leave(before=5)
        self._page, self._viewed = page, self._after
        members = f'"path":"{page}","title":"{TITLES[page]}",{link}{self._person.seen},'
        self.add("page_viewed", page, None, members)

    def leave(self, before: int = 0) -> None:
        """Leave the page."""
        least, most = SCROLLED[self._page]
        seconds = (self._after - self._viewed) // 1_000
        scroll = least + int((most - least) * self._chance.random())
        self.add("page_left", None, None, f'"path":"{self._page}","seconds":{seconds},"scroll":{scroll},', before)

    def do(self, kind: str, tool: str) -> None:
        """Do something in a tool."""
        chance = self._chance
        if kind == "tool_used":
            action = ACTIONS[tool][int(chance.random() * len(ACTIONS[tool]))]
            self.add(kind, tool, action, f'"milliseconds":{int(chance.lognormvariate(5.5, 0.8))},')
        elif kind == "risk_mode_changed":
            previous = self._mode
            self._mode = chance.choice([mode for mode in RISK_MODES if mode != previous])
            self.add(kind, None, "change", f'"risk_mode":"{self._mode}","previous_mode":"{previous}",')
        elif kind == "report_exported":
            self.add(kind, tool, "export", f'"format":"{chance.choice(("csv", "pdf"))}",')
        else:
            self.add(kind, None, "use", f'"feature":"{chance.choice(FEATURES)}",')

    def buy(self, plan: str) -> None:
        """Buy a plan."""
        self.add("purchased", None, "buy", f'"plan":"{plan}","revenue":{PLANS[plan]},"currency":"EUR",')


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _event_id(chance: random.Random, milliseconds: int) -> str:
    """Return `evt_` and a UUIDv7 in hex (RFC 9562, 5.7), like the ids of clients."""
    high, low = divmod(chance.getrandbits(74), 1 << 62)
    return f"evt_{milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"

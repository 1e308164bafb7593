"""Whatever keys there are, and whatever comes with a request: it gets what a plain reading of the rules gives it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from service.access.errors import Unauthorized, WrongKind, WrongSite
from service.access.keys import Key, Kind, Right
from service.access.rules import Access
from service.errors import ServiceError, UnknownSite
from tests.support.access import BLOG, DEFAULT, a_key, rules
from tests.support.log import NOW

NUMBERS = {"default": 0, "blog": 1, None: 0}
MAY = {
    Right.EVENTS: {Kind.WRITE, Kind.SERVER, Kind.ADMIN},
    Right.READS: {Kind.READ, Kind.ADMIN},
    Right.CHANGES: {Kind.ADMIN},
    Right.SETTINGS: {Kind.ADMIN},
}
CLOSES = {
    Right.EVENTS: {Kind.WRITE, Kind.SERVER},
    Right.READS: {Kind.READ, Kind.ADMIN},
    Right.CHANGES: {Kind.READ, Kind.ADMIN},
    Right.SETTINGS: set(Kind),
}


@dataclass(frozen=True)
class Held:
    """A key as its holder has it, and as the service knows it."""

    text: str
    key: Key

    @property
    def valid(self) -> bool:
        return not self.key.revoked and (self.key.expires_at is None or self.key.expires_at > NOW)


@st.composite
def held(draw: st.DrawFn) -> Held:
    kind = draw(st.sampled_from(list(Kind)))
    found_by, secret = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    text = f"hl{kind[0]}_aaaaaaa{found_by}_{secret:032}"
    ends = draw(st.sampled_from([None, -timedelta(days=1), timedelta(0), timedelta(microseconds=1)]))
    site = draw(st.sampled_from([0, 1, None]))
    return Held(
        text, a_key(text, kind, site, expires_at=None if ends is None else NOW + ends, revoked=draw(st.booleans()))
    )


def outcome(service: list[Key], right: Right, texts: list[str], site: str | None) -> Access | type[ServiceError]:
    try:
        return rules(service).access(right, texts, site, is_forwarded=lambda: False)
    except ServiceError as error:
        return type(error)


def of_one(each: Held, right: Right, site: str | None) -> Access | type[ServiceError]:
    """Return what a key gives by the rules as they are written down."""
    if not each.valid:
        return Unauthorized
    if each.key.kind not in MAY[right]:
        return WrongKind
    if each.key.site is None:
        if site not in NUMBERS:
            return UnknownSite
        return Access([DEFAULT, BLOG][NUMBERS[site]], each.key.kind, each.key.prefix, everywhere=True)
    if site is not None and NUMBERS.get(site) != each.key.site:
        return WrongSite
    return Access([DEFAULT, BLOG][each.key.site], each.key.kind, each.key.prefix)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(held(), max_size=5, unique_by=lambda each: each.key.prefix),
    st.sampled_from(list(Right)),
    st.sampled_from([None, "default", "blog", "nowhere"]),
    st.data(),
)
def test_a_key_gives_what_its_kind_and_its_site_say(
    keys: list[Held], right: Right, site: str | None, data: st.DataObject
) -> None:
    service = [each.key for each in keys]
    closers = [each.key.site for each in keys if each.key.kind in CLOSES[right]]
    for each in keys:
        assert outcome(service, right, ["", each.text, "another"], site) == of_one(each, right, site)
        # Whoever lacks one character of the secret has nothing, not even what is open.
        place = data.draw(st.integers(13, len(each.text) - 1))
        forged = each.text[:place] + "c" + each.text[place + 1 :]
        for wrong in (forged, each.text + "c", each.text[:-1], each.text[:4]):
            assert outcome(service, right, [wrong], site) is Unauthorized
    found = outcome(service, right, [], site)
    is_closed = bool(closers) if site not in NUMBERS else None in closers or NUMBERS[site] in closers
    # Settings are never open.
    if is_closed or right is Right.SETTINGS:
        assert found is Unauthorized
    elif site not in NUMBERS:
        assert found is UnknownSite
    else:
        everywhere = not any(each.key.kind in CLOSES[Right.READS] for each in keys)
        assert found == Access([DEFAULT, BLOG][NUMBERS[site]], everywhere=everywhere)


@given(st.lists(held(), min_size=2, max_size=2, unique_by=lambda each: each.key.prefix), st.sampled_from(list(Right)))
def test_one_fitting_key_among_several_is_enough(keys: list[Held], right: Right) -> None:
    service = [each.key for each in keys]
    alone = [of_one(each, right, None) for each in keys]
    both = outcome(service, right, [each.text for each in keys], None)
    fitting = [each for each in alone if isinstance(each, Access)]
    assert both == (fitting[0] if fitting else alone[0])

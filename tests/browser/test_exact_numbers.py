"""Numbers that JavaScript cannot hold keep every digit, from the service to the page and back."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from tests.browser.support.dashboard import check_cards, open_dashboard, shown, without_complaints
from tests.http.support.site import Site, an_event, unique

# Each with a neighbour that is the same double.
NEIGHBOURS = [
    ("9007199254740993", "9007199254740992"),
    ("12345678901234567890", "12345678901234567891"),
    ("-0.12345678901234567891", "-0.12345678901234567892"),
]
ROUND_TRIPS = [
    *(number for pair in NEIGHBOURS for number in pair),
    *(
        "0",
        "-1",
        "1.5",
        "0.1",
        "1e-7",
        "0.30000000000000004",
        "1" + 308 * "0",
        "1" + 400 * "0",
        "123456789012345680000",
    ),
    *('"9007199254740993"', r'"\"9007199254740993\\"', "true", "null", "[1,9007199254740993,[]]"),
    '{"n":9007199254740993,"9007199254740993":"x","__proto__":{"a":12345678901234567890}}',
]
PARSED = """async (texts) => {
  const { Exact, parse, write } = await import("/assets/core/exact_json.js");
  return texts.map((text) => [write(parse(text)), parse(text) instanceof Exact]);
}"""


async def test_json_is_read_and_written_with_all_digits(site: Site, page: Page) -> None:
    await page.goto(site.running.url)
    for text, (written, is_exact) in zip(ROUND_TRIPS, await page.evaluate(PARSED, ROUND_TRIPS), strict=True):
        if is_exact or not text[-1].isdigit():
            assert written == text
        else:
            assert Decimal(written) == Decimal(text)
    exact = [
        is_exact for _, is_exact in await page.evaluate(PARSED, [number for pair in NEIGHBOURS for number in pair])
    ]
    assert exact == [True, False, True, True, True, True]


def send_values(site: Site, kind: str, values: list[str]) -> None:
    """Send an event for each value, as the JSON that it is, in a property of that name and in a list."""
    for place, value in enumerate(values):
        event = json.dumps(an_event(event_type=kind, session_id=kind, event_id=f"{kind}-{place}"))
        body = f'{event[:-1]}, "properties": {{"{kind}": {value}, "list": [{value}]}}}}'
        assert site.client.post("/e", content=body.encode()).status_code == 200


@pytest.mark.parametrize(("number", "neighbour"), NEIGHBOURS)
async def test_a_number_is_shown_and_filtered_with_all_digits(
    site: Site, page: Page, number: str, neighbour: str
) -> None:
    kind = unique("digits")
    values = [number, number, neighbour, f'"{number}"']
    send_values(site, kind, values)
    with without_complaints(page):
        await open_dashboard(page, site, f"?range=1h&event_type={kind}")
        properties = await page.locator("#events tbody td:nth-child(7)").all_inner_texts()
        assert sorted(text for text in properties if text.strip()) == sorted(
            f'{{"list":[{value}],"{kind}":{value}}}' for value in values
        )
        await page.locator("#events button[data-of=session]").first.click()
        await expect(page.locator("#timeline .event")).to_have_count(4)
        told = await page.locator("#timeline .properties").all_inner_texts()
        assert [text.split()[-1] for text in told] == [number, number, neighbour, number]
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Add filter").click()
        await page.get_by_label("Field", exact=True).select_option(f"properties.{kind}")
        options = page.locator("#drawer datalist option")
        await expect(options).to_have_count(3)
        assert set(await options.evaluate_all("all => all.map(each => each.value)")) == {number, neighbour}
        await page.get_by_label("Value", exact=True).fill(number)
        await page.keyboard.press("Enter")
        await expect(page.locator("#chips bdi").last).to_have_text(f"properties.{kind} = {number}")
        await shown(page)
        await expect(page.locator("#card-events .card-value")).to_have_text("3")


async def test_a_filter_and_an_export_have_all_digits(site: Site, page: Page) -> None:
    for number, neighbour in NEIGHBOURS:
        kind = unique("digits")
        send_values(site, kind, [number, number, neighbour, f'"{number}"'])
        where = f"properties.{kind} = {number}"
        query = urlencode({"range": "1h", "event_type": kind, "where": where})
        await open_dashboard(page, site, f"?{query}")
        await check_cards(page, site, hours=1, event_type=kind, where=where)
        await page.get_by_role("button", name="Export").click()
        link = await page.get_by_role("link", name="Download").get_attribute("href")
        lines = site.client.get(f"/{link}").text.splitlines()[1:]
        assert len(lines) == 3
        assert all(number in line for line in lines)
        counts = {
            sign: len(site.listed(hours=1, event_type=kind, where=f"properties.{kind} {sign}"))
            for sign in (f'= "{number}"', f"< {number}", f"<= {number}", f"> {number}", f">= {number}")
        }
        is_less = Decimal(neighbour) < Decimal(number)
        assert list(counts.values()) == [1, is_less, 2 + is_less, not is_less, 2 + (not is_less)]


async def test_a_segment_keeps_all_digits(site: Site, page: Page) -> None:
    kind = unique("segment")
    for value in NEIGHBOURS[0]:
        site.send(an_event(event_type=kind, session_id=kind, properties={kind: int(value)}))
    where = f"properties.{kind} = {NEIGHBOURS[0][0]}"
    await open_dashboard(page, site, f"?{urlencode({'range': '1h', 'where': where})}")
    await page.get_by_role("button", name="Segments").click()
    await page.get_by_label("Save these filters as").fill(kind)
    await page.keyboard.press("Enter")
    await expect(page.locator("#chips bdi")).to_have_text(kind)
    await shown(page)
    await expect(page.locator("#card-events .card-value")).to_have_text("1")
    (saved,) = [row for row in site.get("/api/analytics/segments")["segments"] if row["name"] == kind]
    assert saved["filters"] == {"where": where}

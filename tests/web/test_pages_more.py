"""The pages of trust, search, stories, definitions, boards, models and data, over a small org served on loopback."""

from __future__ import annotations

import html
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import httpx
import pytest

from leadline import workspace
from leadline.errors import UsageError
from leadline.web import points, uploads
from leadline.web.boards import Boards, Card, moved, read, written
from leadline.web.pages import data
from leadline.web.stories import credit_table, hidden_people
from tests.small_org import FILES, built
from tests.web.served import Served, served, token

CAMPAIGN, DEAL, PERSON = "Spring webinar", "006000000000001AAA", "003000000000001AAA"
JOB_S = 60.0
"""Longest that a small import may take on a machine that is busy with other tests."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("pages") / "workspace"
    shutil.copytree(built(tmp_path_factory.mktemp("org")), folder)
    with served(workspace.open(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def reader(site: Served) -> httpx.Client:
    return site.local()


@pytest.fixture
def own(tmp_path: Path, site: Served) -> Iterator[Served]:
    """A workspace that a test may change."""
    shutil.copytree(site.site.workspace.folder, tmp_path / "workspace", ignore=shutil.ignore_patterns("app.sqlite*"))
    with served(workspace.open(tmp_path / "workspace")) as running:
        yield running


def page(client: httpx.Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text[:800]
    return answer.text


def words(text: str) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def sql(served: Served, query: str) -> list[tuple[object, ...]]:
    """A question of our own to the snapshot that is shown."""
    path = served.site.answers.pin().path
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(query).fetchall()


def post(client: httpx.Client, path: str, start: str, **fields: str) -> httpx.Response:
    """Send a form with the token of the page it stands on."""
    return client.post(path, data={"csrf": token(client.get(start)), **fields})


# ------------------------------------------------------------------ trust


def test_every_finding_stands_on_the_page_with_its_records(site: Served, reader: httpx.Client) -> None:
    text = page(reader, "/trust")
    found = sql(site, 'SELECT code, "object", row_count FROM findings')
    assert len(found) > 1
    for code, name, rows in found:
        assert f'id="{code}{f"-{name}" if name else ""}"' in text
        listed = words(page(reader, f"/trust/finding/{code}"))
        if rows:
            total = sum(int(str(count)) for other, _, count in found if other == code)
            assert f"{total} row" in listed.replace(",", "")


def test_the_file_of_a_finding_has_every_record(site: Served, reader: httpx.Client) -> None:
    (code, rows), *_ = sql(site, "SELECT code, count(*) FROM finding_records GROUP BY code ORDER BY code")
    text = page(reader, f"/trust/finding/{code}/records.csv")
    assert len(text.splitlines()) == int(str(rows)) + 1


def test_findings_that_move_more_come_first(reader: httpx.Client) -> None:
    text = page(reader, "/trust")
    ids = re.findall(r'<li class="card finding[^>]*id="([^"]+)"', text)
    moving = [
        one
        for one in ids
        if 'class="moves"' in text.split(f'id="{one}"')[1].split("</li>\n")[0].split('class="card finding')[0]
    ]
    assert ids[: len(moving)] == moving


def test_loads_and_their_objects_are_told(site: Served, reader: httpx.Client) -> None:
    text = words(page(reader, "/trust"))
    assert f"CampaignMember {len(FILES['CampaignMember.csv'].splitlines()) - 1}" in text


def test_a_finding_is_accepted_and_a_state_is_kept_for_good(own: Served) -> None:
    client = own.local()
    (code, *_), *_ = sql(own, "SELECT code FROM findings WHERE severity <> 'info' ORDER BY code")
    answer = post(client, "/trust/accept", f"/trust/finding/{code}", code=str(code), reason="known", until="2026-12-31")
    assert answer.status_code == 303
    assert "known" in words(page(client, "/trust"))
    assert post(client, "/trust/freeze", "/trust", name="Q1", note="board meeting").status_code == 303
    assert "Q1" in words(page(client, "/trust"))
    assert own.site.workspace.audit.accepted()[0].reason == "known"


def test_comparing_says_where_there_is_nothing_to_compare(reader: httpx.Client) -> None:
    assert "only one state" in words(page(reader, "/trust/diff"))
    assert "are the same snapshot" in words(page(reader, "/trust/diff?before=current&after=current"))


# ------------------------------------------------------------------ search


@pytest.mark.parametrize(
    ("typed", "kind", "link"),
    [
        ("spring", "Campaigns", "/influence?where=campaign=Spring+webinar"),
        ("ALPHA", "Deals", f"/deal/{DEAL}"),
        (DEAL[:15], "Deals", f"/deal/{DEAL}"),
        ("00Q000000000001AAA", "People", f"/journey/{PERSON}"),
        ("stuck", "Metrics", "/velocity"),
        ("timezone", "Settings", "/definitions#setting-workspace"),
        ("duplicate email", "Checks", "/trust/finding/duplicate-email"),
    ],
)
def test_one_box_finds_everything(reader: httpx.Client, typed: str, kind: str, link: str) -> None:
    text = page(reader, f"/search?q={typed}")
    section = next(one for one in text.split('<section class="card found"')[1:] if f">{kind} " in one)
    assert f'href="{link}"' in section


def test_what_is_not_there_is_said(reader: httpx.Client) -> None:
    assert "Nothing bears that name" in words(page(reader, "/search?q=zebra%25_"))


# ------------------------------------------------------------------ stories


def test_the_journey_page_has_every_event(site: Served, reader: httpx.Client) -> None:
    story = site.site.workspace.journey(PERSON)
    text = page(reader, f"/journey/{PERSON}")
    assert text.count('class="t-event') == len(story.events) > 5
    assert CAMPAIGN in words(text)


def test_columns_of_the_deal_page_add_up_to_its_amount(site: Served, reader: httpx.Client) -> None:
    # 41,000 is what the file of opportunities says.
    text = page(reader, f"/deal/{DEAL}")
    foot = re.findall(r"<tfoot>.*?</tfoot>", text, re.DOTALL)[0]
    assert set(re.findall(r'<td class="num">([^<]*)</td>', foot)) == {"41,000.00"}
    body = re.findall(r"<tbody>.*?</tbody>", text, re.DOTALL)[0]
    rows = [re.findall(r'<td class="num"[^>]*>([^<]*)</td>', row) for row in body.split("</tr>") if "num" in row]
    for column in zip(*rows, strict=True):
        assert sum(Decimal(one.replace(",", "")) for one in column if one != "–") == 41_000


def test_a_story_can_be_told_without_saying_who(site: Served) -> None:
    story = site.site.workspace.opportunity(DEAL)
    shown = str(hidden_people(story))
    assert PERSON in str(story)
    assert not re.search(r"\b(003|00Q|00v|00K)\d{12}", shown)
    assert DEAL in shown
    assert credit_table(hidden_people(story)).totals == credit_table(story).totals


def test_nobody_has_a_page_under_an_unknown_id(reader: httpx.Client) -> None:
    assert reader.get("/deal/006000000000009AAA").status_code == 400
    assert reader.get("/journey/someone@example.com").status_code == 404


# ------------------------------------------------------------------ definitions


def test_definitions_are_those_that_run(site: Served, reader: httpx.Client) -> None:
    text = words(page(reader, "/definitions"))
    for address in ("volume", "conversion", "velocity?measure=cycle", "influence"):
        assert " ".join(site.site.workspace.metrics.ask(address).definition.text.split()) in text
    assert "MQL_Date__c" in text
    for stage in site.site.answers.pin().stages():
        assert stage in text


# ------------------------------------------------------------------ boards


def test_a_board_is_put_together_edited_and_taken_away(own: Served) -> None:
    client, boards = own.local(), Boards(own.site.workspace.folder)
    for ask, show in (("volume", "table"), ("volume#count@stage=Won", "number")):
        name = "monday" if boards.all() else ""
        answer = post(client, "/boards/add", "/boards/add", ask=ask, show=show, board=name, name="Monday")
        assert answer.headers["location"] == "/boards/monday"
    text = page(client, "/boards/monday")
    assert 'data-address="volume#count@stage=Won"' in text
    assert re.search(r'class="kpi-value">.*?>1</a>', text), "one journey was won"
    version = boards.get("monday").version
    post(client, "/boards/monday/card", "/boards/monday/edit", version=version, at="1", do="up")
    cards = boards.get("monday").board
    assert cards is not None
    assert [one.show for one in cards.cards] == ["number", "table"]
    stale = post(client, "/boards/monday/card", "/boards/monday/edit", version=version, at="0", do="remove")
    assert stale.status_code == 400
    assert "somebody else" in stale.text
    version = boards.get("monday").version
    wrong = post(
        client, "/boards/monday/edit", "/boards/monday/edit", version=version, text='title = "x"\ncards = 3\nhue = 1'
    )
    assert wrong.status_code == 400
    assert "cards" in wrong.text
    assert "hue" in wrong.text, "every fault at once"
    assert post(client, "/boards/monday/delete", "/boards/monday/edit", version=version).status_code == 303
    assert boards.all() == ()


def test_a_view_is_saved_and_leads_back(own: Served) -> None:
    client = own.local()
    text = page(client, "/boards/save?page=%2Ffunnel%3Fwhere%3Dcampaign_type%3DEvent")
    assert 'value="where=campaign_type=Event"' in text
    answer = post(
        client, "/boards/save", "/boards/save", page="funnel", title="Events", query="where=campaign_type=Event"
    )
    assert answer.status_code == 303
    assert client.get("/boards/events").headers["location"] == "/funnel?where=campaign_type=Event"
    assert 'value="overview"' in page(client, "/boards/save?page=https%3A%2F%2Fevil.example%2Ffunnel"), (
        "only pages of ours"
    )


def test_boards_are_files_that_say_what_they_mean() -> None:
    text = 'title = "Wéekly \\"A\\""\n\n[[cards]]\nask = "volume?by=campaign_type"\nshow = "chart"\n'
    board = read(text.encode(), "x.toml")
    assert read(written(board).encode(), "x.toml") == board
    cards = [Card(ask=name) for name in ("volume", "fates", "roi")]
    assert [one.ask for one in moved(cards, 2, -1)] == ["volume", "roi", "fates"]
    assert moved(cards, 0, -1) == cards


def test_a_card_that_cannot_be_answered_says_so_and_the_others_stand(own: Served) -> None:
    boards = Boards(own.site.workspace.folder)
    asked = ["volume?by=nonsense", "fates", "volume#count@stage=Nowhere"]
    cards = [Card(ask=one, show="number" if "#" in one else "table") for one in asked]
    boards.save("mixed", read(b'title = "Mixed"', "x").model_copy(update={"cards": cards}))
    text = page(own.local(), "/boards/mixed")
    assert text.count('class="fault"') == 2
    assert "nonsense" in words(text)


# ------------------------------------------------------------------ points


FORM = {
    "title": "Webinars",
    "base": "1",
    "on-0": "campaign_type",
    "way-0": "points",
    "values-0": "Webinar = 9",
    "other-0": "0",
}


def test_points_are_tried_on_real_deals_and_written_only_when_told(own: Served) -> None:
    client, folder = own.local(), own.site.workspace.folder / "models"
    answer = post(client, "/models/preview", "/models/new", **FORM, deals=DEAL)
    assert answer.status_code == 200
    assert "base +1, campaign_type +9" in words(answer.text)
    assert "41,000.00 41,000.00" in words(answer.text), "both models split the whole amount"
    assert not folder.exists(), "a preview writes nothing"
    assert post(client, "/models/save", "/models/new", **FORM).status_code == 303
    assert "Webinar = 9" in (folder / "webinars.toml").read_text()
    assert own.site.workspace.metrics.influence(models=["webinars"]).table.num_rows
    assert post(client, "/models/save", "/models/new", **FORM).status_code == 400, "a file is never replaced unseen"


def test_every_fault_of_a_draft_is_said() -> None:
    wrong = {
        "title": "x",
        "base": "many",
        "on-0": "touch",
        "way-0": "points",
        "values-0": "frist = 3\nlast",
        "other-0": "0",
    }
    checked = points.checked(points.from_form(wrong), {})
    assert checked.model is None
    told = " ".join(checked.faults)
    assert "'many' is no whole number" in told
    assert "'last' is no line" in told
    assert "frist" in told


def test_a_model_goes_through_the_form_unchanged(site: Served) -> None:
    known = site.site.workspace.metrics.known_models()
    for name in ("engagement_points", "role_points"):
        model = known[name]
        assert isinstance(model, points.Points)
        assert points.checked(points.of_model("other", model), {}).model == model


# ------------------------------------------------------------------ data


def test_an_empty_workspace_begins_with_files_that_are_looked_at_first(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name, text in FILES.items():
            target.writestr(name, text)
    with served(workspace.create(tmp_path / "new")) as running:
        client = running.local()
        assert client.get("/funnel").status_code in (303, 503), "there is nothing to show yet"
        text = words(page(client, "/data"))
        for way in ("Import files", "demo org", "Connect Salesforce"):
            assert way in text
        form = {"csrf": token(client.get("/data"))}
        answer = client.post("/data/upload", data=form, files={"files": ("../../export.zip", archive.getvalue())})
        assert answer.status_code == 303, answer.text
        look = answer.headers["location"]
        text = words(page(client, look))
        for name, rows in FILES.items():
            assert f"export.zip!{name} {name.removesuffix('.csv')} {len(rows.splitlines()) - 1}" in text
        assert not running.site.workspace.snapshots.list(), "nothing is imported by looking"
        assert post(client, f"{look}/import", look).status_code == 303
        wait_for_job(client)
        assert "Done in" in words(page(client, "/data"))
        assert len(running.site.workspace.snapshots.list()) == 1
        assert "Data as of" in words(page(client, "/boards"))
        assert client.get(look).status_code == 400, "what was imported is thrown away"
        assert post(client, "/data/demo", "/data").status_code == 400, "records are never mixed with made-up ones"


def test_the_demo_org_is_one_button(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []

    def generate(out: Path, *, people: int, seed: int, progress: object) -> None:
        made.append((people, seed))
        raise UsageError("no org in this test")

    # What is made and imported is tested elsewhere; here it is only begun, and its fault is told.
    monkeypatch.setattr(data, "generate", generate)
    with served(workspace.create(tmp_path / "new")) as running:
        client = running.local()
        assert post(client, "/data/demo", "/data").status_code == 303
        wait_for_job(client)
        assert made == [(data.DEMO_PEOPLE, data.DEMO_SEED)]
        assert "no org in this test" in words(page(client, "/data"))


def wait_for_job(client: httpx.Client) -> None:
    """Ask for the page until the import has ended, as a browser does."""
    import time

    until = time.monotonic() + JOB_S
    while "Refresh" in client.get("/data").headers:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_broken_file_is_told_in_words(own: Served) -> None:
    client = own.local()
    form = {"csrf": token(client.get("/data"))}
    files = {"files": ("Lead.csv", b'Id,LastName,CreatedDate\n00Q000000000001AAA,"One,2026-13-45\n')}
    answer = client.post("/data/upload", data=form, files=files)
    shown = client.get(answer.headers["location"])
    assert shown.status_code == 400
    assert "Lead.csv" in shown.text
    assert str(own.site.workspace.folder) not in shown.text
    odd = client.post("/data/upload", data=form, files={"files": ("page.html", b"<html>")})
    assert odd.status_code == 400
    assert "is no file of records" in odd.text


NAMES = [
    *(f"{'../' * deep}etc/Lead{at}.csv" for deep in range(1, 21) for at in range(4)),
    *(f"..\\..\\C$\\Lead{at}.csv" for at in range(20)),
    *(f"Lead\x00{at}.csv" for at in range(20)),
    *(f"%2e%2e%2fLead{at}.csv" for at in range(20)),
    *(f"\u202evsc.Lead{at}.csv" for at in range(20)),
    *("Lead" * size + ".csv" for size in range(1, 200, 10)),
    *(
        f"{name}.csv"
        for name in (
            "CON",
            "NUL",
            "aux",
            ".",
            "..",
            "~",
            "-rf",
            "a b",
            "Lead (1)",
            "é",
            "Straße",
            "名前",
            "x/.csv/y",
            ";id",
            "$(id)",
            "`id`",
            "|x",
            "&&x",
            "*",
            "?",
        )
    ),
]


def test_no_name_leaves_the_folder_of_uploads(tmp_path: Path) -> None:
    assert len(NAMES) == 200
    outside = tmp_path / "workspace"
    outside.mkdir()
    for name in NAMES:
        kept = uploads.Uploads(outside)
        try:
            key = kept.take([(name, io.BytesIO(b"Id\n"))])
        except UsageError:
            continue
        (file,) = (kept.place(key) / "files").iterdir()
        assert file.parent.parent.parent == outside / uploads.FOLDER
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._ ()-]*\.csv", file.name), name
    everything = {one.relative_to(tmp_path).parts[:2] for one in tmp_path.rglob("*")}
    assert everything == {("workspace",), ("workspace", uploads.FOLDER)}

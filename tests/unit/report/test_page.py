"""The page of a night: the marts' figures, nothing fetched, nothing executed, both languages."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import duckdb
import pytest

from flows.errors import PermanentError
from flows.report.page import render_page, write_page
from flows.report.queries import read_findings
from flows.warehouse.glossary import Wording, load_glossary


@pytest.fixture(params=["zh", "en"])
def html(request, company, run):
    return render_page(run, read_findings(company), request.param)


class Tags(HTMLParser):
    """Collects tags and checks that they close in order."""

    VOID = {"meta", "br", "img", "link", "input"}

    def __init__(self, html):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_fetches_and_runs_nothing(html):
    page = Tags(html)

    assert page.open == []
    names = [name for name, _ in page.tags]
    assert not {"script", "iframe", "img", "link", "object", "form"} & set(names)
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert re.fullmatch(r"(#\w+|[\w./]+\.html)?", attributes.get("href") or "")
        assert "src" not in attributes
    assert "url(" not in html and "@import" not in html
    (policy,) = [a["content"] for n, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy


def test_crm_text_is_shown_and_never_markup(html):
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}") >= 4
    assert "alert(1)</script>" not in html


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_heading_of_a_metric_tells_its_definition_and_leads_to_it(company, run, language):
    page = Tags(render_page(run, read_findings(company), language))
    known = {metric.key: metric for metric in load_glossary()}
    terms = [attributes for name, attributes in page.tags if name == "a" and attributes.get("class") == "term"]
    places = [attributes["id"] for name, attributes in page.tags if name == "div" and "id" in attributes]

    led_to, defined = {term["href"] for term in terms}, {f"#{place}" for place in places}
    assert led_to <= defined
    assert defined - led_to <= {"#metric_won_count"}  # of which this company has no target and no result
    assert len(places) == len(set(places))
    for term in terms:
        metric = known[term["href"].removeprefix("#metric_")]
        assert term["title"] == f"{metric.name.said(language)}: {metric.formula.said(language)}"


def test_what_a_metric_is_called_and_how_it_is_defined_is_never_markup(company, run, monkeypatch):
    hostile = Wording(en="<b onclick='x'>\"&", zh="<b onclick='x'>\"&")
    defined = {
        metric.key: metric.model_copy(update={"name": hostile, "formula": hostile, "null_rule": hostile})
        for metric in load_glossary()
    }
    monkeypatch.setattr("flows.report.notation.glossary", lambda: defined)
    html = render_page(run, read_findings(company), "en")

    assert "<b onclick" not in html
    assert 'title="&lt;b onclick=&#39;x&#39;&gt;&#34;&amp;: ' in html
    assert Tags(html).open == []


def test_figures_are_those_of_the_marts(html):
    for figure in (
        "¥7,854,545.45",
        "¥4,375,272.73",
        "¥10,005,534.00",
        "¥6,900,000.00",
        "¥414,286.00",
        "55.7%",
        "8,798",
    ):
        assert figure in html, figure


def test_the_pace_says_whether_it_is_better_than_the_night_before(html):
    """0.78 and 1.085 after 0.70 are up, 0.42 is down; who has no pace has no mark."""
    table = html.partition('id="attainment"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    assert [mark for mark in table if mark in "▲▼▬"] == ["▲", "▲", "▼"]
    assert re.search('class="trend" title="(上一夜|night before) 2026-11-19: 70', table)
    assert "¥100,000.00" in table


@pytest.mark.parametrize(
    ("language", "over", "reached"), [("zh", "超出 20.00 万元", "已达标"), ("en", "above by ¥200,000", "reached")]
)
def test_a_target_that_is_passed_reads_as_reached(company, run, tmp_path, language, over, reached):
    path = shutil.copy(company, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update marts.mart_target_attainment set actual = 4200000, gap = -200000, required_run_rate = -33333.33 "
            "where node_key = 'region:华东' and period_kind = 'month'"
        )
    html = render_page(run, read_findings(path), language)

    (row,) = re.findall(r'<tr class="level-1">(?:(?!</tr>).)*>' + over + ".*?</tr>", html, re.DOTALL)
    assert f">{reached}</td>" in row
    assert not re.findall(r">-[\d¥]", html)


@pytest.mark.parametrize(
    ("language", "note", "reached"), [("zh", "仅部分期间", "已达标"), ("en", "part of period", "reached")]
)
def test_a_target_of_a_part_of_the_period_says_so_and_is_never_reached(company, run, tmp_path, language, note, reached):
    path = shutil.copy(company, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update marts.mart_target_attainment set target_is_complete = false, actual = target_base, gap = 0, "
            "required_run_rate = null where node_key = 'company' and period_kind = 'year'"
        )
    html = render_page(run, read_findings(path), language)

    (row,) = re.findall(f'<tr class="level-0">(?:(?!</tr>).)*{note}.*?</tr>', html, re.DOTALL)
    assert f">{reached}</td>" not in row


@pytest.mark.parametrize(
    ("language", "mark", "why"), [("zh", "按估算日历", "尚未公布"), ("en", "estimated calendar", "not")]
)
def test_a_pace_by_days_that_are_not_announced_is_marked_where_it_stands(company, run, tmp_path, language, mark, why):
    assert mark not in render_page(run, read_findings(company), language)
    path = shutil.copy(company, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update marts.mart_target_attainment set is_calendar_published = false where node_key = 'region:华东'"
        )
    html = render_page(run, read_findings(path), language)

    marked = re.findall(f'<tr class="level-(.)">(?:(?!</tr>).)*title="[^"]*{why}[^"]*">{mark}<', html, re.DOTALL)
    assert set(marked) == {"1"}


def test_the_funnel_counts_open_deals_by_stage_and_says_which_have_no_amount(company, run):
    findings = read_findings(company)
    html = render_page(run, findings, "zh")

    assert [(row["stage"], row["deals"], row["deals_with_amount"]) for row in findings.funnel] == [
        ("s1", 60, 59),
        ("s2", 30, 29),
        ("s3", 20, 19),
        ("s4", 15, 14),
        ("s5", 12, 11),
    ]
    assert html.index("客户开发") < html.index("合同签订")
    assert "其中 1 个未填金额" in html
    assert "未配置的阶段" not in html


def test_open_deals_in_a_stage_that_is_not_configured_are_in_the_funnel_and_its_sum(company, run, tmp_path):
    path = shutil.copy(company, tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("update marts.fct_opportunity set stage = 'Zorp' where opportunity_id in ('s1-0', 's1-1')")
    findings = read_findings(path)
    funnel = [(row["stage"], row["deals"], row["deals_with_amount"], row["amount"]) for row in findings.funnel]
    assert funnel[0] == ("s1", 58, 58, 58 * 50000)
    assert funnel[-1] == ("(unknown)", 2, 1, 50000)
    assert sum(deals for _, deals, *_ in funnel) == 60 + 30 + 20 + 15 + 12
    html = render_page(run, findings, "zh")
    assert html.index("合同签订") < html.index("未配置的阶段")
    assert "n None" not in html


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("zh", ["已 72 小时未更新，要求 24 小时内", "与上次相比: 新增的列：“Notes”", "（合计、重复表头、备注等）: 7"]),
        ("en", ["72 working hours old, held to 24", "last night: new column: &#39;Notes&#39;", "headers, notes): 7"]),
    ],
)
def test_what_changed_about_a_file_and_how_old_it_is_stands_beside_it(company, run, language, expected):
    html = render_page(run, read_findings(company), language)
    assert [text for text in expected if text not in html] == []


def test_each_language_is_a_page_and_they_lead_to_each_other(company, run, tmp_path):
    page = write_page(tmp_path / "reports", company, run, is_latest=True)

    assert page == tmp_path / "reports" / "20261120-01" / "index.html"
    zh, en = page.read_text("utf-8"), (page.parent / "index.en.html").read_text("utf-8")
    assert 'lang="zh-CN"' in zh and "目标达成" in zh and 'href="index.en.html"' in zh
    assert 'lang="en"' in en and "Target attainment" in en and 'href="index.html"' in en
    assert sorted(path.name for path in page.parent.iterdir()) == ["index.en.html", "index.html"]


def test_an_english_company_opens_in_english(company, run, tmp_path):
    page = write_page(tmp_path, company, replace(run, language="en"), is_latest=False)

    assert 'lang="en"' in page.read_text("utf-8")
    assert (page.parent / "index.zh.html").exists()


def test_latest_follows_the_newest_night_and_no_rebuild(company, run, tmp_path):
    write_page(tmp_path, company, run, is_latest=True)
    write_page(tmp_path, company, replace(run, run_id="20261121-01"), is_latest=True)
    write_page(tmp_path, company, replace(run, run_id="20250131-01", is_rebuild=True), is_latest=False)

    assert (tmp_path / "latest").readlink().as_posix() == "20261121-01"
    assert "20261121-01" in (tmp_path / "latest" / "index.html").read_text("utf-8")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_company_without_plan_or_deals_still_has_a_page(marts, run, language):
    bare = replace(run, stages=(), audit=(), alerts={}, data_docs=None)
    html = render_page(bare, read_findings(marts), language)

    assert Tags(html).open == []
    assert ("没有未关闭的商机" in html) == (language == "zh")


def test_only_the_reps_that_miss_most_are_listed(company, inserting, run, tmp_path):
    path = shutil.copy(company, tmp_path)
    with inserting(path) as insert:
        for number in range(60):
            insert("dim_node", node_key=f"rep:x{number}", node_kind="rep", name="x", path="x", level=3, is_current=True)
    findings = read_findings(path)

    assert findings.reps_hidden == 22
    assert "另有 22 名销售未列出" in render_page(run, findings, "zh")


def test_a_file_that_lacks_a_mart_is_named(tmp_path):
    path = tmp_path / "old.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(PermanentError, match="(?s)old.duckdb.*Rebuild the night"):
        read_findings(path)

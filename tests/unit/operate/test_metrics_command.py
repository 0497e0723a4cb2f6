"""``planloop metrics``: one list, one definition, in the reader's language; before any night and any configuration."""

import json

import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from flows.errors import ConfigError
from flows.warehouse.glossary import load_glossary


def metrics(*words: str) -> Result:
    """Run ``planloop metrics`` where there is neither configuration nor workspace."""
    return CliRunner().invoke(app, ["--config", "/nowhere", "--workspace", "/nowhere", "metrics", *words])


def test_the_list_has_every_metric_with_its_definition_in_one_language():
    listed = metrics("--lang", "zh")
    assert listed.exit_code == 0, listed.output
    for metric in load_glossary():
        assert metric.key in listed.output
        assert metric.name.zh in listed.output
    assert "Gap to target" not in listed.output


def test_one_metric_is_told_in_full():
    gap = next(metric for metric in load_glossary() if metric.key == "gap")
    lines = metrics("gap", "--lang", "en").output.splitlines()
    assert lines[0] == "Gap to target · 目标缺口 (gap)"
    assert f"  definition: {gap.formula.en}" in lines
    assert "  unit: that of the metric" in lines
    assert f"  one value per: {gap.grain.en}" in lines
    assert f"  without a value: {gap.null_rule.en}" in lines
    assert [line.split()[-1] for line in lines if "mart_" in line] == list(gap.marts)
    assert [line.split()[-1] for line in lines if "proven by" in line] == list(gap.proven_by)


def test_a_chinese_reader_gets_every_label_and_text_in_chinese():
    output = metrics("目标缺口", "--lang", "zh").output
    for label in ("定义", "单位", "粒度", "空值规则", "所在列", "由测试证明"):
        assert f"  {label}: " in output
    assert "单位: 同该指标" in output
    assert "below 0" not in output


def test_words_that_several_metrics_have_list_them():
    output = metrics("growth", "--lang", "en").output
    assert "growth_prior" in output
    assert "growth_last_year" in output
    assert "bookings" not in output


def test_a_script_gets_both_languages_of_what_was_found():
    [found] = json.loads(metrics("目标缺口", "--json").output)
    assert (found["key"], found["domain"], found["name"]) == ("gap", "plan", {"en": "Gap to target", "zh": "目标缺口"})
    assert len(json.loads(metrics("--json").output)) == len(load_glossary())


def test_an_unknown_name_is_answered_with_what_is_near():
    failed = metrics("attainement", "--lang", "zh")
    assert isinstance(failed.exception, ConfigError)
    assert failed.exception.exit_code == 2
    assert "found 'attainement'. Did you mean attainment (达成率)" in str(failed.exception)


def test_a_name_like_no_metric_is_sent_to_the_list():
    assert "`planloop metrics` lists them all" in str(metrics("xyzzy").exception)


@pytest.mark.parametrize("words", [("--lang", "fr")])
def test_a_language_that_is_not_spoken_is_wrong_usage(words):
    assert metrics(*words).exit_code == 2

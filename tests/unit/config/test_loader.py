"""Configuration: what is right loads, and what is wrong is reported all at once with its place."""

from datetime import date
from pathlib import Path

import pytest

from flows.config import load
from flows.errors import ConfigError

EXAMPLES = Path(__file__).parents[3] / "config" / "examples"


@pytest.mark.parametrize("name", ["maven", "adventureworks"])
def test_examples_load(name: str) -> None:
    config = load(EXAMPLES / name, {"PLANLOOP_DATA": "/data"})
    assert all(path.startswith(f"/data/{name}/") for source in config.sources.sources.values() for path in source.path)


def _write(folder: Path, **files: str) -> Path:
    base = {
        "settings": "company: {name: A}\noperator: {email: a@b.c}\nmail: {sender: a@b.c, fallback_recipient: a@b.c}\n",
        "sources": "sources: {}\n",
        "stages": "stages:\n  - {key: won, name_en: Won, name_zh: 赢单, closed: won}\n",
        "alerts": "rules: []\n",
    }
    for name, text in {**base, **files}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_all_faults_of_all_files_are_reported_with_file_and_line(tmp_path: Path) -> None:
    _write(
        tmp_path,
        settings="company: {name: A}\ntime_zone: Mars/Olympus\noperator: {email: nobody}\n"
        "mail: {sender: a@b.c, fallback_recipient: a@b.c}\nlanguge: zh\n",
        stages="stages:\n  - {key: a, name_en: A, name_zh: 甲}\n  - {key: b, name_en: A, name_zh: 乙, closed: won}\n",
    )
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    text = str(caught.value)
    assert "settings.yaml:2: time_zone: expected an IANA time zone" in text
    assert "settings.yaml:3: operator.email" in text
    assert "settings.yaml:5: languge: is not a known option" in text
    assert "'A' names two stages" in text
    assert caught.value.exit_code == 2


def test_a_mapping_to_columns_that_do_not_exist_is_refused(tmp_path: Path) -> None:
    source = (
        "sources:\n  crm:\n    entity: opportunity\n    path: x.csv\n    columns: {opportunity_id: Id, amout: Amount}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(_write(tmp_path, sources=source), {})
    assert "'amout' is not a column of opportunity" in str(caught.value)
    assert "opportunity needs 'stage', which nothing fills" in str(caught.value)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    columns = "columns: {product_id: Id, name: Name}"
    source = f'sources:\n  crm:\n    entity: product\n    path: "${{NOWHERE}}/x.csv"\n    {columns}\n'
    with pytest.raises(ConfigError, match="environment variable NOWHERE is not set"):
        load(_write(tmp_path, sources=source), {})


def test_variables_stand_in_the_options_of_a_crm(tmp_path: Path) -> None:
    source = (
        "sources:\n  crm:\n    entity: user\n    mode: delta\n    deleted: gone\n    columns: {user_id: id, name: n}\n"
        "    connect:\n      crm: odoo\n      object: res.users\n      url: 'https://${HOST}'\n"
        "      secrets: {key: KEY}\n"
        "      options: {database: '${DB}', user: a@b.c, domain: [[company_id.name, '=', '${NAME} & Co']], page: 9}\n"
    )
    folder = _write(tmp_path, sources=source)
    connect = load(folder, {"HOST": "odoo.test", "DB": "trial", "NAME": "Acme"}).sources.sources["crm"].connect
    assert connect is not None
    assert connect.url == "https://odoo.test"
    domain = [["company_id.name", "=", "Acme & Co"]]
    assert connect.options == {"database": "trial", "user": "a@b.c", "domain": domain, "page": 9}
    with pytest.raises(ConfigError, match="environment variable DB is not set"):
        load(folder, {"HOST": "odoo.test", "NAME": "Acme"})


def test_a_key_given_twice_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'language' is given twice"):
        load(
            _write(
                tmp_path,
                settings="language: zh\nlanguage: en\ncompany: {name: A}\noperator: {email: a@b.c}\n"
                "mail: {sender: a@b.c, fallback_recipient: a@b.c}\n",
            ),
            {},
        )


def test_paths_take_the_date_of_the_night_and_defaults_reach_each_source(tmp_path: Path) -> None:
    source = (
        'defaults: {decimal: ",", thousands: "."}\nsources:\n  crm:\n    entity: product\n'
        '    path: "in/{as_of:%Y%m%d}/x.csv"\n    columns: {product_id: Id, name: Name}\n'
        '  own:\n    entity: product\n    path: y.csv\n    decimal: "."\n    thousands: ","\n'
        "    columns: {product_id: Id, name: Name}\n"
    )
    sources = load(_write(tmp_path, sources=source), {}).sources.sources
    assert sources["crm"].paths(date(2026, 11, 20)) == ("in/20261120/x.csv",)
    assert (sources["crm"].decimal, sources["own"].decimal) == (",", ".")


def test_faults_of_hygiene_are_told_with_their_line(tmp_path: Path) -> None:
    settings = "company: {name: A}\noperator: {email: a@b.c}\nmail: {sender: a@b.c, fallback_recipient: a@b.c}\n"
    _write(
        tmp_path,
        settings=settings + "hygiene:\n  no_touch_working_days: 0\n  lying_signals: 4\n",
        stages="stages:\n  - key: a\n    name_en: A\n    name_zh: 甲\n    needs: [money]\n"
        "  - {key: won, name_en: Won, name_zh: 赢单, closed: won, needs: [need]}\n",
    )
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    text = str(caught.value)
    assert "settings.yaml:5: hygiene.no_touch_working_days: Input should be greater than or equal to 1; found 0" in text
    assert "settings.yaml:6: hygiene.lying_signals" in text
    assert "stages.yaml:5: stages.0.needs.0" in text
    assert "stages.yaml:6: stages.1: expected no needs" in text

"""How the mapped columns are written: dates, numbers, words for nothing, coded columns, currency, units."""

import re
from typing import get_args

import polars as pl

from flows.config.sources import Reading, Unit
from flows.ingest.headers import header_currency, header_unit
from flows.onboard.dates import DAY_FIRST, MONTH_FIRST, DateReading, read_dates, reads_all
from flows.onboard.funnel import QUARANTINE
from flows.onboard.profile import Profile, read_numbers
from flows.onboard.proposal import Draft
from flows.onboard.spellings import column_named
from flows.onboard.vocabulary import meanings, truths, vocabulary, word_key
from flows.onboard.wording import Question, Said
from schemas.registry import ENTITIES

_ORDERS = {"day-first": DAY_FIRST, "month-first": MONTH_FIRST}
_MANY = 25
_SCALE = re.compile(
    r"(?<![a-z])(?:lakhs?|lacs?|crores?|cr|mio|mrd|tsd|bn|billions?|thousands?|millions?|[kmbt](?=[€$£₹¥]))(?![a-z])|'000|000s",
    re.I,
)


def settle_values(draft: Draft, defaults: Reading, zone: str | None, currency: str | None) -> None:
    """Settle how every mapped column is read, or ask.

    Args:
        draft: with its columns filled; formats, units and maps are added to its entries.
        defaults: what holds where a source says nothing.
        zone: the company's time zone, None where that is not settled.
        currency: its reporting currency, None where that is not settled.
    """
    _settle_dates(draft, defaults, zone)
    _settle_codes(draft, defaults)
    _settle_numbers(draft, defaults)
    _settle_currency(draft, currency)
    _settle_nulls(draft, defaults)


def _mapped(draft: Draft) -> list[tuple[str, Profile, pl.DataType]]:
    dtypes = ENTITIES[draft.entity].dtypes()
    return [
        (canonical, draft.columns[entry["from"]], dtypes[canonical])
        for canonical, entry in draft.entries.items()
        if "from" in entry
    ]


# ---- dates ------------------------------------------------------------


def _settle_dates(draft: Draft, defaults: Reading, zone: str | None) -> None:
    dated = [(name, profile, dtype) for name, profile, dtype in _mapped(draft) if dtype in (pl.Date, pl.Datetime)]
    decided = _decided_order([profile for _, profile, _ in dated])
    settled: dict[str, tuple[str, ...] | None] = {}
    for canonical, profile, dtype in dated:
        if profile.is_moment or not len(profile.distinct):
            continue
        if profile.name not in settled:
            settled[profile.name] = _formats(draft, canonical, profile, decided)
        formats = settled[profile.name]
        if not formats:
            continue
        standard = defaults.moments if dtype == pl.Datetime else defaults.dates
        readable = profile.distinct.filter(~profile.distinct.is_in(_unread(profile, formats)))
        if not (set(formats) <= set(standard) or _same(readable, formats, standard)):
            draft.entries[canonical]["formats"] = list(formats)
    _settle_zone(
        draft, [(profile, settled.get(profile.name)) for _, profile, dtype in dated if dtype == pl.Datetime], zone
    )


def _settle_zone(draft: Draft, dated: list[tuple[Profile, tuple[str, ...] | None]], zone: str | None) -> None:
    """Ask for the company's zone where there are times of day: it also tells the day of a moment that has a zone."""
    timed = [(profile, formats or ()) for profile, formats in dated if _tells_time(profile, formats or ())]
    if timed and zone is None:
        draft.questions.append(
            Question("company.time_zone", Said("ask_zone"), ("Asia/Shanghai", "America/New_York", "Europe/Berlin"))
        )
    local = [profile.name for profile, formats in timed if not _tells_zone(profile, formats)]
    if local and zone is not None:
        draft.note("time_zone", columns=", ".join(dict.fromkeys(local)), zone=zone)


def _tells_time(profile: Profile, formats: tuple[str, ...]) -> bool:
    """Whether the values are more than days."""
    if not profile.is_moment:
        return any("%H" in text or "%I" in text for text in formats)
    found = profile.raw.drop_nulls()
    return found.dtype == pl.Datetime and bool((found != found.dt.truncate("1d")).any())


def _tells_zone(profile: Profile, formats: tuple[str, ...]) -> bool:
    return bool(getattr(profile.raw.dtype, "time_zone", None)) or "%z" in "".join(formats)


def _decided_order(dated: list[Profile]) -> tuple[str, str] | None:
    """Day or month first, and the column that decides it: an export writes all of its dates in one way."""
    for profile in dated:
        reading = profile.dates
        if reading and reading.order in (DAY_FIRST, MONTH_FIRST) and any("%m" in text for text in reading.formats):
            return reading.order, profile.name
    return None


def _formats(draft: Draft, canonical: str, profile: Profile, decided: tuple[str, str] | None) -> tuple[str, ...] | None:
    """The formats of a column; None where they are asked for."""
    answer = draft.answer(profile.name)
    if answer and "%" in answer:
        return (*answer.split("|"),)
    reading = profile.dates
    if reading is None:
        _ask_dates(draft, canonical, profile)
        return None
    if answer in _ORDERS:
        reading = read_dates(profile.distinct, _ORDERS[answer]) or reading
    if reading.formats:
        _tell_unread(draft, profile, reading, answer)
        return reading.formats
    choices = [formats[0] for _, formats in reading.choices]
    if reading.clash:
        (first, _), (second, _) = reading.choices[:2]
        said = Said(
            "ask_clash", column=profile.name, first=reading.clash[0], second=reading.clash[1], order=first, other=second
        )
        draft.ask(profile.name, said, choices, reading.clash)
        return None
    of_order = dict(reading.choices)
    if decided and decided[0] in of_order:
        draft.note("same_order", column=profile.name, order=decided[0], other=decided[1])
        return of_order[decided[0]]
    draft.ask(profile.name, Said("ask_order", column=profile.name), choices, profile.samples)
    return None


def _ask_dates(draft: Draft, canonical: str, profile: Profile) -> None:
    if ENTITIES[draft.entity].columns()[canonical].nullable and not profile.filled:
        return
    draft.ask(profile.name, Said("ask_dates", column=profile.name), ("ignore", "%d/%m/%Y"), profile.samples)


def _tell_unread(draft: Draft, profile: Profile, reading: DateReading, answer: str | None) -> None:
    """Words and slips among dates: the rows will be quarantined unless the word means that there is none."""
    unread = _unread(profile, reading.formats)
    if not unread:
        return
    if answer == "null":
        draft.nulls.extend(unread)
        return
    count = int(profile.counts.filter(pl.col("value").is_in(unread))["count"].sum())
    draft.note(
        "unread_dates", column=profile.name, count=count, samples=", ".join(unread[:3]), id=draft.id(profile.name)
    )


def _unread(profile: Profile, formats: tuple[str, ...]) -> list[str]:
    from flows.ingest.values import moments

    faults = moments(profile.distinct, formats, "UTC", ()).faults["not_a_moment"]
    return profile.distinct.filter(faults).to_list()


def _same(values: pl.Series, formats: tuple[str, ...], standard: tuple[str, ...]) -> bool:
    """Whether the formats that hold anyway read every value, and alike."""
    from flows.ingest.values import moments

    if not reads_all(values, standard, has_time=True):
        return False
    return moments(values, formats, "UTC", ()).values.equals(moments(values, standard, "UTC", ()).values)


# ---- coded columns ------------------------------------------------------------


def _settle_codes(draft: Draft, defaults: Reading) -> None:
    for canonical, profile, dtype in _mapped(draft):
        if canonical == "stage" or profile.raw.dtype == pl.Boolean:
            continue
        if dtype == pl.Boolean:
            spelled = {text.casefold() for text in (*defaults.booleans.true, *defaults.booleans.false)}
            if any(value.casefold() not in spelled for value in profile.distinct):
                _map_words(draft, canonical, profile, truths(), "ask_boolean", ("true", "false"))
            continue
        known = meanings(draft.entity, canonical)
        if not known or (
            canonical == "currency" and profile.is_currency and not set(profile.distinct) & {"RMB", "NTD"}
        ):
            continue
        allowed = tuple(dict.fromkeys(known.values()))
        if any(value not in allowed for value in profile.distinct):
            _map_words(draft, canonical, profile, known, "ask_value", allowed)


def _map_words(
    draft: Draft, canonical: str, profile: Profile, known: dict[str, str], code: str, allowed: tuple[str, ...]
) -> None:
    """Our word for every word of the file; strange ones are asked for, too many of them make another column of it."""
    mapping: dict[str, str] = {}
    strange = []
    for value, count in profile.counts.filter(pl.col("value").is_in(profile.distinct.implode())).iter_rows():
        answer = draft.answer(f"{profile.name}.{value}")
        meant = known.get(word_key(value)) or (
            value if value in allowed or (canonical == "currency" and len(value) == 3 and value.isupper()) else None
        )
        if answer == QUARANTINE:
            continue
        if answer is not None:
            mapping[value] = "" if answer == "null" else answer
        elif meant is not None:
            mapping[value] = meant
        else:
            strange.append((value, count))
    if len(strange) > _MANY and ENTITIES[draft.entity].columns()[canonical].nullable:
        del draft.entries[canonical]
        return
    for value, count in strange:
        said = Said(code, column=profile.name, value=value, count=count)
        draft.ask(f"{profile.name}.{value}", said, (*allowed, "null", QUARANTINE))
    draft.entries[canonical]["map"] = {
        value: meant == "true" if code == "ask_boolean" and meant else meant for value, meant in mapping.items()
    }
    pairs = ", ".join(f"{value} → {meant or 'null'}" for value, meant in mapping.items())
    if pairs:
        draft.note("value_guess", column=profile.name, pairs=pairs)


# ---- numbers and money ------------------------------------------------------------


def _settle_numbers(draft: Draft, defaults: Reading) -> None:
    numbers = [(name, profile, dtype) for name, profile, dtype in _mapped(draft) if dtype.is_numeric()]
    numbers = [(name, profile, dtype) for name, profile, dtype in numbers if not draft.entries[name].get("map")]
    units = {}
    for canonical, profile, dtype in numbers:
        unit = _unit_of(draft, canonical, profile) if isinstance(dtype, pl.Decimal) else None
        if unit in get_args(Unit) and unit != "元":
            units[canonical] = unit
            draft.entries[canonical]["unit"] = unit
            draft.note("unit", column=profile.name, unit=unit)
    found = read_numbers([(profile, dtype, units.get(canonical)) for canonical, profile, dtype in numbers])
    answer = draft.answer("decimal")
    if answer in (".", ","):
        found = [marks for marks in found if marks[0] == answer] or [(answer, "," if answer == "." else ".")]
    if len(found) > 1:
        names = ", ".join(profile.name for _, profile, _ in numbers)
        draft.ask(
            "decimal", Said("ask_marks", columns=names), (".", ","), [text for _, p, _ in numbers for text in p.samples]
        )
        return
    if not numbers:
        return
    decimal, thousands = found[0]
    if _reads_numbers_as(defaults, found[0], numbers):
        return
    if decimal != defaults.decimal:
        draft.options["decimal"] = decimal
    if thousands != defaults.thousands:
        draft.options["thousands"] = thousands


def _unit_of(draft: Draft, canonical: str, profile: Profile) -> str | None:
    """The unit that the header names, or a column of units beside it; one that is not known is asked for."""
    answer = draft.answer(f"{canonical}.unit")
    if answer in get_args(Unit):
        return answer
    named = header_unit(profile.name)
    if named:
        return named
    beside = column_named(draft, vocabulary()["unit_headers"])
    stated = [value for value in draft.columns[beside].distinct] if beside else []
    units = {header_unit(f"({value})") for value in stated}
    if len(units) == 1 and units <= {*get_args(Unit)}:
        return str(units.pop())
    unclear = (
        ", ".join(stated) if units & {*get_args(Unit)} else (found[0] if (found := _SCALE.search(profile.name)) else "")
    )
    if unclear:
        said = Said("ask_unit", column=profile.name, unit=unclear)
        draft.ask(f"{canonical}.unit", said, get_args(Unit), profile.samples)
    return None


def _reads_numbers_as(
    defaults: Reading, marks: tuple[str, str], numbers: list[tuple[str, Profile, pl.DataType]]
) -> bool:
    """Whether the marks that hold anyway are these, or there is nothing to read with marks."""
    texts = [profile for _, profile, _ in numbers if profile.raw.dtype == pl.String]
    plain = all(profile.distinct.str.contains(r"^-?\d+$").all() for profile in texts)
    return plain or marks == (defaults.decimal, defaults.thousands)


def _settle_currency(draft: Draft, reporting: str | None) -> None:
    columns = ENTITIES[draft.entity].columns()
    dtypes = ENTITIES[draft.entity].dtypes()
    money = [profile for _, profile, dtype in _mapped(draft) if isinstance(dtype, pl.Decimal) and dtype.scale == 2]
    if "currency" not in columns or "currency" in draft.entries or not money or "currency" not in dtypes:
        return
    answer = draft.answer("currency")
    named = next((code for profile in money if (code := header_currency(profile.name))), None)
    signs = list(dict.fromkeys(sign for profile in money for sign in profile.signs))
    known = vocabulary()["currencies"]
    unclear = vocabulary()["ambiguous_currencies"]
    signs = [sign for sign in signs if not sign.isalpha() or sign in {*_codes(), *known, *unclear}]
    codes = {known.get(sign, sign if sign in _codes() else None) for sign in signs}
    if answer:
        draft.entries["currency"] = {"value": answer}
    elif len(codes) == 1 and None not in codes:
        _constant_currency(draft, str(codes.pop()), signs[0])
    elif len(signs) == 1 and reporting in unclear.get(signs[0], ()):
        _constant_currency(draft, str(reporting), signs[0])
    elif signs:
        choices = tuple(code for sign in signs for code in unclear.get(sign, (known.get(sign, sign),)))
        draft.ask("currency", Said("ask_currency", sign=", ".join(signs)), choices, money[0].samples)
    elif named:
        _constant_currency(draft, named, money[0].name)
    else:
        draft.note("no_currency", currency=reporting or "company.reporting_currency")


def _codes() -> frozenset[str]:
    return frozenset("CNY RMB USD EUR GBP JPY HKD TWD SGD AUD CAD CHF SEK NOK DKK INR KRW NZD BRL MXN AED".split())


def _constant_currency(draft: Draft, code: str, why: str) -> None:
    code = {"RMB": "CNY"}.get(code, code)
    draft.entries["currency"] = {"value": code}
    draft.scores["currency"] = 0.9
    draft.note("currency_sign", sign=why, currency=code)


def _settle_nulls(draft: Draft, defaults: Reading) -> None:
    """Words for nothing in the mapped columns; the key's own words are left alone."""
    used = draft.used
    found = [word for name, profile in draft.columns.items() if name in used for word in profile.nulls]
    words = list(dict.fromkeys([*draft.nulls, *found]))
    missing = [word for word in words if word not in defaults.nulls]
    if missing:
        draft.options["nulls"] = list(dict.fromkeys([*defaults.nulls, *words]))
        draft.note("nulls", words=", ".join(repr(word) for word in missing))

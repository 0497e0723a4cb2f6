"""Names as people write them, and when two of them mean the same customer or person.

The rule, in the order in which it is tried:

1. **As written**: width, case, spaces, punctuation and brackets do not count, traditional characters are simplified.
   「騰飛科技（深圳）有限公司」 and 「腾飞科技深圳有限公司」 are one name.
2. **Without the legal form**: 「腾飞科技」 is 「腾飞科技有限公司」, "Acme" is "ACME Co., Ltd.", as long as only one
   known customer remains. Two names that both state a legal form, and not the same one (有限公司, 股份有限公司), are
   two companies. 集团 is no legal form: a group is not its members.

A masked name (``*科技``, ``某集团``, ``×××``, ``XX公司``) is never the same as any other, not even as itself: every
``*集团`` looks alike.
"""

import polars as pl

from flows.ingest.headers import simplified

LEGAL_FORMS: dict[str, tuple[str, ...]] = {
    "limited": (
        *("有限责任公司", "有限公司"),
        *("co ltd", "co limited", "company ltd", "company limited", "private limited", "pte ltd", "pvt ltd", "pty ltd"),
        *("ltd", "limited", "llc", "l l c", "gmbh", "mbh", "sarl", "srl", "bv", "sp z o o", "kft", "lda", "ltda"),
    ),
    "stock": (
        *("股份有限公司", "股份公司", "株式会社"),
        *("incorporated", "inc", "corporation", "corp", "plc", "ag", "sa", "spa", "nv", "ab", "asa", "oyj", "se", "kk"),
    ),
    "partnership": ("合伙企业有限合伙", "有限合伙", "合伙企业", "gmbh co kg", "kg", "ohg", "llp", "lp"),
    "": ("公司", "company", "co"),
}
"""Legal forms by kind, lower case and simplified; the last kind says no more than that it is a company."""

_MARKS = "*∗✱●○◯■□◆◇×"
_MASK = rf"[{_MARKS}某]+"
# XX公司 and 张XX hide something; Maxx and XXL do not.
_STANDING_X = (r"(^|[^a-z])x{2,}(\p{Han})", r"(\p{Han})x{2,}($|[^a-z])", "^()x{2,}()$")
_WILDCARD = "\ue000"
_HAN = r"\p{Han}"


def name_keys(names: pl.Series) -> pl.DataFrame:
    """What names are compared by.

    Args:
        names: as written; each is looked at once, so pass distinct ones.

    Returns:
        One row a name, in order: ``name``; ``key`` (as written); ``core`` (without the legal form); ``form`` (its kind,
        empty where the name states none); ``is_masked``; ``masked_key`` (``key`` with the masks as they are, by which a
        mapping sheet names it); ``pattern`` (for LIKE, of masked names). A name without any letter or digit has an
        empty key and is the same as no other.
    """
    plain = _plain(names)
    # A dot ends an abbreviation and parts nothing: S.A., Co.,Ltd.
    spaced = plain.str.replace_all(r"\.", "").str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    frame = pl.DataFrame({"name": names, "plain": plain, "spaced": spaced}).with_columns(
        key=_unspaced(pl.col("spaced")),
        before=pl.col("spaced").str.extract(_ENDING, 1),
        ending=pl.coalesce(pl.col("spaced").str.extract(_ENDING, part) for part in (2, 3)),
    )
    return frame.select(
        "name",
        "key",
        core=pl.coalesce(_unspaced(pl.col("before")), "key"),
        form=_unspaced(pl.col("ending")).replace_strict(_KINDS, default="", return_dtype=pl.String).fill_null(""),
        is_masked=masked(pl.col("plain")),
        masked_key=pl.col("plain").str.replace_all(rf"[^\p{{L}}\p{{N}}{_MARKS}]+", ""),
        pattern=_pattern(pl.col("plain")),
    )


def masked(text: pl.Expr) -> pl.Expr:
    """Whether a name hides a part of itself; ``text`` in normal width and lower case."""
    return pl.any_horizontal(text.str.contains(mask) for mask in (_MASK, *_STANDING_X)).fill_null(value=False)


def _plain(names: pl.Series) -> pl.Series:
    """In normal width, lower case and simplified characters, without line breaks."""
    wide = names.cast(pl.String).str.normalize("NFKC").str.to_lowercase().str.replace_all("ß", "ss", literal=True)
    flat = wide.str.replace_all(r"\p{Cf}+", "").str.replace_all(r"\s+", " ")
    has_han = flat.str.contains(_HAN).fill_null(value=False)
    if not has_han.any():
        return flat
    # One call for all names: the converter keeps line breaks, and the names have none.
    lines = simplified("\n".join(flat.filter(has_han).to_list())).split("\n")
    places = has_han.arg_true()
    return flat.scatter(places, pl.Series(lines, dtype=pl.String))


def _unspaced(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(" ", "", literal=True)


def _pattern(plain: pl.Expr) -> pl.Expr:
    """A masked name with ``%`` where it hides something, and nothing else but letters and digits."""
    hidden = plain.str.replace_all(_MASK, _WILDCARD)
    for mask in _STANDING_X:
        hidden = hidden.str.replace_all(mask, "${1}" + _WILDCARD + "${2}")
    kept = hidden.str.replace_all(rf"[^\p{{L}}\p{{N}}{_WILDCARD}]+", "")
    return kept.str.replace_all(_WILDCARD, "%", literal=True)


def _ending() -> str:
    """The name before its legal form, and the form; the longest form counts, and something must be left of the name."""
    forms = sorted((form for forms in LEGAL_FORMS.values() for form in forms), key=len, reverse=True)
    latin = "|".join(form for form in forms if form.isascii())
    han = "|".join(" ?".join(form) for form in forms if not form.isascii())
    return rf"^(.+?)(?: ({latin})| ?({han}))$"


_ENDING = _ending()
_KINDS = {form.replace(" ", ""): kind for kind, forms in LEGAL_FORMS.items() for form in forms}

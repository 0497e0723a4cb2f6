"""The check of a plan as a workbook: a sheet of verdicts, one row a statement, and a sheet of reasons."""

from collections.abc import Iterable
from pathlib import Path

from flows.config.settings import Language
from flows.planning.check.verdicts import LETTERS, Report
from flows.planning.check.wording import heading, kind_said, letter_said, reason, title, verdict_said

_COLOURS = {"fail": "#F8CBAD", "warn": "#FFE699", "pass": "#C6E0B4"}


def write_check(reports: Iterable[Report], path: Path, language: Language) -> Path:
    """Write one pair of sheets a fiscal year; every text is a text, whatever it begins with."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        plain = book.add_format({"text_wrap": True, "valign": "top"})
        verdicts = {
            verdict: book.add_format({"bg_color": colour, "valign": "top"}) for verdict, colour in _COLOURS.items()
        }
        for report in reports:
            sheet = book.add_worksheet(f"SMART {report.year}")
            sheet.write_string(0, 0, title(report, language), book.add_format({"bold": True}))
            columns = [heading("kind", language), heading("item", language), heading("version", language)]
            sheet.write_row(2, 0, [*columns, *(letter_said(letter, language) for letter in LETTERS)], head)
            reasons = book.add_worksheet(f"{heading('reason', language)} {report.year}")
            reasons.write_row(
                0, 0, [*columns, *(heading(name, language) for name in ("letter", "verdict", "reason"))], head
            )
            line = 1
            for number, judged in enumerate(report.judged, start=3):
                own = (kind_said(judged.item, language), judged.item.name, judged.item.version or "")
                for column, cell in enumerate(own):
                    sheet.write_string(number, column, cell, plain)
                for column, letter in enumerate(LETTERS, start=len(own)):
                    verdict = judged.verdict(letter)
                    sheet.write_string(
                        number, column, verdict_said(verdict, language), verdicts.get(str(verdict), plain)
                    )
                    if verdict is None:
                        continue
                    said = (
                        letter_said(letter, language),
                        verdict_said(verdict, language),
                        reason(judged, letter, language),
                    )
                    for place, cell in enumerate((*own, *said)):
                        reasons.write_string(line, place, cell, plain)
                    line += 1
            sheet.freeze_panes(3, 2)
            sheet.set_column(1, 1, 44)
            sheet.set_column(3, 2 + len(LETTERS), 12)
            reasons.freeze_panes(1, 0)
            reasons.set_column(1, 1, 40)
            reasons.set_column(5, 5, 110)
            reasons.autofilter(0, 0, max(line - 1, 1), 5)
    return path

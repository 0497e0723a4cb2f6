"""Why a row was not accepted, in words a salesperson understands. One code, one sentence a language."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Reason:
    """One cause of quarantine."""

    en: str
    zh: str


REASONS: dict[str, Reason] = {
    "required": Reason(
        "This field must be filled in.",
        "此项必填，不能为空。",
    ),
    "not_a_date": Reason(
        "This is not a date that can be read; write it like the other rows of the file.",
        "日期无法识别，请按文件中其他行的格式填写。",
    ),
    "not_a_moment": Reason(
        "This is not a date and time that can be read; write it like the other rows of the file.",
        "日期时间无法识别，请按文件中其他行的格式填写。",
    ),
    "ambiguous_date": Reason(
        "Day and month of this date cannot be told apart; write the year first, as in 2024-05-20.",
        "日期中的日与月无法区分，请把年份写在最前面，例如 2024-05-20。",
    ),
    "two_digit_year": Reason(
        "The year of this date has two digits; write all four.",
        "年份只有两位数，请写全四位年份。",
    ),
    "estimate": Reason(
        "This amount is an estimate; write the number that counts, and the doubt under remarks.",
        "这是估计值，请填写确定的数字，不确定之处写入备注。",
    ),
    "range": Reason(
        "This is a range and not one number; write the number that counts.",
        "这是一个区间，请填写一个确定的数字。",
    ),
    "not_a_number": Reason(
        "This is not a number that can be read; keep words and notes out of the field.",
        "数字无法识别，请不要在此项中填写文字或备注。",
    ),
    "too_many_decimals": Reason(
        "The amount has a fraction of a cent; round it to two decimals.",
        "金额小数位过多（不足一分），请保留两位小数。",
    ),
    "not_whole": Reason(
        "A whole number is expected here.",
        "此项应为整数。",
    ),
    "lost_digits": Reason(
        "This id was saved as a number and has lost its last digits; make the column a text column and export again.",
        "该编号被存成了数字，末尾几位已丢失，请将此列设为文本格式后重新导出。",
    ),
    "not_a_boolean": Reason(
        "Only yes or no is expected here.",
        "此项只能填写“是”或“否”。",
    ),
    "unknown_value": Reason(
        "This value is not in the list of known values; correct it, or ask for it to be added.",
        "该值不在已知选项中，请更正，或联系管理员添加。",
    ),
    "out_of_range": Reason(
        "This value lies outside of what is possible here; check it for a slip of the keyboard.",
        "数值超出合理范围，请检查是否输入有误。",
    ),
    "negative": Reason(
        "A negative number is not possible here.",
        "此项不能为负数。",
    ),
    "too_long": Reason(
        "This text is too long.",
        "文字过长。",
    ),
    "bad_format": Reason(
        "This is not written as expected: an id has no line break, a currency is three capital letters.",
        "格式不符：编号中不能换行，币种应为三位大写字母。",
    ),
    "other_currency": Reason(
        "The amount names another currency than its row; correct one of the two.",
        "金额中的币种与该行的币种不一致，请更正其中之一。",
    ),
    "shares_not_100": Reason(
        "The shares in the terms of payment do not add up to 100 %.",
        "付款方式中的各期比例合计不是 100%，请更正。",
    ),
    "formula_not_computed": Reason(
        "The cell holds a formula whose result was never saved; open the file in a spreadsheet program and save it.",
        "单元格中的公式没有保存计算结果，请用表格软件打开文件并保存。",
    ),
    "cell_error": Reason(
        "The cell shows an error such as #REF!; mend its formula.",
        "单元格显示错误（如 #REF!），请修正公式。",
    ),
    "shared_amount": Reason(
        "One amount is merged over several rows, and what belongs to each cannot be told; write each row's own amount.",
        "一个金额合并在多行上，无法判断每行各占多少，请拆分单元格并逐行填写。",
    ),
    "total_row": Reason(
        "A total or subtotal; it follows from the other rows.",
        "合计或小计行，由其他行得出。",
    ),
    "repeated_header": Reason(
        "The header once more.",
        "重复的表头。",
    ),
    "note_row": Reason(
        "A note and not a record.",
        "说明文字，不是记录。",
    ),
    "blank_row": Reason(
        "An empty row, or one of spaces only.",
        "空行。",
    ),
    "hidden_row": Reason(
        "The row is hidden, and hidden rows are set aside by configuration.",
        "隐藏的行，按配置不予采用。",
    ),
    "ragged_row": Reason(
        "The row has more or fewer fields than the header; often a comma or a quotation mark in a text.",
        "该行的列数与表头不一致，通常是文字中含有逗号或引号所致。",
    ),
    "not_json": Reason(
        "The line is not one JSON object.",
        "该行不是有效的 JSON 对象。",
    ),
    "duplicate_key": Reason(
        "The record occurs more than once; the first, or the one changed last, was kept.",
        "记录重复，已保留第一条或最近修改的一条。",
    ),
    "ambiguous_duplicate": Reason(
        "Several rows have the same id but differ, and none is known to be the newest; keep the right one.",
        "多行编号相同但内容不同，且无法判断哪一行最新，请只保留正确的一行。",
    ),
    "ambiguous_name": Reason(
        "It cannot be told whom this name means; write the full name or the id, or enter it in the mapping sheet.",
        "无法确定这个名称指的是谁，请填写全称或编号，或在名称对照表中登记。",
    ),
    "file_refused": Reason(
        "The whole file could not be used; see the message of the file.",
        "整个文件无法使用，请查看该文件的提示信息。",
    ),
    "failed_check": Reason(
        "This value does not pass a check of its column.",
        "该值未通过本列的校验。",
    ),
}

_BY_CHECK = {
    "not_nullable": "required",
    "str_length": "too_long",
    "str_matches": "bad_format",
    "isin": "unknown_value",
    "in_range": "out_of_range",
    "less_than": "out_of_range",
    "greater_than": "out_of_range",
    "greater_than_or_equal_to": "out_of_range",
}


def reason_of_check(check: str) -> str:
    """The reason code for a failed pandera check, by its name in the failure cases, such as ``isin(['zh', 'en'])``."""
    if check == "greater_than_or_equal_to(0)":
        return "negative"
    return _BY_CHECK.get(check.partition("(")[0], "failed_check")


def with_sentences(failures: pl.DataFrame) -> pl.DataFrame:
    """Add ``reason_en`` and ``reason_zh`` to a frame with ``reason_code`` and perhaps ``expected`` (examples)."""
    codes = list(REASONS)
    code = pl.col("reason_code")
    en = code.replace_strict(codes, [REASONS[name].en for name in codes], return_dtype=pl.String)
    zh = code.replace_strict(codes, [REASONS[name].zh for name in codes], return_dtype=pl.String)
    if "expected" in failures.columns:
        examples = pl.col("expected")
        en = pl.when(examples.is_null()).then(en).otherwise(pl.format("{} For example: {}.", en, examples))
        zh = pl.when(examples.is_null()).then(zh).otherwise(pl.format("{}例如：{}。", zh, examples))
    return failures.with_columns(reason_en=en, reason_zh=zh)

"""What onboarding says and asks, in Chinese and English: one code, one sentence a language."""

from dataclasses import dataclass
from typing import Any, Literal

Language = Literal["zh", "en"]


class Said:
    """A sentence with its particulars: what was assumed, noted or warned of."""

    def __init__(self, code: str, **particulars: Any) -> None:
        self.code = code
        self.particulars = particulars

    def text(self, language: Language) -> str:
        """The sentence."""
        return SENTENCES[self.code][language == "zh"].format(**self.particulars)


@dataclass(frozen=True)
class Question:
    """What the file does not tell.

    Attributes:
        id: how an answer names it: ``source.column``, as in ``--answer 'deals.Close Date=%d/%m/%Y'``.
        said: the question.
        choices: answers that fit, where there are few; else empty.
        samples: values it is about.
    """

    id: str
    said: Said
    choices: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


SENTENCES: dict[str, tuple[str, str]] = {
    # what was assumed
    "encoding": (
        "The text reads as {value} ({sample}); if that looks wrong, another encoding is meant.",
        "文本按 {value} 读取（{sample}）；如显示不对，请改用其他编码。",
    ),
    "mode_full": (
        "Taken as a full export: what a later file lacks counts as deleted. If it only ever adds rows: {id}=append.",
        "按全量导出处理：之后的文件中缺少的记录视为已删除。如只追加新行，请回答 {id}=append。",
    ),
    "mode_append": (
        "Taken as a record that only grows: what a later file lacks stays. If it shows all that exists: {id}=full.",
        "按追加导出处理：之后的文件中缺少的记录予以保留。如每次都是全量，请回答 {id}=full。",
    ),
    "mode_delta": (
        "{column} marks {count} rows as deleted: they are taken as gone. What a later file merely lacks stays.",
        "{column} 标明 {count} 行已删除：这些记录视为已删除；之后的文件中仅仅缺少的记录予以保留。",
    ),
    "key_name": (
        "There is no id: {column} is unique in all {rows} rows and serves as {canonical}. Renamed means new.",
        "没有编号：{column} 在全部 {rows} 行中唯一，用作 {canonical}。改名后会视为新记录。",
    ),
    "key_concat": (
        "There is no id: {column} together are unique in all {rows} rows and serve as {canonical}.",
        "没有编号：{column} 合起来在全部 {rows} 行中唯一，用作 {canonical}。",
    ),
    "key_repeats": (
        "{canonical} is not unique ({column}): {count} of {rows} rows repeat another in all mapped columns: merged.",
        "{canonical} 不唯一（{column}）：{rows} 行中有 {count} 行与其他行的映射列完全相同，将合并。",
    ),
    "key_not_unique": (
        "{column} is not unique: {count} of {rows} rows share theirs with a different row; they will be quarantined.",
        "{column} 不唯一：{rows} 行中有 {count} 行编号相同而内容不同，将被隔离。",
    ),
    "left_out": (
        "{column} has several values for one {key}, and {canonical} can hold one: it is left out.",
        "同一 {key} 有多个 {column}，而 {canonical} 只能有一个：不映射此列。",
    ),
    "manager_team": (
        "The managers in {column} are not among the people of this file: those they lead are taken as a team.",
        "{column} 中的经理不在本文件的人员中：其下属视为一个团队。",
    ),
    "one_date": (
        "{column} is the only closing date: it is the expected one of open deals and the actual one of closed deals.",
        "{column} 是唯一的成交日期：未结束的商机视为预计日期，已结束的视为实际日期。",
    ),
    "same_order": (
        "{column}: every value can be read day first or month first; read {order}, as {other} of this file decides.",
        "{column}：所有值按日在前或月在前都能读；依据本文件的 {other} 列，按 {order} 读取。",
    ),
    "time_zone": (
        "{columns}: times carry no zone and count as times of {zone} (time_zone of the settings).",
        "{columns}：时间不带时区，按 {zone}（设置中的 time_zone）处理。",
    ),
    "no_currency": (
        "Amounts name no currency and count in the reporting currency ({currency}).",
        "金额未注明币种，按本位币（{currency}）处理。",
    ),
    "currency_sign": ("Amounts are in {currency} ({sign}).", "金额为 {currency}（{sign}）。"),
    "unit": ("{column} is in {unit}; amounts are multiplied.", "{column} 的单位是{unit}，金额会换算。"),
    "nulls": ("These words stand for nothing: {words}.", "以下内容视为空值：{words}。"),
    "constant": ("{canonical} is {value} for every row ({why}).", "{canonical} 每行均为 {value}（{why}）。"),
    "outcome": (
        "Whether a deal is won or lost stands in {outcome}, beside its stage in {stage}: both together make the stage.",
        "赢单或输单记录在 {outcome} 中，阶段在 {stage} 中：两列合并为阶段。",
    ),
    "open_with_reason": (
        "{count} deals have a {column} and stand in an open stage: they count as open. If they are lost, export the "
        "column that says so (status, active), too.",
        "{count} 个商机填有 {column} 却处于进行中的阶段：按进行中处理。如已输单，请同时导出表明结果的列（如状态）。",
    ),
    "dated_name": (
        "The file's name holds a date. If every day has its own file: {id}={path}",
        "文件名中有日期。如每天一个文件，请回答 {id}={path}",
    ),
    "dated_files": (
        "Several files differ only by the date in their name: each is the export of that day.",
        "多个文件仅文件名中的日期不同：各为当日的导出。",
    ),
    "by_name": (
        "{canonical} is filled with names ({column}), for which ids are found in users or accounts.",
        "{canonical} 为名称（{column}），将按其他来源中的用户或客户对应到编号。",
    ),
    "several_in_one": (
        "{column} names several in one cell ({sample}), and {canonical} holds one: such a cell will find no match.",
        "{column} 的一个单元格中有多个值（{sample}），而 {canonical} 只能有一个：这样的单元格将无法对应。",
    ),
    "weak_match": (
        "{column} is taken for {canonical} by part of its name; correct it with {id}=…",
        "{column} 按部分名称视为 {canonical}；如不对，请回答 {id}=…",
    ),
    "value_guess": ("{column}: {pairs}.", "{column}：{pairs}。"),
    "unread_dates": (
        "{column}: {count} rows hold no date ({samples}) and will be quarantined; if that means empty: {id}=null",
        "{column}：{count} 行不是日期（{samples}），将被隔离；如表示空值，请回答 {id}=null",
    ),
    "template": (
        "Recognised as the process template {entity}: columns follow from the header.",
        "识别为流程模板 {entity}：列按表头自动对应。",
    ),
    "stage_order": (
        "Stages not in stages.yaml yet, in this order: {stages}. If the order is another: stages.order=A > B > …",
        "stages.yaml 中尚无的阶段，顺序为：{stages}。如顺序不对，请回答 stages.order=A > B > …",
    ),
    "stage_alias": ("{spelling} is another spelling of the stage {key}.", "“{spelling}”是阶段 {key} 的另一种写法。"),
    "settings_new": (
        "{what} is taken as {value}; correct it in settings.yaml, or with {id}=…",
        "{what} 取为 {value}；如不对，请在 settings.yaml 中更正，或回答 {id}=…",
    ),
    "mails_are_files": (
        "Mails are written as files until settings.yaml names a mail server and addresses.",
        "在 settings.yaml 填写邮件服务器和地址之前，邮件以文件形式保存。",
    ),
    # what is asked
    "ask_entity": (
        "What does a row of {place} stand for? Closest: {found}.",
        "{place} 中的一行代表什么？最接近的是：{found}。",
    ),
    "ask_order": (
        "{column}: day or month first? Every value can be read either way.",
        "{column}：日在前还是月在前？所有值两种读法都可以。",
    ),
    "ask_clash": (
        "{column} mixes orders: {first} reads only {order}, {second} only {other}. Which one? The rest is quarantined.",
        "{column} 混用了两种顺序：{first} 只能按 {order} 读，{second} 只能按 {other} 读。以哪种为准？其余将被隔离。",
    ),
    "ask_dates": (
        "{column} should be a date and reads as none in any known format. Which format is it, or is it to be ignored?",
        "{column} 应为日期，但没有已知格式能读取。是什么格式？或忽略此列？",
    ),
    "ask_column": ("Which column fills {canonical}? {why}", "{canonical} 由哪一列填充？{why}"),
    "ask_unread": (
        "{column} is called like {canonical} and its values do not read as that. Take it and set aside the rows that "
        "cannot be read, or ignore it?",
        "{column} 的名称像 {canonical}，但其值不能这样读取。仍按此映射（读不了的行将被隔离），还是忽略此列？",
    ),
    "ask_unit": (
        "{column}: in which unit are the amounts ({unit})?",
        "{column}：金额的单位是什么（{unit}）？",
    ),
    "ask_rival": (
        "Which column fills {canonical}: {columns}? Both fit equally well.",
        "{canonical} 由哪一列填充：{columns}？两者同样合适。",
    ),
    "ask_key": (
        "Which columns tell the rows apart ({canonical})? No column and no two or three of them do. Join them with +.",
        "用哪些列区分各行（{canonical}）？没有任何一列或两三列的组合唯一。多列用 + 连接。",
    ),
    "ask_marks": (
        "Which mark stands before the decimals ({columns})? The numbers can be read both ways.",
        "小数点是哪个符号（{columns}）？数字有两种读法。",
    ),
    "ask_currency": ("Which currency is meant by {sign}?", "{sign} 指哪种货币？"),
    "ask_value": ("{column}: what does {value} mean ({count} rows)?", "{column}：“{value}”是什么意思（{count} 行）？"),
    "ask_outcome": (
        "{column}: are the deals with {value} ({count} rows) open, won or lost?",
        "{column}：“{value}”的商机（{count} 行）是进行中、赢单还是输单？",
    ),
    "ask_boolean": (
        "{column}: does {value} mean true or false ({count} rows)?",
        "{column}：“{value}”表示是还是否（{count} 行）？",
    ),
    "ask_stage": (
        "Is {value} ({count} deals) won, lost or open? Or another spelling of a known stage?",
        "“{value}”（{count} 个商机）是赢单、输单还是进行中？或是已有阶段的另一种写法？",
    ),
    "ask_stage_order": (
        "In which order do the open stages follow? Join them with >.",
        "进行中的阶段按什么顺序？用 > 连接。",
    ),
    "ask_company": ("What is the company called?", "公司名称是什么？"),
    "ask_country": (
        "In which country does the company work? Its public holidays are no working days. A code or a name.",
        "公司在哪个国家或地区？其法定节假日不计为工作日。可填代码或名称。",
    ),
    "ask_reporting_currency": ("In which currency does the company report?", "公司的本位币是什么？"),
    "ask_zone": (
        "In which time zone does the company work? It tells what times without a zone mean, and the day of a moment.",
        "公司在哪个时区？不带时区的时间按它读取，每个时刻属于哪一天也由它决定。",
    ),
}

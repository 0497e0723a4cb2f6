"""The words of the demo company: stages, products, names of people, customers and cities, as its files write them."""

OPEN_STAGES = 5
WON, LOST = 5, 6
STAGE_KEYS = ("prospecting", "qualification", "proposal", "negotiation", "contracting", "won", "lost")
STAGES_ZH = ("客户开发", "需求挖掘", "方案定制", "商务谈判", "合同签订", "已成交", "流失")
STAGES_EN = ("Prospecting", "Qualification", "Proposal", "Negotiation", "Contracting", "Closed Won", "Closed Lost")
CATEGORIES_EN = ("pipeline", "pipeline", "best_case", "best_case", "commit", "closed", "omitted")
CATEGORIES_ZH = ("管道", "管道", "最佳情况", "最佳情况", "承诺", "已关闭", "忽略")

REGIONS = ("华东", "华南", "华北", "International")
EAST, SOUTH, NORTH, INTERNATIONAL = range(4)
REGION_SHARE = (0.34, 0.26, 0.18, 0.22)
CURRENCIES = ("CNY", "USD", "HKD")
AMOUNT_PREFIX = ("￥", "$", "HKD ")

SEGMENTS = ("中小企业", "中型企业", "大型企业")
SEGMENT_SHARE = (0.5, 0.35, 0.15)
SIZE_BANDS = ("100人以下", "100-500人", "500-1000人", "1000人以上")
INDUSTRIES = ("制造业", "零售", "金融", "物流", "医疗", "教育", "互联网", "能源")
INDUSTRY_SHARE = (0.26, 0.16, 0.12, 0.12, 0.1, 0.08, 0.1, 0.06)

SOURCES = ("官网", "转介绍", "展会", "电话开发", "渠道伙伴", "线上广告", "老客户")
SOURCE_SHARE = (0.22, 0.14, 0.17, 0.18, 0.11, 0.1, 0.08)
FALLING_SOURCE, ADVERTS = 2, 5
QUALITIES_ZH = ("高", "中", "低")

PRODUCTS = (
    ("P-100", "生产执行系统", "制造", 380_000),
    ("P-110", "设备联网套件", "制造", 160_000),
    ("P-200", "客户数据平台", "数据", 260_000),
    ("P-210", "经营分析看板", "数据", 90_000),
    ("P-300", "仓储管理云", "供应链", 220_000),
    ("P-310", "运输协同云", "供应链", 140_000),
    ("P-400", "实施服务", "服务", 60_000),
    ("P-410", "年度维保", "服务", 40_000),
)
PRODUCT_SHARE = (0.2, 0.15, 0.15, 0.13, 0.14, 0.11, 0.07, 0.05)

LOSS_REASONS = ("价格", "竞争对手", "无预算", "需求取消", "决策延迟", "功能不符", "失去联系")
LOSS_SHARE = (0.22, 0.2, 0.17, 0.12, 0.13, 0.08, 0.08)
COMPETITORS = ("远图软件", "BlueRiver", "中宏信息", "Stratia")
BUYING_ELEMENTS = ("预算", "决策人", "需求", "时间")
BUYING_ELEMENT_SETS = tuple(
    "、".join(name for bit, name in enumerate(BUYING_ELEMENTS) if bits >> bit & 1) for bits in range(1, 16)
)
"""Every set of buying elements but the empty one, as one cell of the export; number 1 stands first."""
GATHERED_BY_STAGE = (
    (0.1, 0.3, 0.6, 0.86, 0.95, 0.97),
    (0.15, 0.4, 0.65, 0.85, 0.94, 0.96),
    (0.3, 0.72, 0.9, 0.96, 0.98, 0.99),
    (0.1, 0.35, 0.55, 0.8, 0.95, 0.98),
)
"""Share of deals of which each element is known once they have reached a stage, and when won."""
NEXT_STEPS = (
    "约决策人见面",
    "发送方案",
    "补充报价",
    "产品演示",
    "确认预算",
    "跟进合同条款",
    "等待客户内部审批",
    "安排现场调研",
)
ACTIVITY_TYPES = ("call", "email", "meeting", "demo", "task")
ACTIVITY_SUBJECTS = ("跟进电话", "Sent the proposal", "现场拜访", "产品演示", "整理需求")
OBJECTION_TYPES = ("价格太高", "担心交付周期", "已有供应商", "缺少案例", "功能不足", "决策流程复杂")
OBJECTION_SHARE = (0.3, 0.18, 0.17, 0.13, 0.12, 0.1)
OBJECTION_RESPONSES = ("给出投资回报测算", "提供分期实施计划", "安排同行业案例参观", "演示替代功能", "邀请高层会面")
ANSWER_THAT_WORKS = 2
REQUIREMENT_TYPES = ("功能需求", "性能需求", "集成需求", "服务需求")
REQUIREMENT_TEXTS = (
    "支持多工厂排产",
    "对接现有财务系统",
    "报表按事业部权限隔离",
    "移动端审批",
    "历史数据迁移",
    "双语界面",
)
PAIN_POINTS = ("排产靠手工表格", "库存不准", "数据口径不一", "审批慢", "系统孤岛")
SOLUTIONS = ("标准产品加少量配置", "分两期上线", "接口定制", "私有化部署", "先试点再推广")
PRIORITIES = ("高", "中", "低")

PAYMENT_TERMS = (
    ("100%验收款", (1.0,), (45,)),
    ("30%预付款,70%验收款", (0.3, 0.7), (7, 90)),
    ("30%预付款,60%验收款,10%质保金", (0.3, 0.6, 0.1), (7, 90, 360)),
    ("50%预付款,50%验收款", (0.5, 0.5), (10, 75)),
)
PAYMENT_SHARE = (0.25, 0.4, 0.2, 0.15)
DELIVERY_TERMS = ("30天", "60天", "90天", "分期交付")
MAIN_TERMS = ("软件许可及一年维保", "实施服务及培训", "云服务订阅三年", "定制开发及驻场支持")

SURNAMES = (
    ("王", "wang"), ("李", "li"), ("张", "zhang"), ("刘", "liu"), ("陈", "chen"), ("杨", "yang"), ("赵", "zhao"),
    ("黄", "huang"), ("周", "zhou"), ("吴", "wu"), ("徐", "xu"), ("孙", "sun"), ("胡", "hu"), ("朱", "zhu"),
    ("高", "gao"), ("林", "lin"), ("何", "he"), ("郭", "guo"), ("马", "ma"), ("罗", "luo"), ("梁", "liang"),
    ("宋", "song"), ("郑", "zheng"), ("谢", "xie"), ("韩", "han"), ("唐", "tang"), ("冯", "feng"), ("于", "yu"),
)  # fmt: skip
GIVEN_NAMES = (
    ("伟", "wei"), ("芳", "fang"), ("娜", "na"), ("敏", "min"), ("静", "jing"), ("磊", "lei"), ("洋", "yang"),
    ("艳", "yan"), ("勇", "yong"), ("杰", "jie"), ("婷", "ting"), ("浩", "hao"), ("雪", "xue"), ("晨", "chen"),
    ("宇", "yu"), ("佳怡", "jiayi"), ("子轩", "zixuan"), ("思远", "siyuan"), ("梦琪", "mengqi"), ("建国", "jianguo"),
    ("文博", "wenbo"), ("晓明", "xiaoming"), ("志强", "zhiqiang"), ("雨桐", "yutong"), ("海燕", "haiyan"),
)  # fmt: skip
FIRST_NAMES = (
    "Anna", "Ben", "Carla", "David", "Emma", "Felix", "Grace", "Henry", "Isla", "James", "Karen", "Liam", "Maya",
    "Noah", "Olivia", "Peter", "Quinn", "Rosa", "Simon", "Tara", "Uma", "Victor", "Wendy", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Adams", "Baker", "Carter", "Dalton", "Evans", "Fischer", "Garcia", "Hughes", "Ivanov", "Jensen", "Keller",
    "Larsen", "Meyer", "Novak", "Owens", "Patel", "Quist", "Rossi", "Silva", "Turner", "Ueda", "Vega", "Walsh",
)  # fmt: skip

CITIES = (
    ("上海", "苏州", "杭州", "南京", "宁波", "无锡", "合肥", "温州"),
    ("广州", "深圳", "东莞", "佛山", "厦门", "珠海", "南宁", "海口"),
    ("北京", "天津", "青岛", "济南", "石家庄", "太原", "大连", "沈阳"),
    ("Pacific", "Northern", "Harbour", "Summit", "Atlas", "Meridian", "Coastal", "Evergreen"),
)
WORDS_ZH = (
    "恒", "瑞", "华", "远", "盛", "鑫", "泰", "博", "创", "达", "丰", "海", "佳", "康", "联", "明",
    "宁", "鹏", "启", "荣", "顺", "天", "伟", "新", "信", "兴", "亚", "永", "元", "正", "中", "卓",
)  # fmt: skip
WORDS_EN = (
    "Oak", "Stone", "River", "Bright", "Clear", "Gold", "Iron", "Silver", "West", "East", "High", "Long", "Green",
    "Blue", "Red", "White", "Swift", "Strong", "True", "New", "Old", "Grand", "Prime", "First", "Star", "Sun", "Moon",
    "Sea", "Sky", "Field", "Wood", "Hill",
)  # fmt: skip
SUFFIXES_ZH = (
    "科技有限公司",
    "制造有限公司",
    "贸易有限公司",
    "集团有限公司",
    "物流有限公司",
    "电子有限公司",
    "实业有限公司",
    "医疗器械有限公司",
)
SUFFIXES_EN = (" Ltd", " GmbH", ", Inc.", " Pte Ltd", " Group", " Foods, Inc.", " Logistics", " Systems")
TITLES = ("采购经理", "信息部主任", "总经理", "生产总监", "财务总监", "IT Manager", "Procurement Lead", "COO")
CHANNELS = ("大卖场", "连锁便利店", "夫妻店", "电商仓")

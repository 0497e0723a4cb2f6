"""All canonical entities by name: the one list from which ingest, the change log and the dbt sources are made."""

from schemas.account import Account
from schemas.activity import Activity
from schemas.base import Entity
from schemas.contact import Contact
from schemas.contract import Contract
from schemas.customer_record import CustomerRecord
from schemas.fx_rate import FxRate
from schemas.headcount import Headcount
from schemas.identity_link import IdentityLink
from schemas.initiative import Initiative
from schemas.lead import Lead
from schemas.line_item import LineItem
from schemas.objection import Objection
from schemas.opportunity import Opportunity
from schemas.opportunity_history import OpportunityHistory
from schemas.payment import Payment
from schemas.product import Product
from schemas.requirement import Requirement
from schemas.stage_progress import StageProgress
from schemas.store import Store
from schemas.store_visit import StoreVisit
from schemas.target import Target
from schemas.user import User

ENTITIES: dict[str, type[Entity]] = {
    "user": User,
    "account": Account,
    "contact": Contact,
    "lead": Lead,
    "opportunity": Opportunity,
    "opportunity_history": OpportunityHistory,
    "activity": Activity,
    "product": Product,
    "line_item": LineItem,
    "contract": Contract,
    "payment": Payment,
    "requirement": Requirement,
    "objection": Objection,
    "stage_progress": StageProgress,
    "customer_record": CustomerRecord,
    "store": Store,
    "store_visit": StoreVisit,
    "target": Target,
    "headcount": Headcount,
    "initiative": Initiative,
    "fx_rate": FxRate,
    "identity_link": IdentityLink,
}

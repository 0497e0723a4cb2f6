"""Salesforce Bulk API 2.0: query jobs over any object, with deleted rows, and the history of opportunities.

A pull is one query job: made, waited for, and its CSV fetched in sets, each named by a locator, until the locator is
``null``. The job stands in the cursor: a pull that was cut off goes on in the same job, with the same API version, as
long as Salesforce keeps it (7 days); a job that is gone, aborted or failed is made anew. Changes are found by
``SystemModstamp`` (``CreatedDate`` where an object has none), from a while before the last pull began.

``queryAll`` delivers deleted rows with ``IsDeleted``, as long as they lie in the recycle bin; what was purged before a
pull saw it is found by comparing ids.

Landed fields are the fields asked for, as text, null where empty; relationships by their path (``Account.Name``). With
``options.history`` on ``OpportunityFieldHistory``, ``NewValue`` stands once more under the name of the field that
changed; of the two rows Salesforce writes for a lookup, the one with the id counts.
"""

import base64
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import polars as pl

from flows.errors import PermanentError
from flows.ingest.crm.http import Authorization, PullFailed, PullRefused, Session
from flows.ingest.crm.protocol import Connector, Cursor, Page, Record
from flows.ingest.crm.responses import Garbled, Verdict, judge_status, read_json

VERSION = "62.0"
MARGIN_MINUTES = 15
"""A long transaction shows its changes some time after the moment it stamps them with."""
SET_RECORDS = 20_000
LONGEST_JOB = 3_600.0
"""Seconds to wait for a job; a longer one is waited for by the next try."""
JOBS = 3
"""How often a job that was lost or failed is made anew in one pull."""
API_SHARE = 0.95
"""Share of the day's API calls, of all that use the organisation, beyond which a pull leaves the rest to others."""
A_DAY = 86_400.0
_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
_COMPOUND = frozenset({"address", "location", "base64"})
_GONE = frozenset({400, 404})
_AN_ID = r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?"


class Salesforce(Connector):
    """One object of one organisation."""

    options: ClassVar[frozenset[str]] = frozenset(
        {"api_version", "fields", "history", "margin_minutes", "set_records", "api_share", "username", "audience"}
    )
    needs = ("client_id",)
    key = "Id"
    deleted: str | None = "IsDeleted"

    def _faults(self) -> Iterator[str]:
        yield from super()._faults()
        if not self.connect.url:
            yield "expected url: https://<my domain>.my.salesforce.com"
        if not (self.secrets.get("client_secret") or self.secrets.get("private_key")):
            yield "expected the secret client_secret (client credentials) or private_key (JWT bearer)"
        elif not self.secrets.get("client_secret") and not self.connect.options.get("username"):
            yield "expected options.username: a private key speaks for a user"

    @property
    def base_url(self) -> str:
        """The organisation's own domain; the token's answer names the instance."""
        return self.connect.url or ""

    @property
    def _data(self) -> str:
        return f"services/data/v{self.connect.options.get('api_version', VERSION)}"

    # -- access ------------------------------------------------------------------------------------------------------

    def authorize(self, session: Session) -> Authorization:
        """A new access token: by client credentials, or by a signed assertion where a private key is given."""
        if self.secrets.get("client_secret"):
            form = {"grant_type": "client_credentials", "client_secret": self.secrets["client_secret"]}
            form["client_id"] = self.secrets["client_id"]
        else:
            form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": self._assertion(session)}
        session.hide(*form.values())
        answer = session.call(
            "POST", f"{self.base_url}/services/oauth2/token", read=read_json, form=form, authorized=False
        )
        return Authorization(
            {"Authorization": f"Bearer {answer['access_token']}"}, base_url=answer.get("instance_url") or self.base_url
        )

    def _assertion(self, session: Session) -> str:
        """A JWT signed with RS256, good for three minutes."""
        claims = {
            "iss": self.secrets["client_id"],
            "sub": self.connect.options["username"],
            "aud": self.connect.options.get("audience", "https://login.salesforce.com"),
            "exp": int(session.vendor_now()) + 180,
        }
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return f"{signed}.{_base64url(sign_rs256(self.secrets['private_key'], signed.encode(), session.place))}"

    def judge(self, response: Any) -> Verdict:
        """By status; the day's limit of API calls is a matter for tomorrow, and some of it is left to others."""
        verdict = judge_status(response)
        if "REQUEST_LIMIT_EXCEEDED" in verdict.message:
            return Verdict("again", verdict.message, A_DAY)
        used = re.search(r"api-usage=(\d+)/(\d+)", response.headers.get("Sforce-Limit-Info", ""))
        share = float(self.connect.options.get("api_share", API_SHARE))
        if verdict.kind == "ok" and used and int(used[1]) > share * int(used[2]):
            message = (
                f"{used[1]} of the {used[2]} API calls of the day are used, the rest is left to others (api_share)"
            )
            return Verdict("again", message, A_DAY)
        return verdict

    # -- pulling -----------------------------------------------------------------------------------------------------

    def pull(self, session: Session, since: Cursor | None) -> Iterator[Page]:
        """The sets of one query job."""
        described = self._describe(session)
        fields = self._fields(session, described)
        stamp = next((name for name in _STAMPS if name in described), None)
        cursor = since if since and "started" in since else self._begin(session, since)
        soql = f"SELECT {', '.join(fields)} FROM {self.connect.object}"  # noqa: S608 (names are checked)
        if cursor["since"] and stamp:
            soql += f" WHERE {stamp} >= {cursor['since']}"
        for records, position in self._query(session, soql, fields, cursor):
            yield Page([self._landed(record) for record in records], position)
        yield Page([], {"since": cursor["started"]})

    def _begin(self, session: Session, since: Cursor | None) -> Cursor:
        margin = timedelta(minutes=float(self.connect.options.get("margin_minutes", MARGIN_MINUTES)))
        start = None if since is None else _soql(datetime.fromisoformat(since["since"]) - margin)
        return {"since": start, "started": _soql(datetime.fromtimestamp(session.vendor_now(), UTC))}

    def sweep(self, session: Session, since: Cursor | None) -> Iterator[Page] | None:
        """The ids of all rows that are not deleted."""
        soql = f"SELECT Id FROM {self.connect.object}"  # noqa: S608 (names are checked)
        return (
            Page(records, position) for records, position in self._query(session, soql, ["Id"], since or {}, live=True)
        )

    def _landed(self, record: Record) -> Record:
        history = self.connect.options.get("history", ())
        if not history:
            return record
        value = record.get("NewValue")
        is_name = record.get("DataType") == "EntityId" and not re.fullmatch(_AN_ID, value or "")
        changed = None if is_name else record.get("Field")
        return {**record, **{name: value if name == changed else None for name in history}}

    # -- jobs --------------------------------------------------------------------------------------------------------

    def _query(
        self, session: Session, soql: str, fields: list[str], cursor: Cursor, *, live: bool = False
    ) -> Iterator[tuple[list[Record], Cursor]]:
        """The sets of a job, each with the position after it; first of all the job itself, without records."""
        for _ in range(JOBS):
            if not cursor.get("job"):
                cursor = {**cursor, "job": self._create(session, soql, live=live), "locator": None}
                yield [], cursor
            try:
                self._wait_for(session, cursor["job"])
                while cursor["locator"] != "null":
                    records, locator = self._set(session, cursor["job"], cursor["locator"], fields)
                    cursor = {**cursor, "locator": locator}
                    yield records, cursor
            except _JobLost as lost:
                reason = str(lost)
                cursor = {**cursor, "job": None}
            else:
                return
        raise PullFailed(
            f"{session.place}: {JOBS} query jobs were lost, the last one because {reason}. Run again later."
        )

    def _create(self, session: Session, soql: str, *, live: bool) -> str:
        operation = "queryAll" if self.tells_deleted and not live else "query"
        body = {
            "operation": operation,
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        return str(session.post(f"{self._data}/jobs/query", body)["id"])

    def _wait_for(self, session: Session, job: str) -> None:
        waited, wait = 0.0, 1.0
        while True:
            try:
                answer = session.get(f"{self._data}/jobs/query/{job}")
            except PullRefused as refused:
                if refused.status not in _GONE:
                    raise
                raise _JobLost(f"Salesforce no longer has it ({refused})") from None
            state = answer["state"]
            if state == "JobComplete":
                return
            if state == "Failed" and re.match(r"[A-Z_]*(INVALID|MALFORMED)", str(answer.get("errorMessage", ""))):
                raise PullRefused(f"{session.place}: {session.clean(answer['errorMessage'])}. Mend what it names.")
            if state in ("Failed", "Aborted"):
                raise _JobLost(f"it was {state.lower()}: {session.clean(str(answer.get('errorMessage') or ''))}")
            if waited >= LONGEST_JOB:
                raise PullFailed(
                    f"{session.place}: its query job {job} is not done after {waited:.0f} s. Run again later; the job "
                    "goes on and is then fetched."
                )
            session.pause(wait)
            waited, wait = waited + wait, min(wait * 1.5, 30.0)

    def _set(self, session: Session, job: str, locator: str | None, fields: list[str]) -> tuple[list[Record], str]:
        """One set of results, and the locator of the next."""

        def read(response: Any) -> tuple[list[Record], str]:
            records = read_csv(response.content, fields)
            stated = response.headers.get("Sforce-NumberOfRecords")
            if stated is not None and int(stated) != len(records):
                raise Garbled(f"{stated} records were announced, {len(records)} came")
            return records, response.headers.get("Sforce-Locator", "null")

        params: dict[str, Any] = {"maxRecords": int(self.connect.options.get("set_records", SET_RECORDS))}
        try:
            return session.call(
                "GET",
                f"{self._data}/jobs/query/{job}/results",
                read=read,
                params=params if locator is None else {**params, "locator": locator},
                headers={"Accept": "text/csv"},
            )
        except PullRefused as refused:
            if refused.status not in _GONE:
                raise
            raise _JobLost(f"its results can no longer be had ({refused})") from None

    # -- fields ------------------------------------------------------------------------------------------------------

    def _describe(self, session: Session) -> dict[str, str]:
        """Types of the object's fields by name."""
        if not re.fullmatch(r"\w+", self.connect.object):
            raise PullRefused(f"{session.place}: expected the name of an object, such as Opportunity.")
        answer = session.get(f"{self._data}/sobjects/{self.connect.object}/describe")
        return {field["name"]: field["type"] for field in answer["fields"]}

    def _fields(self, session: Session, described: dict[str, str]) -> list[str]:
        """Fields to ask for: those that are mapped or ignored, those listed, or all; and what a pull itself needs.

        Raises:
            PullRefused: one is not there, or is no field that a query can name.
        """
        listed = self.connect.options.get("fields", ())
        needed = ["Id", *(name for name in (*_STAMPS[:1], "IsDeleted") if name in described)]
        history = set(self.connect.options.get("history", ()))
        if history:
            needed += ["Field", "NewValue", "DataType"]
        if listed == "all":
            wanted = [name for name, kind in described.items() if kind not in _COMPOUND]
        else:
            columns = [*self.source.columns.values(), *([self.source.deleted] if self.source.deleted else [])]
            mapped = [name for column in columns for name in column.source_columns]
            wanted = [*(name for name in (*mapped, *self.source.ignore) if name not in history), *listed]
        fields = list(dict.fromkeys([*needed, *wanted]))
        unknown = [name for name in fields if name not in described and not re.fullmatch(r"\w+(\.\w+)+", name)]
        if unknown:
            raise PullRefused(
                f"{session.place}: expected the fields {', '.join(unknown)}; {self.connect.object} has none of that "
                "name that the user may see. Write API names (…__c), and check the field-level security."
            )
        return fields


class _JobLost(Exception):
    """A job that has to be made anew."""


connect = Salesforce


def read_csv(content: bytes, fields: list[str]) -> list[Record]:
    """The rows of a set of results as records of ``fields``; a header line is recognised and not a row.

    Raises:
        Garbled: it is no CSV of so many columns.
    """
    if not content.strip():
        return []
    try:
        frame = pl.read_csv(io.BytesIO(content), has_header=False, infer_schema=False, raise_if_empty=False)
    except pl.exceptions.PolarsError:
        raise Garbled("the CSV is not whole") from None
    if frame.width != len(fields):
        raise Garbled(f"expected {len(fields)} columns, found {frame.width}")
    frame.columns = fields
    first = [str(value).lower() for value in frame.row(0)]
    rows = frame.slice(1 if first == [name.lower() for name in fields] else 0)
    return rows.with_columns(pl.all().replace("", None)).to_dicts()


def sign_rs256(private_key: str, message: bytes, place: str) -> bytes:
    r"""The RSA-SHA256 signature of a message.

    Args:
        private_key: in PEM; ``\n`` may stand for its line ends.
        message: what is signed.
        place: named in an error.

    Raises:
        PermanentError: the key cannot be read.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    pem = private_key.replace("\\n", "\n").encode()
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise PermanentError(f"{place}: expected the secret private_key to be an RSA key in PEM, without a passphrase.")
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _soql(moment: datetime) -> str:
    """A moment as SOQL writes it, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Salesforce's OAuth token endpoint and Bulk API 2.0 query jobs as their documentation describes them, in memory."""

import base64
import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.crm_servers.server import Call, CrmServer, Refusal, Reply, iso

CLIENT, SECRET, USER = "3MVG9-client-id", "client-s3cr3t-0123456789", "integration@example.com"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
COMMON = {"Id": "id", "IsDeleted": "boolean", "CreatedDate": "datetime", "SystemModstamp": "datetime"}
OBJECTS = {
    "Opportunity": {
        **COMMON,
        "Name": "string",
        "StageName": "picklist",
        "Amount": "currency",
        "CloseDate": "date",
        "AccountId": "reference",
        "OwnerId": "reference",
        "LeadSource": "picklist",
        "NextStep": "string",
        "ForecastCategory": "picklist",
        "LastModifiedDate": "datetime",
    },
    "Account": {
        **COMMON,
        "Name": "string",
        "Industry": "picklist",
        "NumberOfEmployees": "int",
        "BillingCountry": "string",
        "OwnerId": "reference",
        "ParentId": "reference",
        "MasterRecordId": "reference",
        "BillingAddress": "address",
    },
    "User": {
        **{name: kind for name, kind in COMMON.items() if name != "IsDeleted"},
        "Name": "string",
        "Email": "email",
        "ManagerId": "reference",
        "UserRole.Name": "string",
        "IsActive": "boolean",
    },
    "OpportunityHistory": {
        **COMMON,
        "OpportunityId": "reference",
        "StageName": "picklist",
        "Amount": "currency",
        "CloseDate": "date",
        "ForecastCategory": "picklist",
    },
    "OpportunityFieldHistory": {
        **{name: kind for name, kind in COMMON.items() if name != "SystemModstamp"},
        "OpportunityId": "reference",
        "Field": "picklist",
        "OldValue": "anyType",
        "NewValue": "anyType",
        "DataType": "picklist",
    },
}


@dataclass
class Job:
    """A query job; it sees the data as they are when it gets to work."""

    operation: str
    query: str
    version: str
    polls: int = 0
    state: str = "UploadComplete"
    error: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class SalesforceServer(CrmServer):
    """Rows by object and id.

    Attributes:
        set_records: rows of a set of results at most, whatever ``maxRecords`` says.
        public_key: of the connected app, for the JWT bearer flow.
        polls: how often a job is asked for before it is done.
        used: API calls of the day, of ``allowed``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, dict[str, dict[str, str]]] = {name: {} for name in OBJECTS}
        self.jobs: dict[str, Job] = {}
        self.tokens: list[str] = []
        self.set_records = 2
        self.polls = 1
        self.public_key: RSAPublicKey | None = None
        self.used, self.allowed = 0, 1_000_000
        self.extra_header = True
        self._ids = 0

    # -- what people do ------------------------------------------------------------------------------------------

    def create(self, kind: str, **fields: str) -> str:
        self._ids += 1
        identifier = f"006{self._ids:012d}AAA"
        self.objects[kind][identifier] = {"Id": identifier, "IsDeleted": "false", "CreatedDate": iso(self.clock)}
        self.update(kind, identifier, **fields)
        return identifier

    def update(self, kind: str, identifier: str, **fields: str) -> None:
        self.clock += timedelta(milliseconds=1)
        self.objects[kind][identifier].update(fields, SystemModstamp=iso(self.clock))

    def delete(self, kind: str, identifier: str) -> None:
        self.update(kind, identifier, IsDeleted="true")

    def undelete(self, kind: str, identifier: str) -> None:
        self.update(kind, identifier, IsDeleted="false")

    def purge(self, kind: str, identifier: str) -> None:
        """Out of the recycle bin."""
        del self.objects[kind][identifier]

    def live(self, kind: str) -> dict[str, dict[str, str]]:
        return {i: row for i, row in self.objects[kind].items() if row["IsDeleted"] == "false"}

    # -- the API -------------------------------------------------------------------------------------------------

    def fault(self, name: str) -> Reply | None:
        if name == "expired":
            self.tokens.clear()
            return Reply(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
        if name == "limit":
            return Reply(403, [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}])
        if name in ("job_gone", "job_aborted", "job_failed"):
            for job in list(self.jobs):
                if name == "job_gone":
                    del self.jobs[job]
                else:
                    self.jobs[job].state = "Aborted" if name == "job_aborted" else "Failed"
                    self.jobs[job].error = "" if name == "job_aborted" else "InternalServerError: try again"
            return Reply(503, {"message": "in maintenance"})
        return super().fault(name)

    def route(self, call: Call) -> Reply:
        if call.path == "/services/oauth2/token":
            return self._token(call)
        self.used += 1
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            raise Refusal(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
        routes: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", r"/services/data/v(\d+\.0)/sobjects/(\w+)/describe", self._describe),
            ("POST", r"/services/data/v(\d+\.0)/jobs/query", self._create),
            ("GET", r"/services/data/v(\d+\.0)/jobs/query/(\w+)", self._state),
            ("GET", r"/services/data/v(\d+\.0)/jobs/query/(\w+)/results", self._results),
        ]
        for method, pattern, answer in routes:
            found = re.fullmatch(pattern, call.path)
            if found:
                if method != call.method:
                    raise _refusal(405, "METHOD_NOT_ALLOWED", call.method)
                reply = answer(call, *found.groups())
                reply.headers["Sforce-Limit-Info"] = f"api-usage={self.used}/{self.allowed}"
                return reply
        raise _refusal(404, "NOT_FOUND", "The requested resource does not exist")

    def _token(self, call: Call) -> Reply:
        form = call.body
        if call.method != "POST" or not isinstance(form, dict):
            raise Refusal(400, {"error": "invalid_request", "error_description": "expected a form"})
        if form.get("grant_type") == "client_credentials":
            if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
                raise Refusal(400, {"error": "invalid_client", "error_description": f"bad {form['client_secret']}"})
        elif form.get("grant_type") == JWT_GRANT:
            self._check_assertion(form.get("assertion", ""))
        else:
            raise Refusal(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})
        self.tokens.append(f"00D!AQ.token-{len(self.calls)}")
        return Reply(body={"access_token": self.tokens[-1], "instance_url": self.url, "token_type": "Bearer"})

    def _check_assertion(self, assertion: str) -> None:
        try:
            head, claims, signature = assertion.split(".")
            assert self.public_key is not None
            self.public_key.verify(
                _decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
            told = json.loads(_decoded(claims))
            assert (told["iss"], told["sub"], told["aud"]) == (CLIENT, USER, "https://login.salesforce.com")
            assert 0 < told["exp"] - self.clock.timestamp() <= 300
        except (ValueError, AssertionError, InvalidSignature, KeyError):
            raise Refusal(400, {"error": "invalid_grant", "error_description": "invalid assertion"}) from None

    def _describe(self, _: Call, __: str, kind: str) -> Reply:
        if kind not in OBJECTS:
            raise _refusal(404, "NOT_FOUND", "The requested resource does not exist")
        fields = [{"name": name, "type": type_} for name, type_ in OBJECTS[kind].items() if "." not in name]
        return Reply(body={"name": kind, "fields": fields})

    def _create(self, call: Call, version: str) -> Reply:
        body = call.body
        if not isinstance(body, dict) or set(body) - {
            "operation", "query", "contentType", "columnDelimiter", "lineEnding",
        }:  # fmt: skip
            raise _refusal(400, "JSON_PARSER_ERROR", str(body))
        if body.get("operation") not in ("query", "queryAll"):
            raise _refusal(400, "INVALIDJOB", "operation")
        parsed = re.fullmatch(r"SELECT ([\w., ]+) FROM (\w+)( WHERE (\w+) >= (\S+))?", body["query"])
        if not parsed or parsed[2] not in OBJECTS:
            raise _refusal(400, "MALFORMED_QUERY", body["query"])
        for name in [*parsed[1].split(", "), *([parsed[4]] if parsed[4] else [])]:
            kind = OBJECTS[parsed[2]].get(name)
            if kind is None or kind in ("address", "location"):
                raise _refusal(400, "INVALID_FIELD", f"No such column '{name}'")
        identifier = f"750R{len(self.jobs):014d}"
        self.jobs[identifier] = Job(body["operation"], body["query"], version)
        return Reply(body=self._told(identifier))

    def _job(self, identifier: str, version: str) -> Job:
        job = self.jobs.get(identifier)
        if job is None or job.version != version:
            raise _refusal(404, "NOT_FOUND", "The requested resource does not exist")
        return job

    def _told(self, identifier: str) -> dict[str, Any]:
        job = self.jobs[identifier]
        told = {"id": identifier, "operation": job.operation, "state": job.state, "apiVersion": float(job.version)}
        return told | ({"errorMessage": job.error} if job.error else {})

    def _state(self, call: Call, version: str, identifier: str) -> Reply:
        if call.params:
            raise _refusal(400, "INVALID_PARAMETER", str(call.params))
        job = self._job(identifier, version)
        job.polls += 1
        if job.state == "UploadComplete" and job.polls > self.polls:
            self._work(job)
        return Reply(body=self._told(identifier))

    def _work(self, job: Job) -> None:
        parsed = re.fullmatch(r"SELECT ([\w., ]+) FROM (\w+)( WHERE (\w+) >= (\S+))?", job.query)
        assert parsed is not None
        job.header = tuple(parsed[1].split(", "))
        rows = []
        for row in self.objects[parsed[2]].values():
            if job.operation == "query" and row["IsDeleted"] == "true":
                continue
            if parsed[3] and datetime.fromisoformat(row[parsed[4]]) < datetime.fromisoformat(parsed[5]):
                continue
            rows.append(tuple(row.get(name, "") for name in job.header))
        job.rows, job.state = tuple(rows), "JobComplete"

    def _results(self, call: Call, version: str, identifier: str) -> Reply:
        if set(call.params) - {"locator", "maxRecords"}:
            raise _refusal(400, "INVALID_PARAMETER", str(call.params))
        if call.headers.get("accept") != "text/csv":
            raise _refusal(406, "NOT_ACCEPTABLE", call.headers.get("accept", ""))
        job = self._job(identifier, version)
        if job.state != "JobComplete":
            raise _refusal(400, "INVALIDJOBSTATE", f"Invalid job state {job.state}")
        start = 0
        if "locator" in call.params:
            owner, _, offset = _decoded(call.params["locator"]).decode(errors="replace").partition(":")
            if owner != identifier or not offset.isdigit():
                raise _refusal(400, "INVALID_LOCATOR", "the locator is invalid")
            start = int(offset)
        size = min(self.set_records, int(call.params.get("maxRecords", self.set_records)))
        shown = job.rows[start : start + size]
        stream = io.StringIO()
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([job.header, *shown] if self.extra_header or not start else shown)
        more = start + size < len(job.rows)
        locator = base64.urlsafe_b64encode(f"{identifier}:{start + size}".encode()).rstrip(b"=").decode()
        return Reply(
            body=stream.getvalue().encode(),
            headers={
                "Content-Type": "text/csv",
                "Sforce-NumberOfRecords": str(len(shown)),
                "Sforce-Locator": locator if more else "null",
            },
        )


def _refusal(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, [{"message": message, "errorCode": code}])


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""

"""The open API of 纷享销客 as its documentation describes it, in memory: HTTP 200 always, limits, ids, tokens."""

import uuid
from collections import deque
from datetime import timedelta
from typing import Any

from tests.crm_servers.server import Call, CrmServer, Reply

APP = {"appId": "FSAID_131", "appSecret": "app-s3cret-abcdef", "permanentCode": "perm-c0de-123456"}
USER, CORP = "FSUID_77", "FSCID_9"
DEFINED = ("name", "sales_stage", "amount", "owner", "close_date", "create_time", "last_modified_time", "is_deleted")


class Failed(Exception):
    """A code other than 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.body = {"errorCode": code, "errorMessage": message, "traceId": "E-O.1"}


class FxiaokeServer(CrmServer):
    """One object, ``OpportunityObj``, by id."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, Any]] = {}
        self.token = ""
        self.page = 100
        self.per_window = 100
        self._sent: deque[float] = deque()
        self._traces: set[str] = set()
        self._ids = 0

    def create(self, **fields: Any) -> str:
        self._ids += 1
        identifier = f"{self._ids:024x}"
        self.records[identifier] = {
            "_id": identifier,
            "is_deleted": False,
            "owner": ["1042"],
            "create_time": self._ms(),
        }
        self.update(identifier, **fields)
        return identifier

    def update(self, identifier: str, **fields: Any) -> None:
        self.clock += timedelta(milliseconds=1)
        self.records[identifier].update(fields, last_modified_time=self._ms())

    def delete(self, identifier: str) -> None:
        del self.records[identifier]

    def fault(self, name: str) -> Reply | None:
        codes = {"expired": 20016, "busy": -1, "limit": 14001, "day": 30002, "timeout": 50009}
        if name == "expired":
            self.token = ""
        if name in codes:
            return Reply(body={"errorCode": codes[name], "errorMessage": f"{name} {self.token}"})
        return super().fault(name)

    def route(self, call: Call) -> Reply:
        try:
            return Reply(body={"errorCode": 0, "errorMessage": "success", "traceId": "E-O.1", **self._answer(call)})
        except Failed as failed:
            return Reply(body=failed.body)

    def _answer(self, call: Call) -> dict[str, Any]:
        trace = call.params.get("thirdTraceId", "")
        if uuid.UUID(trace).version != 4 or trace in self._traces or set(call.params) != {"thirdTraceId"}:
            raise Failed(15002, "thirdTraceId")
        self._traces.add(trace)
        if call.method != "POST" or not isinstance(call.body, dict):
            raise Failed(12004, "POST的数据包为空")
        if call.path == "/cgi/corpAccessToken/get/V2":
            if call.body != APP:
                raise Failed(20006, f"appId或appSecret错误 {call.body.get('appSecret')}")
            self.token = self.token or f"corp-token-{len(self.calls)}"
            return {"corpAccessToken": self.token, "corpId": CORP, "expiresIn": 7200}
        if call.path != "/cgi/crm/v2/data/query":
            raise Failed(10006, f"the request uri=[{call.path}] is not exists")
        return {"data": self._query(call)}

    def _query(self, call: Call) -> dict[str, Any]:
        now = self.clock.timestamp()
        while self._sent and self._sent[0] <= now - 20:
            self._sent.popleft()
        if len(self._sent) >= self.per_window:
            raise Failed(14001, "接口调用超过限制")
        self._sent.append(now)
        body = call.body
        if not self.token or body.get("corpAccessToken") != self.token:
            raise Failed(20016, "corpAccessToken不存在或者已经过期")
        if (body.get("corpId"), body.get("currentOpenUserId")) != (CORP, USER):
            raise Failed(20012, "openUserId未找到")
        if set(body) != {"corpAccessToken", "corpId", "currentOpenUserId", "data"}:
            raise Failed(15002, "参数不合法")
        query = body["data"]["search_query_info"]
        if body["data"]["dataObjectApiName"] != "OpportunityObj":
            raise Failed(15002, "对象不存在")
        if set(query) - {"limit", "offset", "filters", "orders", "fieldProjection", "find_explicit_total_num"}:
            raise Failed(15002, "参数不合法")
        if query["offset"] + query["limit"] > 10_000 or not 1 <= query["limit"] <= 100:
            raise Failed(10013, "offset out of range 10000")
        if query["orders"] != [{"fieldName": "_id", "isAsc": True}]:
            raise Failed(15002, "this server sorts by _id only")
        found = [
            record for _, record in sorted(self.records.items()) if all(_fits(record, f) for f in query["filters"])
        ]
        shown = found[query["offset"] : query["offset"] + min(query["limit"], self.page)]
        names = {"_id", *query["fieldProjection"]}
        rows = [{name: value for name, value in record.items() if name in names} for record in shown]
        return {"dataList": rows, "offset": query["offset"], "limit": query["limit"], "total": 0}

    def _ms(self) -> int:
        return int(self.clock.timestamp() * 1000)


def _fits(record: dict[str, Any], rule: dict[str, Any]) -> bool:
    if set(rule) != {"field_name", "field_values", "operator"} or not isinstance(rule["field_values"], list):
        raise Failed(15002, "filters")
    value, stated = record.get(rule["field_name"]), rule["field_values"][0]
    if rule["operator"] == "GT":
        return bool(value > stated)
    if rule["operator"] == "GTE":
        return bool(value >= stated)
    raise Failed(15002, f"operator {rule['operator']}")

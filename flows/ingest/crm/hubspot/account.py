"""What all objects of a HubSpot account share: the token of a private app, its limits, and how HubSpot refuses."""

import json
from collections.abc import Mapping
from typing import Any

from flows.ingest.crm.http import Authorization, Session
from flows.ingest.crm.protocol import Connector
from flows.ingest.crm.responses import Verdict, judge_status

URL = "https://api.hubapi.com"
A_DAY = 86_400.0
_WAITS = {"DAILY": A_DAY, "TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}


class HubSpot(Connector):
    """What all objects share: the token of a private app, and how HubSpot refuses."""

    needs = ("token",)

    @property
    def base_url(self) -> str:
        """The API of all accounts, unless the configuration names another."""
        return self.connect.url or URL

    @property
    def limit(self) -> tuple[int, float] | None:
        """Just under what the smallest account may send."""
        return 95, 10.0

    def authorize(self, session: Session) -> Authorization:
        """The private app's token; it does not expire, so a refused one stays refused."""
        return Authorization({"Authorization": f"Bearer {self.secrets['token']}"})

    def judge(self, response: Any) -> Verdict:
        """By status; a limit says which one it is, and none of them says how long it lasts."""
        verdict = judge_status(response)
        if response.status_code == 429 and "Retry-After" not in response.headers:
            return Verdict("again", verdict.message, _WAITS.get(_policy(response), 10.0))
        return verdict


def next_after(answer: Mapping[str, Any]) -> str | None:
    """The cursor to the next page, None on the last one."""
    after = ((answer.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def _policy(response: Any) -> str:
    try:
        return str(json.loads(response.content).get("policyName", ""))
    except (ValueError, AttributeError):
        return ""

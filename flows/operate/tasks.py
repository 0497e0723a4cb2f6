"""What all tasks share at the Prefect edge: one way to declare a stage, one way to leave an artifact."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from prefect import task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext

from flows.errors import TransientError

RETRIES = 2
RETRY_DELAY_SECONDS = 5


def stage_task(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Declare a stage of the night as a task: shown under its name, tried again only after a transient error.

    Nothing is cached or persisted by Prefect: what a stage has finished stands in the run's own manifest. Outside of a
    Prefect run (its server could not be reached) the stage is a plain function.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        shown = task(
            name=name,
            retries=RETRIES,
            retry_delay_seconds=RETRY_DELAY_SECONDS,
            retry_condition_fn=_is_transient,
            cache_policy=NO_CACHE,
            persist_result=False,
        )(function)

        @wraps(function)
        def stage(*arguments: Any) -> Any:
            return shown(*arguments) if FlowRunContext.get() else function(*arguments)

        return stage

    return declare


def show_table(key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
    """Leave a table beside the task run."""
    if FlowRunContext.get():
        create_table_artifact(key=key, table=[dict(row) for row in rows], description=description)


def show_text(key: str, markdown: str) -> None:
    """Leave a text beside the task run."""
    if FlowRunContext.get():
        create_markdown_artifact(key=key, markdown=markdown)


def show_link(key: str, link: str, text: str) -> None:
    """Leave a link beside the task run."""
    if FlowRunContext.get():
        create_link_artifact(key=key, link=link, link_text=text)


async def _is_transient(_task: Any, _run: Any, state: Any) -> bool:
    try:
        await state.aresult() if hasattr(state, "aresult") else await state.result(fetch=True)
    except TransientError:
        return True
    except Exception:  # noqa: BLE001 (whatever else it was, trying again is not the remedy)
        return False
    return False

"""The least that a flow costs: three tasks that do nothing, without a server of their own."""

from prefect import flow, task


@task
def step(number: int) -> int:
    """Do nothing."""
    return number


@flow(name="bare")
def bare() -> int:
    """Three tasks in a row."""
    return step(step(step(1)))


if __name__ == "__main__":
    bare()

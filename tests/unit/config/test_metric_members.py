"""Which stages and kinds of activities become metrics of their own: those that the configuration names."""

from flows.config.plan.metrics import members_named


def test_members_are_found_wherever_a_configuration_names_them():
    plan = {
        "versions": (
            {"targets": [{"metric": "bookings"}, {"metric": "activities:拜访"}]},
            {"funnel": ({"metric": "entered:proposal", "to": "won_count"}, {"metric": "leads", "to": "entered:demo"})},
        ),
        "goals": [{"name": "activities:no metric", "metric": None}],
    }
    assert members_named([plan, {"metric": "entered: "}]) == {"activities:拜访", "entered:proposal", "entered:demo"}

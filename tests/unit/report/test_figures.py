"""Geometry of the page's drawings, on numbers worked out by hand."""

from decimal import Decimal

import pytest

from flows.report.figures import bar_width, funnel_bands, gauge, tone_of


def test_half_of_the_scale_points_straight_up():
    drawn = gauge(0.5, 0.5, "good")

    assert drawn.fill == "M20,100 A80,80 0 0 1 100.0,20.0"
    assert drawn.tick == (100.0, 32.0, 100.0, 8.0)


def test_a_gauge_ends_at_its_scale_and_starts_at_nothing():
    assert gauge(9.0, None, "good").fill == gauge(1.0, None, "good").track == "M20,100 A80,80 0 0 1 180.0,100.0"
    assert gauge(0, 0.5, "bad").fill == gauge(None, None, "none").fill == ""
    assert gauge(None, None, "none").tick is None


@pytest.mark.parametrize(("part", "whole", "width"), [("50", "200", 25), ("300", "200", 100), ("-5", "200", 0)])
def test_bars_stay_within_their_track(part, whole, width):
    assert bar_width(Decimal(part), Decimal(whole)) == width


def test_a_bar_without_target_is_empty():
    assert bar_width(Decimal(5), None) == bar_width(None, Decimal(5)) == bar_width(Decimal(5), Decimal(0)) == 0


def test_funnel_bands_are_as_wide_as_their_values_and_empty_stages_stay_visible():
    first, empty, last = funnel_bands([100, 0, 50])

    assert first.points.startswith("0.0,0.0 320.0,0.0")
    assert empty.points.startswith("156.8,0.0 163.2,0.0")
    assert last.points == "80.0,0.0 240.0,0.0 240.0,44.0 80.0,44.0"
    assert funnel_bands([0, 0]) and funnel_bands([]) == []


@pytest.mark.parametrize(("pace", "tone"), [(0.95, "good"), (0.9, "warn"), (0.74, "bad"), (None, "none")])
def test_colours_follow_the_pace(pace, tone):
    assert tone_of(pace) == tone

"""Values that parts show."""

from goldsmith.web.parts import LineChart, Series, thinned


def test_a_long_curve_is_thinned_and_keeps_both_ends() -> None:
    points = [(float(n), n / 2) for n in range(10_000)]
    thin = thinned(points)
    assert len(thin) == 500
    assert (thin[0], thin[-1]) == (points[0], points[-1])
    assert len(set(thin)) == 500


def test_a_short_curve_stays_as_it_is() -> None:
    assert thinned([(0, 1.0), (1, 0.5)]) == ((0, 1.0), (1, 0.5))


def test_a_chart_says_what_the_script_draws() -> None:
    chart = LineChart("step", (Series("exam rows", "exam", ((0, 1.5),)),), 45)
    assert chart.to_dict() == {
        "x": "step",
        "x_max": 45,
        "series": [{"name": "exam rows", "look": "exam", "points": ((0, 1.5),)}],
    }

"""Updates: when, in which order, what is given up, and the way back, on a docker that knows images alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mxgw.admin.patience import Patience
from mxgw.admin.refusal import Refused
from mxgw.admin.update.plan import BUILT, ORDER, Outcome, in_window
from mxgw.admin.update.rolling import Told, Update
from tests.backup.images_docker import SERVICES, ImagesDocker
from tests.dell.cells import site
from tests.dell.compose_file import read_compose

NEW = {service: f"new-{service}" for service in SERVICES}
OLD = {service: f"old-{service}" for service in SERVICES}


class Night:
    """One update after another; ``order`` is what happened."""

    def __init__(self, directory: Path) -> None:
        self.docker = ImagesDocker(directory)
        self.refused: dict[str, str] = {}
        self.order: list[str] = []

    def update(self, *, window: int = 99, retry: bool = False) -> Mapping[str, Outcome]:
        """The outcomes. ``window``: for how many services there is time."""
        self.order = []
        update = Update(
            self.docker.stack,
            Told(begun=self.order.append, done=lambda service, outcome: None),
            Patience(seconds=0, sleep=lambda seconds: None),
            refused=self.refused,
            retry=retry,
        )
        left = iter([True] * window)
        update.run(lambda: self.order.append("backup"), lambda: next(left, False))
        return update.outcomes


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_what_is_new_is_restarted_in_order_of_dependence_after_a_backup(night: Night) -> None:
    night.docker.publish(*SERVICES)

    done = night.update()

    assert night.order == ["backup", "mariadb", "dovecot", "nginx"]
    assert set(done.values()) == {Outcome.UPDATED}
    assert night.docker.running == NEW


def test_nothing_new_needs_no_backup_and_no_restart(night: Night) -> None:
    assert night.update() == {}
    assert night.order == []


@pytest.mark.parametrize("how", ["broken", "starting", "crashing", "unstartable"])
def test_an_image_that_does_not_get_healthy_goes_back_and_what_needs_it_stays(night: Night, how: str) -> None:
    night.docker.publish(*SERVICES)
    night.docker.set(**{how: ["new-dovecot"]})

    done = night.update()

    assert done == {
        "mariadb": Outcome.UPDATED,
        "dovecot": Outcome.ROLLED_BACK,
        "nginx": Outcome.POSTPONED,
    }
    assert night.docker.running == {**OLD, "mariadb": "new-mariadb"}


def test_a_service_that_is_not_healthy_on_its_old_image_either_is_told_as_broken(night: Night) -> None:
    night.docker.publish("dovecot")
    night.docker.set(broken=["new-dovecot"], unstartable=["old-dovecot"])

    assert night.update() == {"dovecot": Outcome.BROKEN}


def test_a_name_leads_to_what_runs_so_that_compose_up_by_hand_starts_nothing_untried(night: Night) -> None:
    night.docker.publish(*SERVICES)
    night.docker.set(broken=["new-dovecot"])

    night.update()

    assert {name: night.docker.named(f"{name}:1") for name in SERVICES} == night.docker.running


def test_an_image_that_was_not_healthy_is_not_tried_night_after_night(night: Night) -> None:
    night.docker.publish("dovecot")
    night.docker.set(broken=["new-dovecot"])
    night.update()

    done = night.update()

    assert (done, night.order) == ({"dovecot": Outcome.HELD}, [])
    assert night.docker.running == OLD
    assert night.docker.named("dovecot:1") == "old-dovecot"


def test_what_waits_for_another_image_holds_up_nobody_else(night: Night) -> None:
    night.docker.publish("dovecot", "nginx")
    night.docker.set(broken=["new-dovecot"])
    night.update()

    assert night.update() == {"dovecot": Outcome.HELD, "nginx": Outcome.UPDATED}


def test_a_newer_image_is_tried_and_the_refused_one_removed(night: Night) -> None:
    night.docker.publish("dovecot")
    night.docker.set(broken=["new-dovecot"])
    night.update()
    night.docker.publish("dovecot", version="newest")

    assert night.update() == {"dovecot": Outcome.UPDATED}
    assert night.docker.running["dovecot"] == "newest-dovecot"
    assert "new-dovecot" not in night.docker.state["present"]
    assert night.refused == {}


def test_it_is_tried_again_when_somebody_says_so(night: Night) -> None:
    night.docker.publish("dovecot")
    night.docker.set(broken=["new-dovecot"])
    night.update()
    night.docker.set(broken=[])

    assert night.update(retry=True) == {"dovecot": Outcome.UPDATED}
    assert night.refused == {}


def test_the_image_before_is_kept_by_name_and_the_one_before_that_removed(night: Night) -> None:
    for version in ("new", "newer", "newest"):
        night.docker.publish("dovecot", version=version)
        night.update()

    assert night.docker.named("mxgw-before:dovecot") == "newer-dovecot"
    assert [image for image in night.docker.state["present"] if image.endswith("dovecot")] == [
        "newer-dovecot",
        "newest-dovecot",
    ]


def test_going_back_leaves_the_image_before_as_it_was(night: Night) -> None:
    night.docker.publish("dovecot")
    night.update()
    night.docker.publish("dovecot", version="bad")
    night.docker.set(broken=["bad-dovecot"])

    night.update()

    assert night.docker.named("mxgw-before:dovecot") == "old-dovecot"
    assert night.docker.running["dovecot"] == "new-dovecot"


def test_a_service_that_was_not_healthy_before_is_not_updated(night: Night) -> None:
    night.docker.publish("dovecot")
    night.docker.set(broken=["old-dovecot"])

    assert night.update() == {"dovecot": Outcome.LEFT}
    assert night.docker.running == OLD


def test_no_service_is_begun_when_the_window_has_closed(night: Night) -> None:
    night.docker.publish(*SERVICES)

    done = night.update(window=1)

    assert done == {
        "mariadb": Outcome.UPDATED,
        "dovecot": Outcome.POSTPONED,
        "nginx": Outcome.POSTPONED,
    }
    assert night.update() == {"dovecot": Outcome.UPDATED, "nginx": Outcome.UPDATED}


def test_where_the_pull_fails_halfway_names_lead_to_what_runs(night: Night) -> None:
    night.docker.publish("dovecot")
    night.docker.set(pull_error="toomanyrequests: You have reached your pull rate limit\n")

    with pytest.raises(Refused) as refused:
        night.update()

    assert "pull rate limit" in str(refused.value.facts["why"])
    assert night.docker.named("dovecot:1") == "old-dovecot"
    assert night.docker.running == OLD


def test_only_what_is_made_elsewhere_is_fetched(night: Night) -> None:
    services = read_compose(site(Path("/data")))["services"]

    assert {name for name, service in services.items() if "build" in service} == BUILT
    assert set(ORDER) == set(services) - {"accounts", "admin", "trial"}


def test_who_is_needed_is_restarted_before_who_needs_it() -> None:
    services = read_compose(site(Path("/data")))["services"]

    for name in ORDER:
        needed = {*services[name].get("depends_on", {})} & set(ORDER)
        assert all(ORDER.index(one) < ORDER.index(name) for one in needed), name


@pytest.mark.parametrize(
    ("utc", "inside"),
    [("16:59", False), ("17:00", True), ("18:59", True), ("19:00", False), ("02:30", False)],
)
def test_the_window_is_two_to_four_in_japan(utc: str, inside: bool) -> None:
    hour, minute = map(int, utc.split(":"))

    assert in_window(datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)) is inside

"""Every process ends within ten seconds of being asked to, under load, and loses nothing."""

import threading

import pytest

from deploy.region.story import Story
from tests.acceptance.clients import PatientApi
from tests.acceptance.conftest import NewPlace
from tests.acceptance.ledgers import lost, wait_until_drained
from tests.acceptance.running import Running, eventually


class Load:
    """Referrals, one after the other, until told to stop."""

    def __init__(self, story: Story, submit: "list[dict[str, object]]") -> None:
        self.story = story
        self.bodies = submit
        self.referral_ids: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        for body in self.bodies:
            if self._stopping.wait(0.2):
                return
            self.referral_ids.append(self.story.submit(body)["id"])


@pytest.mark.timeout(300)
def test_every_process_ends_in_ten_seconds_under_load_and_nothing_is_lost(
    system: Running, patient_api: PatientApi, new_place: NewPlace
) -> None:
    place = new_place(patient_api, step_seconds=60.0)
    place.add_peer(capacity=1)
    story = place.story()
    seconds = {}

    with Load(story, [place.referral() for _ in range(500)]) as load:
        for name in sorted(system.processes()):
            before = system.identity(name)
            seconds[name] = system.terminate(name)
            system.wait_until_back(name, before)
            eventually(lambda: _answers(system, patient_api), "the system answers", seconds=60)

    assert {name: took for name, took in seconds.items() if took > 10} == {}
    wait_until_drained(system)
    assert lost(system) == set()
    assert load.referral_ids
    waiting = {
        one["referral_id"] for one in patient_api.all("/api/matching/waiting", by=place.coordinator)
    }
    assert set(load.referral_ids) <= waiting


def _answers(system: Running, api: PatientApi) -> bool:
    paths = [f"/health/{name}/ready" for name in ("referrals", "matching", "scheduling")]
    return all(api.call("GET", path, by=None).status == 200 for path in paths)

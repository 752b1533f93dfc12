"""Names of processes: the dead of this machine are known, everybody else counts as alive."""

import os
import subprocess
import sys

from famulus.kernel.instance import instance_name, is_gone

NAME = "import sys; sys.path.insert(0, 'src'); from famulus.kernel.instance import instance_name; print(instance_name())"


def test_names_of_one_process_differ_and_it_is_alive() -> None:
    one, other = instance_name(), instance_name()
    assert one != other
    assert not is_gone(one)
    assert not is_gone(other)


def test_a_killed_process_is_gone_before_and_after_its_parent_has_seen_it() -> None:
    command = [sys.executable, "-c", NAME + "; sys.stdout.flush(); import time; time.sleep(60)"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        name = process.stdout.readline().strip()
        assert not is_gone(name)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(name)
        process.wait()
        assert is_gone(name)


def test_an_earlier_process_with_the_same_id_is_gone() -> None:
    place, process, start, rest = instance_name().split("-")
    assert is_gone(f"{place}-{process}-{int(start) - 1}-{rest}")


def test_other_places_and_other_names_count_as_alive() -> None:
    place, process, start, rest = instance_name().split("-")
    for name in (f"elsewhere-{process}-1-{rest}", f"{place}-x-{start}-{rest}", f"{place}-{process}", ""):
        assert not is_gone(name)

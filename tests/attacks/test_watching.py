"""What the arena looks with sees what it is there to see."""

import os
import subprocess
from pathlib import Path

from tests.attacks import watching


def test_a_process_that_stays_is_seen_and_ended() -> None:
    known = {*watching.descendants(os.getpid())}
    with subprocess.Popen(["sleep", "60"]) as stays:
        left = watching.wait_until_gone(known, 0.1)
    assert list(left) == [stays.pid]


def test_every_change_to_a_folder_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "grades.json"
    path.write_text("{}")
    before = watching.folder(tmp_path)
    path.chmod(0o600)
    os.utime(path, (1, 1))
    (tmp_path / "link").symlink_to("/")
    changed = watching.changes(before, watching.folder(tmp_path))
    assert [line.split(":")[0] for line in changed] == [".", "grades.json", "link"]
    assert watching.changes(before, before) == ()

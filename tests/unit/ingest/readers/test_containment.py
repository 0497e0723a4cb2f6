"""Only files that lie in the configured folder are read, and only finished ones."""

import pytest

from flows.ingest.readers.containment import contained, passed_over, refuse_outside
from flows.ingest.readers.names import FileRefused


@pytest.mark.parametrize(
    "name",
    ["~$合同.xlsx", ".DS_Store", "a.csv.tmp", "a.part", "a.xlsx.crdownload", ".~lock.a.xlsx#", "._a.csv", "A.TMP"],
)
def test_what_programs_leave_behind_is_passed_over(name):
    assert passed_over(name)


@pytest.mark.parametrize("name", ["合同.xlsx", "part.csv", "tmp.xlsx", "a.b.parquet", "备份.bak.csv"])
def test_exports_are_not(name):
    assert not passed_over(name)


def test_links_and_dots_that_lead_out_are_refused(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_text("a\n")
    (inside / "own.csv").write_text("a\n")
    (inside / "link.csv").symlink_to(outside / "secret.csv")
    (inside / "folder").symlink_to(outside)
    (inside / "alias.csv").symlink_to(inside / "own.csv")
    (tmp_path / "in2").mkdir()
    assert contained(inside / "own.csv", inside)
    assert contained(inside / "alias.csv", inside)
    assert not contained(inside / "link.csv", inside)
    assert not contained(inside / "folder" / "secret.csv", inside)
    assert not contained(inside / ".." / "out" / "secret.csv", inside)
    assert not contained(tmp_path / "in2", inside)
    with pytest.raises(FileRefused, match="leads out of it"):
        refuse_outside(inside / "link.csv", inside)
    # The configured folder may itself be a link.
    (tmp_path / "named").symlink_to(inside)
    assert contained(tmp_path / "named" / "own.csv", tmp_path / "named")

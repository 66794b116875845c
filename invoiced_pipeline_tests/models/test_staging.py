"""The staging models are what the catalog says."""

from invoiced_pipeline.models.staging import FOLDER, files, staged_tables


def test_the_files_are_up_to_date() -> None:
    found = {path: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert found == files(), "run: make docs"


def test_no_column_is_there_twice() -> None:
    for table in staged_tables():
        names = [column.name for column in table.columns]
        assert sorted(names) == sorted(set(names))
        assert set(table.key) <= set(names)

"""Tables that do not fit the terminal."""

from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline_tests.commands.screens import new_screen, shown


def test_a_table_too_wide_for_its_columns_becomes_blocks() -> None:
    console = new_screen(40)
    grid = Grid("Wide", optional=("c",))
    for heading in "abc":
        grid.add_column(heading, justify="right")
    grid.add_row("1" * 20, "2" * 20, "3" * 20)
    console.print(grid)
    lines = [line.split() for line in shown(console).splitlines()]
    assert ["a", "1" * 20] in lines
    assert ["c", "3" * 20] in lines

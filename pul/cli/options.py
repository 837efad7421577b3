"""Options that several commands of `python -m pul` have."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script to read.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Threads = Annotated[
    int | None, typer.Option(help="CPU threads; all cores but one where not given.")
]
Location = Annotated[
    str, typer.Option("--workspace", help="The workspace: a folder, or a database URL.")
]
Format = Annotated[str, typer.Option(help="Layout of the data; auto finds it by its folders.")]

"""Options that several verbs share: what searches, and where settings come from."""

from pathlib import Path
from typing import Annotated, Literal

import typer

SEARCH, MASKS, VIDEO, FILES = "Search", "Masks", "Video", "Files"
"""Panels of the help of a verb with many options."""

Device = Annotated[
    str | None,
    typer.Option(help="AUTO, or names in order: GPU,CPU. See `edgeanon devices`.", rich_help_panel=SEARCH),
]
Profile = Annotated[
    Literal["fast", "balanced", "thorough"] | None,
    typer.Option(help="At which scales pictures are searched.", rich_help_panel=SEARCH),
]
Faces = Annotated[bool | None, typer.Option("--faces/--no-faces", help="Look for faces.", rich_help_panel=SEARCH)]
Plates = Annotated[
    bool | None, typer.Option("--plates/--no-plates", help="Look for licence plates.", rich_help_panel=SEARCH)
]
FaceModel = Annotated[Path | None, typer.Option(help="Your own model for faces (.xml, .onnx).", rich_help_panel=SEARCH)]
PlateModel = Annotated[
    Path | None, typer.Option(help="Your own model for plates (.xml, .onnx).", rich_help_panel=SEARCH)
]
Threshold = Annotated[
    float | None, typer.Option(help="Least score of a detection, above 0, up to 1.", rich_help_panel=SEARCH)
]
Precision = Annotated[
    Literal["auto", "fp16", "int8", "fp32"] | None,
    typer.Option(
        help="Of the shipped models; auto takes INT8 where it is certified and faster.", rich_help_panel=SEARCH
    ),
]
Config = Annotated[Path | None, typer.Option(help="Settings from a TOML file; options here go before it.")]

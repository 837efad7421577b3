"""The contents of a dataset or a workspace: a table of splits, bars of cameras, skipped files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from app.components.charts.palette import SPLITS
from app.wording import count, counted, fit, plain


@dataclass(frozen=True, slots=True)
class SplitRow:
    """Counts of one split; `n_pids` is 0 if no identity is known."""

    split: str
    n_images: int
    n_pids: int
    n_camids: int
    n_junk: int
    n_distractors: int


def split_table(rows: Sequence[SplitRow]) -> None:
    """Show the counts of each split."""
    head = ("Split", "Images", fit("People"), "Cameras", "Junk", "Distractors")
    cells = "".join(f"<th>{name}</th>" for name in head)
    body = "".join(_row(row) for row in rows)
    st.html(
        f'<table class="pul-table"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>'
    )


def _row(row: SplitRow) -> str:
    numbers = (row.n_images, row.n_pids, row.n_camids, row.n_junk, row.n_distractors)
    cells = "".join(f"<td>{count(number) if number else '–'}</td>" for number in numbers)
    return f'<tr><td><i style="--c:{SPLITS[row.split]}"></i>{row.split}</td>{cells}</tr>'


def camera_bars(images_of: Mapping[tuple[str, int], int], *, height: int) -> None:
    """Show images per camera as bars, stacked by split.

    Args:
        images_of: Number of images by split and camera; camera -1 is unknown.
        height: Height in pixels.
    """
    cameras = sorted({camera for _, camera in images_of})
    names = ["unknown" if camera < 0 else f"camera {camera}" for camera in cameras]
    figure = go.Figure(
        [
            go.Bar(
                name=split,
                x=names,
                y=[images_of.get((split, camera), 0) for camera in cameras],
                marker_color=color,
                hovertemplate="%{y:,} " + split + "<extra></extra>",
            )
            for split, color in SPLITS.items()
        ]
    )
    figure.update_layout(
        barmode="stack",
        bargap=0.35,
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        showlegend=False,
        yaxis={"nticks": 4, "title": None},
    )
    alt = f"Images of {counted(len(cameras), 'camera')}"
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)


def skipped_files(files: Sequence[tuple[str, str]], *, n_shown: int = 200) -> None:
    """Show the skipped files, grouped by reason."""
    if not files:
        return
    reasons: dict[str, list[str]] = {}
    for path, reason in files:
        reasons.setdefault(reason, []).append(path)
    with st.expander(f"{counted(len(files), 'file')} skipped"):
        for reason, paths in sorted(reasons.items(), key=lambda item: -len(item[1])):
            st.markdown(f"**{counted(len(paths), 'file')}**: {plain(reason)}")
        st.code("\n".join(path for path, _ in files[:n_shown]), language=None, wrap_lines=True)
        if len(files) > n_shown:
            st.caption(f"The first {n_shown} of {count(len(files))}.")

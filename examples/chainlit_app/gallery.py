"""One element of every kind that Chainlit can show, made on the spot."""

from __future__ import annotations

import io
import math
import struct
import wave
import zlib
from collections.abc import Callable
from pathlib import Path

import chainlit as cl
from chainlit.element import Element

TIDE = Path(__file__).parent / "media" / "tide.webm"
HORIZON, SUN = 0.62, 0.16

POEM = """*What the tide wrote*

> I came, I went, I came again,
> and every time you knew me.
"""


def image() -> cl.Image:
    return cl.Image(name="sunset", content=sunset(480, 270), display="inline", size="medium")


def text() -> cl.Text:
    return cl.Text(name="poem", content=POEM, display="inline")


def pdf() -> cl.Pdf:
    return cl.Pdf(name="logbook", content=logbook("Pebble's logbook", "High tide at dawn."))


def audio() -> cl.Audio:
    return cl.Audio(name="melody", content=melody(523, 659, 784, 1047), mime="audio/wav")


def video() -> cl.Video:
    return cl.Video(name="tide", path=str(TIDE), mime="video/webm")


def file() -> cl.File:
    table = "hour,metres\n06:12,4.1\n12:31,0.8\n18:40,4.3\n"
    return cl.File(name="tides.csv", content=table, mime="text/csv")


def plotly() -> cl.Plotly:
    from plotly import graph_objects

    hours = [h / 4 for h in range(97)]
    heights = [2.5 + 1.8 * math.cos(math.tau * (h - 6) / 12.4) for h in hours]
    figure = graph_objects.Figure(graph_objects.Scatter(x=hours, y=heights, fill="tozeroy"))
    figure.update_layout(title="The tide today", xaxis_title="hour", yaxis_title="metres")
    return cl.Plotly(name="chart", figure=figure)


def dataframe() -> cl.Dataframe:
    import pandas as pd

    shells = {"shell": ["cockle", "whelk", "razor"], "found": [12, 5, 7]}
    return cl.Dataframe(name="shells", data=pd.DataFrame(shells))


def custom() -> cl.CustomElement:
    """A component of ours (public/elements/Counter.jsx) whose state is kept with the chat."""
    return cl.CustomElement(name="Counter", props={"label": "Pebbles", "count": 3})


KINDS: dict[str, Callable[[], Element]] = {
    kind.__name__: kind
    for kind in (image, text, pdf, audio, video, file, plotly, dataframe, custom)
}


def wanted(request: str) -> list[str]:
    """The kinds that a request like “show image and pdf” or “show everything” names."""
    names = request.lower().replace(",", " ").split()
    if names[:1] != ["show"]:
        return []
    return list(KINDS) if "everything" in names else [kind for kind in KINDS if kind in names]


def make(kind: str) -> Element | str:
    """The element, or the name of the package that is needed for it and not installed."""
    try:
        return KINDS[kind]()
    except ModuleNotFoundError as error:
        return error.name or kind


async def send_tasks() -> None:
    """A task list; Chainlit shows it beside the chat."""
    tasks = cl.TaskList(status="Waiting for the tide")
    await tasks.add_task(cl.Task(title="Count the pebbles", status=cl.TaskStatus.DONE))
    await tasks.add_task(cl.Task(title="Watch the horizon", status=cl.TaskStatus.RUNNING))
    await tasks.add_task(cl.Task(title="Remember everything", status=cl.TaskStatus.READY))
    await tasks.send()


def sunset(width: int, height: int) -> bytes:
    """A PNG of the sun over the sea."""
    rows = (_row(y / height, width, height) for y in range(height))
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _row(y: float, width: int, height: int) -> bytes:
    return b"".join(bytes(_colour(x / width, y, width / height)) for x in range(width))


def _colour(x: float, y: float, aspect: float) -> tuple[int, int, int]:
    if y > HORIZON:
        glitter = 60 if abs(x - 0.5) < (y - 0.6) / 3 and int(y * 90) % 3 else 0
        return 20 + glitter, 60 + glitter, 110 + glitter // 2
    if math.hypot((x - 0.5) * aspect, y - 0.5) < SUN:
        return 255, 214, 120
    return 90 + int(240 * y), 70 + int(150 * y), 150 - int(60 * y)


def melody(*frequencies: int, rate: int = 16_000) -> bytes:
    """A WAV file: the notes one after the other, a third of a second each."""
    length = rate // 3
    samples = [
        int(9_000 * math.sin(math.tau * f * i / rate) * (1 - i / length))
        for f in frequencies
        for i in range(length)
    ]
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return buffer.getvalue()


def logbook(title: str, line: str) -> bytes:
    """A PDF of one page."""
    drawing = (
        f"0.03 0.22 0.33 rg 0 260 400 40 re f 1 1 1 rg BT /F 18 Tf 20 273 Td ({title}) Tj ET\n"
        f"0 0 0 rg BT /F 13 Tf 20 220 Td ({line}) Tj 0 -24 Td (Nothing was missing.) Tj ET"
    )
    return _pdf(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 300]/Contents 4 0 R"
        "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        f"<</Length {len(drawing)}>>stream\n{drawing}\nendstream",
    )


def _pdf(*objects: str) -> bytes:
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(f"{len(body):010} 00000 n \n")
        body += f"{number} 0 obj{content}endobj\n"
    size = len(objects) + 1
    table = f"xref\n0 {size}\n0000000000 65535 f \n{''.join(offsets)}"
    trailer = f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF"
    return (body + table + trailer).encode("latin-1")

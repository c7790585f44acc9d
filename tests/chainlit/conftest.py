"""A data layer on a fresh database of each kind, and a Chainlit app around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import chainlit.config
import chainlit.data
import pytest

from chainkeep.chainlit import ChainkeepDataLayer
from tests.chainlit.contract.chats import App

MakeLayer = Callable[..., ChainkeepDataLayer]


@pytest.fixture
async def make_layer(database_url: str, tmp_path: Path) -> AsyncIterator[MakeLayer]:
    """Makes layers, as many as there are processes, all on one database and one directory."""
    layers: list[ChainkeepDataLayer] = []

    def make(url: str = database_url, **options: Any) -> ChainkeepDataLayer:
        places = {"blobs": str(tmp_path / "blobs"), "spool": str(tmp_path / "spool")}
        layers.append(ChainkeepDataLayer(url, **{**places, **options}))
        return layers[-1]

    yield make
    for layer in layers:
        await layer.close()


@pytest.fixture
async def layer(make_layer: MakeLayer) -> ChainkeepDataLayer:
    """A layer on a fresh database."""
    return make_layer()


@pytest.fixture
async def app(
    layer: ChainkeepDataLayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[App]:
    """A Chainlit app with that layer, in which one must log in."""
    monkeypatch.setattr(chainlit.data, "_data_layer", layer)
    monkeypatch.setattr(chainlit.data, "_data_layer_initialized", True)
    monkeypatch.setattr(chainlit.config, "FILES_DIRECTORY", tmp_path)
    monkeypatch.setenv("CHAINLIT_CUSTOM_AUTH", "1")
    monkeypatch.setenv("CHAINLIT_AUTH_SECRET", "a secret that signs nothing but tests' cookies")
    app = App(layer)
    yield app
    await app.close()

"""Searches beside a build: each sees one content, whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from support import SmallIndex

from mmchat.app.assistant import _FreshRetriever
from mmchat.conditions import Equals
from mmchat.types import Query


def test_searches_see_one_content_while_the_index_is_rebuilt(
    small_index: SmallIndex, write: Callable[..., Path]
):
    def fill(version: int) -> Path:
        for number in range(20):
            folder = write(f"{number}.txt", f"Kettle, edition {version}.")
        return folder

    small_index.build(fill(0))
    done = threading.Event()
    problems: list[object] = []

    def search() -> None:
        while not done.is_set():
            try:
                hits = small_index.retriever().search(Query("kettle edition", k=40))
                editions = {hit.text.rsplit(" ", 1)[-1] for hit in hits}
                if len(hits) != 20 or len(editions) != 1:
                    problems.append((len(hits), editions))
                    return
            except Exception as error:
                problems.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(1, 5):
        small_index.build(fill(version))
    done.set()
    for thread in threads:
        thread.join()
    assert not problems


def test_a_reader_searches_on_when_its_generation_is_gone(
    small_index: SmallIndex, write: Callable[..., Path]
):
    folder = write("a.txt", "Old words of a kettle.")
    small_index.build(folder)
    retriever = small_index.retriever()
    where = Equals("document", "a.txt")
    (before,) = retriever.search(Query("kettle", where=where))
    for number in range(3):
        write("a.txt", f"New words {number}.")
        small_index.build(folder)
    assert retriever.search(Query("kettle", where=where)) == [before]


def test_the_passages_of_a_search_are_read_where_it_searched(
    small_index: SmallIndex, write: Callable[..., Path]
):
    folder = write("a.txt", "Old words of a kettle.")
    small_index.build(folder)
    fresh = _FreshRetriever(small_index)  # type: ignore[arg-type]
    (hit,) = fresh.search(Query("kettle"))
    write("a.txt", "New words.")
    small_index.build(folder)
    chunk = fresh.chunk(hit.item)
    assert chunk is not None and chunk.text == "Old words of a kettle."
    (hit,) = fresh.search(Query("kettle"))
    assert hit.text == "New words."

"""What `grader.load` reads from the files that learners hand in."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.files import (
    code,
    load_bytes,
    load_module,
    load_notebook,
    notebook,
    old_code,
    old_notebook,
    sources,
)

HEAD = "#!/usr/bin/env python\n# coding: utf-8\n\n"


# ---- notebooks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", [0, 1, 4, 5])
def test_reads_every_minor_version_of_nbformat_4(tmp_path: Path, minor: int) -> None:
    document = notebook(code("w = 1"), code("b = 2"), nbformat_minor=minor)
    assert sources(load_notebook(tmp_path, document)) == ["w = 1", "b = 2"]


def test_reads_the_worksheets_of_nbformat_3(tmp_path: Path) -> None:
    output = {"output_type": "pyout", "prompt_number": 1, "text": ["3"]}
    heading = {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Gradient\n", "descent"]}
    first = [heading, old_code(["w = 1\n", "b = 2"], outputs=[output], prompt_number=7)]
    document = old_notebook(first, [old_code("print(w)"), {"cell_type": "markdown", "source": ["text"]}])
    assert sources(load_notebook(tmp_path, document)) == ["w = 1\nb = 2", "print(w)"]


@pytest.mark.parametrize("ids", [("a", "a"), ("", "no spaces allowed"), (1, None), ("x" * 65, "ä")])
def test_cell_ids_do_not_matter(tmp_path: Path, ids: tuple[object, object]) -> None:
    cells = [code("w = 1", id=ids[0]), code("b = 2", id=ids[1])]
    assert sources(load_notebook(tmp_path, notebook(*cells))) == ["w = 1", "b = 2"]


@pytest.mark.parametrize("missing", ["metadata", "outputs", "execution_count"])
def test_a_code_cell_may_lack_everything_but_its_source(tmp_path: Path, missing: str) -> None:
    cell = code("w = 1")
    del cell[missing]
    assert sources(load_notebook(tmp_path, notebook(cell))) == ["w = 1"]


@pytest.mark.parametrize("metadata", [None, [], "text", {}])
def test_metadata_may_be_of_any_type(tmp_path: Path, metadata: object) -> None:
    document = notebook(code("w = 1", metadata=metadata), metadata=metadata)
    assert sources(load_notebook(tmp_path, document)) == ["w = 1"]


def test_metadata_and_minor_version_may_be_missing(tmp_path: Path) -> None:
    assert sources(load_notebook(tmp_path, {"nbformat": 4, "cells": [code("w = 1")]})) == ["w = 1"]


def test_a_source_is_a_string_or_a_list_of_strings(tmp_path: Path) -> None:
    document = notebook(code("w = 1\nb = 2"), code(["w = 1\n", "b = 2"]))
    assert sources(load_notebook(tmp_path, document)) == ["w = 1\nb = 2", "w = 1\nb = 2"]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_in_a_notebook_become_newlines(tmp_path: Path, end: str) -> None:
    assert sources(load_notebook(tmp_path, notebook(code(f"w = 1{end}b = 2")))) == ["w = 1\nb = 2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_notebook_may_be_in_any_encoding_of_json(tmp_path: Path, encoding: str) -> None:
    content = json.dumps(notebook(code("斜率 = 1")), ensure_ascii=False).encode(encoding)
    assert sources(load_bytes(tmp_path, "a.ipynb", content)) == ["斜率 = 1"]


def test_lone_surrogates_become_escapes(tmp_path: Path) -> None:
    """No UTF-8 can hold them, so no message to the kernel could."""
    assert sources(load_notebook(tmp_path, notebook(code("s = '\ud800'")))) == [r"s = '\ud800'"]


@pytest.mark.parametrize("outputs", ["nonsense", None, [{"output_type": "stream", "text": "nonsense"}]])
def test_saved_outputs_are_dropped(tmp_path: Path, outputs: object) -> None:
    submission = load_notebook(tmp_path, notebook(code("w = 1", outputs=outputs, execution_count=12)))
    assert sources(submission) == ["w = 1"]
    assert "nonsense" not in repr(submission)


def test_the_exercise_is_read_from_the_metadata(tmp_path: Path) -> None:
    document = notebook(code("w = 1"), metadata={"grader": {"exercise": "linear_regression"}})
    assert load_notebook(tmp_path, document).exercise == "linear_regression"


@pytest.mark.parametrize("grader", [None, [], "linear_regression", {}, {"exercise": 3}, {"exercise": None}])
def test_an_exercise_of_a_wrong_type_is_ignored(tmp_path: Path, grader: object) -> None:
    assert load_notebook(tmp_path, notebook(code("w = 1"), metadata={"grader": grader})).exercise is None


@pytest.mark.parametrize("name", ["python3", "conda-env-d2l-py", "ir", None])
def test_the_name_of_the_kernel_does_not_matter(tmp_path: Path, name: str | None) -> None:
    document = notebook(code("w = 1"), metadata={"kernelspec": {"name": name}})
    assert sources(load_notebook(tmp_path, document)) == ["w = 1"]


def test_cells_are_numbered_like_jupyters_prompts(tmp_path: Path) -> None:
    """Text cells and blank code cells get no prompt."""
    text = {"cell_type": "markdown", "metadata": {}, "source": "w = 0"}
    raw = {"cell_type": "raw", "metadata": {}, "source": "w = 0"}
    cells = [text, code("w = 1"), code(""), code(" \n\t"), raw, code("# a comment"), code([])]
    submission = load_notebook(tmp_path, notebook(*cells))
    assert [(cell.number, cell.source) for cell in submission.cells] == [(1, "w = 1"), (2, "# a comment")]


def test_magics_are_neutralised_and_the_original_is_kept(tmp_path: Path) -> None:
    submission = load_notebook(tmp_path, notebook(code("w = 1"), code("%matplotlib inline\nb = 2")))
    assert sources(submission) == ["w = 1", "pass  # %matplotlib inline\nb = 2"]
    assert submission.original[1].source == "%matplotlib inline\nb = 2"
    assert [note.params["cell"] for note in submission.notes] == [2]


def test_a_submission_carries_its_name_and_hash(tmp_path: Path) -> None:
    submission = load_bytes(tmp_path, "学生.PY", b"w = 1")
    assert (submission.name, submission.sha256) == ("学生.PY", hashlib.sha256(b"w = 1").hexdigest())


def test_unknown_fields_may_be_nested_deeply(tmp_path: Path) -> None:
    nested = json.dumps(notebook(code("w = 1"), metadata={"a": "HERE"})).replace(
        '"HERE"', "[" * 500 + "]" * 500
    )
    assert sources(load_bytes(tmp_path, "a.ipynb", nested.encode())) == ["w = 1"]


# ---- modules ------------------------------------------------------------------------------------


def test_a_module_without_marks_is_one_cell(tmp_path: Path) -> None:
    assert sources(load_module(tmp_path, "w = 1\n\nb = 2\n")) == ["w = 1\n\nb = 2"]


@pytest.mark.parametrize("mark", ["# %%", "#%%", "# %% Training", "# In[3]:", "# In[ ]:", "# In [12]:"])
def test_a_mark_begins_a_cell(tmp_path: Path, mark: str) -> None:
    submission = load_module(tmp_path, f"w = 1\n{mark}\nb = 2\n")
    assert [(cell.number, cell.source) for cell in submission.cells] == [(1, "w = 1"), (2, f"{mark}\nb = 2")]


@pytest.mark.parametrize("mark", ["# %% [markdown]", "# %% [md]", "# %% Title [raw]", "#%% [Markdown]"])
def test_a_text_cell_of_a_module_is_left_out(tmp_path: Path, mark: str) -> None:
    source = f"# %%\nw = 1\n{mark}\n# Some text\n# %%\nb = 2\n"
    assert sources(load_module(tmp_path, source)) == ["# %%\nw = 1", "# %%\nb = 2"]


def test_a_converted_notebook_keeps_its_numbers(tmp_path: Path) -> None:
    """The head that nbconvert writes is no cell, and neither is what was a blank one."""
    source = f"{HEAD}# # Title\n\n# In[1]:\n\n\nw = 1\n\n\n# In[ ]:\n\n\n\n\n# In[2]:\n\n\nb = 2\n"
    submission = load_module(tmp_path, source)
    assert [cell.source.replace("\n", "") for cell in submission.cells] == ["# In[1]:w = 1", "# In[2]:b = 2"]


def test_code_above_the_first_mark_is_a_cell(tmp_path: Path) -> None:
    submission = load_module(tmp_path, f"{HEAD}import torch\n# %%\nw = 1")
    assert sources(submission) == [f"{HEAD}import torch", "# %%\nw = 1"]


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8", ""),
        ("utf-8", "# coding: utf-8\n"),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("gbk", "# -*- coding: gbk -*-\n"),
        ("gbk", "# -*- coding: cp936 -*-\n"),
        ("gb2312", "# coding=GB2312\n"),
        ("gb18030", "# coding: gb18030\n"),
        ("gbk", "#!/usr/bin/env python\n# -*- coding: gbk -*-\n"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_module_is_decoded_as_python_does(tmp_path: Path, encoding: str, head: str, end: str) -> None:
    source = f"{head}斜率 = 1\nθ = 斜率"
    content = source.replace("\n", end).encode(encoding)
    assert sources(load_bytes(tmp_path, "a.py", content)) == [source]


def test_the_text_between_the_cells_is_kept_with_its_place(tmp_path: Path) -> None:
    text = {"cell_type": "markdown", "metadata": {}, "source": ["# One\n", "two"]}
    submission = load_notebook(tmp_path, notebook(text, code("w = 1"), code(" "), text, code("b = 2"), text))
    assert [(prose.before, prose.source) for prose in submission.prose] == [
        (1, "# One\ntwo"),
        (2, "# One\ntwo"),
        (3, "# One\ntwo"),
    ]

# SPDX-License-Identifier: Apache-2.0
"""Each thread that src/ starts has a row in docs/threads.md, by its name and its file. threads_are_told.py SOURCE_ROOT"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])


def started():
    """(file, name or None where it is made at run time) of each thread."""
    for path in sorted((ROOT / "src").rglob("*.c")):
        for name in re.findall(r'sl_thread_start\(\s*&[^,]+,\s*("[^"]+"|name),', path.read_text()):
            yield str(path.relative_to(ROOT / "src")), None if name == "name" else name.strip('"')


def main():
    rows = [line for line in (ROOT / "docs/threads.md").read_text().splitlines() if line.startswith("| `")]
    threads = list(started())
    missing = [(file, name) for file, name in threads
               if not any(f"`{name}`" in row if name else f"{file}`" in row for row in rows)]
    gone = [file for row in rows for file in re.findall(r"`(?:src/)?(\w+/[\w/]+\.[ch])`", row) if not (ROOT / "src" / file).exists()]
    assert len(threads) > 15, "the sources are not understood any more"
    for file, name in missing:
        print(f"docs/threads.md says nothing of the thread {name or ''} of src/{file}")
    for file in gone:
        print(f"docs/threads.md names src/{file}, which is not there")
    return 1 if missing or gone else 0


sys.exit(main())
